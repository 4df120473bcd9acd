/**
 * `npm run demo:https`: a hub on node:https, so that clients connect with wss. Give it a certificate of your own by the
 * paths in `TLS_KEY` and `TLS_CERT`; without them it has one that is signed by itself, which clients must be told to trust.
 * Two clients try it first: one that was told, and one that was not.
 */

import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { type ConnectError, createHub, ReconnectingClient } from "holdfast"
import { attach } from "holdfast/server"
import { selfSigned } from "./self-signed.js"
import { stopOnSignals } from "./stop-on-signals.js"

const { PORT = "8443", TLS_KEY, TLS_CERT } = process.env
const certificate =
  TLS_KEY && TLS_CERT ? { key: readFileSync(TLS_KEY), cert: readFileSync(TLS_CERT) } : selfSigned

const hub = createHub<{ text: string }, { from: string; text: string }>()
hub.on("message", ({ connection, data }) => hub.broadcast({ from: connection.id, text: data.text }))

// TLS 1.2 is Node's own least version; say so where you want no other
const https = createServer({ ...certificate, minVersion: "TLSv1.3" }, (request, response) => {
  if (request.method === "GET") response.end(`node:https, with ${hub.size} WebSockets beside it\n`)
  else {
    hub.broadcast({
      from: "node:https",
      text: new URLSearchParams(request.url?.split("?")[1]).get("text") ?? "",
    })
    response.writeHead(204).end()
  }
})
const attachment = attach(https, hub, { path: "/ws" })

/** Tries to connect once. `ca` is whom it trusts besides those that everybody trusts. */
async function tryOut(url: string, ca?: string | Buffer): Promise<string> {
  const client = new ReconnectingClient(url, { node: { ca, minVersion: "TLSv1.3" }, maxRetries: 0 })
  let why = ""
  client.on("error", ({ error }) => {
    why = ((error as ConnectError).cause as NodeJS.ErrnoException | undefined)?.code ?? String(error)
  })
  const isOpen = await client.opened.then(
    () => true,
    () => false,
  )
  await client.close()
  return isOpen ? "connects" : `refuses to connect: ${why}`
}

await new Promise<void>((resolve) => https.listen(Number(PORT), "127.0.0.1", resolve))
const { port } = https.address() as AddressInfo
console.log(
  `a client that trusts the certificate ${await tryOut(`wss://127.0.0.1:${port}/ws`, certificate.cert)}`,
)
console.log(`a client that was not told of it ${await tryOut(`wss://127.0.0.1:${port}/ws`)}`)
console.log(`HTTPS answers:    curl -k https://127.0.0.1:${port}/`)
console.log(`the hub listens:  npx wscat -n -c wss://127.0.0.1:${port}/ws  and type {"text":"hi"}`)
console.log(`both together:    curl -k -X POST https://127.0.0.1:${port}/say?text=hello`)

stopOnSignals(attachment, hub, https)
