/**
 * `npx tsx examples/echo/main.ts`: an echo of text, of JSON and of bytes, each on a path of its own. What is no JSON, or has
 * a type that nobody knows, is answered with an error, and the connection goes on.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { binary, createHub, createRouter, type HubConnection, text } from "holdfast"
import { attach } from "holdfast/server"

type FromClient = { type: "echo"; value: unknown } | { type: "time" }
type FromServer =
  | { type: "welcome"; id: string }
  | { type: "echo"; value: unknown }
  | { type: "time"; now: string }
  | { type: "error"; code: string; message: string }

const texts = createHub<string, string>({ codec: text() })
texts.on("connection", ({ connection }) => connection.send("welcome: whatever you type comes back"))
texts.on("message", ({ connection, data }) => {
  console.log(`text: ${data.length} characters are sent back`)
  connection.send(data)
})

const bytes = createHub<Uint8Array, Uint8Array>({ codec: binary() })
bytes.on("message", ({ connection, data }) => {
  console.log(`binary: ${data.length} bytes are sent back`)
  connection.send(data)
})

// json() is the codec of a hub that is given none
const values = createHub<FromClient, FromServer>({
  onDecodeError: () => ({ type: "error", code: "BAD_JSON", message: "this is no JSON" }),
})
values.on("connection", ({ connection }) => connection.send({ type: "welcome", id: connection.id }))
values.on("error", ({ stage, error }) => console.log(`json: ${stage}: ${(error as Error).message}`))
createRouter<FromClient, HubConnection<FromClient, FromServer>>()
  .on("echo", ({ message, peer }) => peer.send({ type: "echo", value: message.value }))
  .on("time", ({ peer }) => peer.send({ type: "time", now: new Date().toISOString() }))
  .mount(values)

const http = createServer((_request, response) => response.end("an echo: try /text, /json and /binary\n"))
attach(http, texts, { path: "/text" })
attach(http, values, { path: "/json" })
attach(http, bytes, { path: "/binary" })

const hubs = [texts, values, bytes]
for (const [index, name] of ["text", "json", "binary"].entries()) {
  hubs[index]?.on("close", ({ code, cause }) => console.log(`${name}: closed with ${code} by ${cause}`))
}

http.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
  console.log(`text:    npx wscat -c ${url}/text  and type anything`)
  console.log(
    `json:    npx wscat -c ${url}/json  and type {"type":"echo","value":7}, {"type":"time"}, or nonsense`,
  )
  console.log(`binary:  ${url}/binary  answers frames of bytes`)
})

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await Promise.all(hubs.map((hub) => hub.close()))
    http.close()
    http.closeIdleConnections()
  })
}
