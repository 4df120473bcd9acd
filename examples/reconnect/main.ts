/**
 * `npx tsx examples/reconnect/main.ts`: a client whose server goes away and comes back. What is sent meanwhile waits in a queue
 * of three, in order, and what does not fit is given up, with a word each time.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, ReconnectingClient } from "holdfast"
import { attach } from "holdfast/server"

type Note = { type: "note"; text: string }
type Receipt = { type: "noted"; text: string }

/** Starts a server, on a port of its choice the first time. */
async function startServer(port = 0) {
  const hub = createHub<Note, Receipt>()
  hub.on("message", ({ connection, data }) => {
    console.log(`server:  got ${data.text}`)
    connection.send({ type: "noted", text: data.text })
  })
  const http = createServer()
  attach(http, hub)
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve))
  return {
    port: (http.address() as AddressInfo).port,
    async stop() {
      for (const connection of hub.connections.values()) connection.terminate() // as a crash does
      await hub.close()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

let server = await startServer()
console.log(`the server: npx wscat -c ws://127.0.0.1:${server.port}  and type {"type":"note","text":"hi"}`)

const client = new ReconnectingClient<Receipt, Note>(`ws://127.0.0.1:${server.port}`, {
  backoff: { initialMs: 200, maxMs: 1_000 }, // 2 s doubling to 30 s without it
  queue: { maxMessages: 3, overflow: "drop-oldest" },
})
client.on("state", ({ from, to, isReconnect }) => {
  console.log(`client:  ${from} -> ${to}${isReconnect && to === "open" ? ", again" : ""}`)
})
client.on("dropped", ({ message, reason }) => console.log(`client:  ${message.text} is dropped: ${reason}`))
client.on("error", () => {}) // each attempt that fails is one

/** Sends, and says what became of it. */
function note(text: string): void {
  console.log(`client:  ${text} is ${client.send({ type: "note", text })}`)
}

/** Resolves when the server has answered one. */
function noted(text: string): Promise<void> {
  return new Promise((resolve) => {
    const undo = client.on("message", ({ data }) => {
      if (data.text !== text) return
      undo()
      resolve()
    })
  })
}

await client.opened
note("one")
await noted("one")

const { port } = server
const isDown = new Promise<void>((resolve) => {
  client.on("state", ({ to }) => to === "waiting" && resolve())
})
await server.stop()
await isDown
for (const text of ["two", "three", "four", "five"]) note(text)
client.send({ type: "note", text: "a cursor" }, { volatile: true }) // now or not at all

const last = noted("five")
server = await startServer(port)
await last
console.log(`client:  ${client.queued} wait`)
const { cause } = await client.close()
console.log(`client:  ended, because it was ${cause}`)
await server.stop()
