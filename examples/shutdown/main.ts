/**
 * `npx tsx examples/shutdown/main.ts`: a server that says whether it lives, whether it should get new clients, and whether it can be
 * used; and that sends everybody away in good order when it is told to stop.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub } from "holdfast"
import { attach, healthHandler, probeHandler, readyHandler } from "holdfast/server"

/** Over how long the connections are closed, in milliseconds: 10 s without it. */
const WINDOW_MS = Number(process.env.WINDOW_MS ?? 10_000)

const hub = createHub<{ text: string }, { text: string }>()
hub.on("message", ({ connection, data }) => connection.send(data))

const http = createServer()
const attachment = attach(http, hub, { path: "/ws" })
await new Promise<void>((resolve) => http.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", resolve))
const { port } = http.address() as AddressInfo

const pages = new Map([
  ["/health", healthHandler(attachment)], // does it live? never a reason to send nobody
  ["/ready", readyHandler(attachment)], //   should it get new clients? 503 while it stops
  ["/probe", probeHandler(`ws://127.0.0.1:${port}/ws`, { message: '{"text":"probe"}' })], // can it be used?
])
http.on("request", (request, response) => {
  const page = pages.get(request.url ?? "")
  if (page) page(request, response)
  else response.writeHead(404).end("try /health, /ready and /probe\n")
})

console.log(`a client:       npx wscat -c ws://127.0.0.1:${port}/ws  and type {"text":"hi"}`)
console.log(`does it live:   curl http://127.0.0.1:${port}/health`)
console.log(`may they come:  curl http://127.0.0.1:${port}/ready`)
console.log(`does it work:   curl http://127.0.0.1:${port}/probe`)
console.log(`stop it:        kill ${process.pid}`)

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    console.log(`${signal}: ${hub.size} connections are closed over ${WINDOW_MS} ms`)
    const { closed, forced } = await attachment.drain({ windowMs: WINDOW_MS })
    console.log(`${closed} said goodbye, ${forced} had to be cut`)
    await hub.close()
    attachment.close()
    http.close()
    http.closeIdleConnections()
  })
}
