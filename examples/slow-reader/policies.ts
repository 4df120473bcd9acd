/**
 * `npx tsx examples/slow-reader/policies.ts`: what becomes of 400 messages for a reader who has stopped, by each policy; then a
 * sender that slows itself down, and one that waits no longer than it wants to.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, type HubConnection, hasErrorCode, type OverflowPolicy } from "holdfast"
import { attach } from "holdfast/server"
import WebSocket from "ws"

type Message = { n: number; filling: string }

/** More than the kernel holds for a reader, which may be several megabytes. */
const COUNT = 400
const FILLING = "x".repeat(65_536)

/** Opens a hub with one reader who has stopped, lets something be sent, and says what the reader got afterwards. */
async function show(
  name: string,
  overflow: OverflowPolicy,
  send: (connection: HubConnection<never, Message>, reader: WebSocket) => Promise<void> | void,
): Promise<void> {
  const hub = createHub<never, Message>({ overflow, maxBufferedBytes: 262_144 })
  const http = createServer()
  attach(http, hub)
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  const reader = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`)
  const got: number[] = []
  reader.on("message", (data) => got.push((JSON.parse(String(data)) as Message).n))
  const ended = new Promise<number>((resolve) => reader.once("close", resolve))
  await new Promise((resolve) => reader.once("open", resolve))
  reader.pause()

  const [connection] = hub.connections.values()
  if (!connection) throw new Error("nobody is here")
  await send(connection, reader)
  reader.resume()
  // behind all that waits; it may be closed by now, for having been too slow
  connection.drained().then(
    () => connection.close(),
    () => {},
  )
  const code = await ended
  const last = got.at(-1)
  const gap = got.findIndex((n, index) => n !== index + 1)
  const order = gap < 0 ? `1 to ${last} without a gap` : `1 to ${got[gap - 1]}, then ${got[gap]} to ${last}`
  console.log(`${name} the reader has got ${order}; closed with ${code}`)
  await hub.close()
  http.close()
}

/** Sends everything, a message a turn, and counts what became of it. */
async function sendAll(connection: HubConnection<never, Message>): Promise<void> {
  const results = new Map<string, number>()
  for (let n = 1; n <= COUNT; n += 1) {
    const result = connection.send({ n, filling: FILLING }, { key: "n" })
    results.set(result, (results.get(result) ?? 0) + 1)
    await new Promise((resolve) => setImmediate(resolve))
  }
  console.log(`  ${[...results].map(([result, count]) => `${count} ${result}`).join(", ")}`)
}

for (const policy of ["close", "drop-newest", "drop-oldest", "latest"] as const) {
  await show(`${policy}:`, policy, sendAll)
}

await show("a patient sender:", "close", async (connection, reader) => {
  for (let n = 1; n <= COUNT; n += 1) {
    if (!connection.writable) {
      reader.resume() // somebody has to give in
      await connection.drained()
    }
    connection.send({ n, filling: FILLING })
  }
})

await show("a busy sender:", "drop-newest", async (connection) => {
  for (let n = 1; n <= COUNT; n += 1) {
    try {
      await connection.sendAsync({ n, filling: FILLING }, { timeoutMs: 200 }) // 5 s without it
    } catch (error) {
      if (!hasErrorCode(error, "SEND_TIMEOUT")) throw error
      console.log("  gives up when the kernel has not taken a message for 200 ms")
      return
    }
  }
})
