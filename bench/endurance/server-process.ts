/**
 * The server of every trial: a hub as a program would set it up, with everything at its default. On SIGTERM it says its
 * last words, drains, and ends by itself once nothing is left open.
 */

import { readdirSync } from "node:fs"
import { createServer } from "node:http"
import { createHub, text } from "holdfast"
import { attach, healthHandler, readyHandler } from "holdfast/server"
import { takeOrders } from "../orders.js"
import type { ServerSettings } from "./server-settings.js"

const settings = JSON.parse(process.argv[2] ?? "{}") as ServerSettings
const { port = 0, windowMs, lastWords = 0, heartbeat } = settings

/** So many connections share a room. */
const ROOM = 10
/** What fills the kernel's buffers of a connection that does not read. */
const FILLING = { most: 1_000, bytes: 64_000 }

const http = createServer()
const hub = createHub<string, string>({
  codec: text(),
  logger: false,
  ...(heartbeat !== undefined && { heartbeat }),
})
const attachment = attach(http, hub, { path: ["/", "/idle"] })
const pages = new Map([
  ["/health", healthHandler(attachment)],
  ["/ready", readyHandler(attachment)],
])
const received: string[] = []
let entered = 0
let mostBuffered = 0
let slowestPingMs = 0

hub.counters.pingMs.listen((ms) => {
  slowestPingMs = Math.max(slowestPingMs, ms)
})
http.on("request", (request, response) => {
  const page = pages.get(request.url ?? "")
  if (page) page(request, response)
  else response.writeHead(404).end()
})
hub.on("connection", ({ connection }) => {
  void connection.join(roomOf(entered))
  entered += 1
})
// one listener for all of them: one each would take memory of its own
hub.on("message", ({ data }) => void received.push(data))

process.once("SIGTERM", async () => {
  for (let i = 0; i < lastWords; i += 1) hub.broadcast(`word ${i} ${"x".repeat(500)}`)
  const report = await attachment.drain({ windowMs: windowMs ?? 10_000 })
  await hub.close()
  attachment.close()
  http.close()
  process.send?.({ to: "drained", answer: { report, received } }, () => process.channel?.unref())
})

await takeOrders(async () => ({
  port: () => new Promise((resolve) => listen(() => resolve((http.address() as { port: number }).port))),
  stats: () => hub.stats(),
  size: () => hub.size,
  slowestPingMs: () => slowestPingMs,
  received: () => received,
  /** Open descriptors of this process; 0 where the system does not say. */
  descriptors: () => (process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0),
  publish({ count, bytes = 0 }: { count: number; bytes?: number }) {
    for (let i = 0; i < count; i += 1)
      hub.broadcast(`${performance.timeOrigin + performance.now()} `.padEnd(bytes, "."))
    mostBuffered = Math.max(mostBuffered, ...[...hub.connections.values()].map((it) => it.bufferedBytes))
    return mostBuffered
  },
  /** Sends to the newest connection until the kernel takes no more for it. */
  async fill() {
    const newest = [...hub.connections.values()].at(-1)
    for (let i = 0; i < FILLING.most; i += 1) {
      if (newest?.send(".".repeat(FILLING.bytes)) !== "sent") return true
      await new Promise((resolve) => setImmediate(resolve))
    }
    throw new Error("the kernel takes everything for a connection that does not read")
  },
  /** So many connections change rooms. */
  move(count: number) {
    let moved = 0
    for (const connection of hub.connections.values()) {
      if (moved === count) break
      for (const old of [...connection.rooms]) void connection.leave(old)
      void connection.join(roomOf(entered + moved))
      moved += 1
    }
    return moved
  },
}))

function listen(done: () => void): void {
  if (http.listening) done()
  else http.listen(port, "127.0.0.1", 4_096, done)
}

function roomOf(serial: number): string {
  return `room-${Math.floor(serial / ROOM)}`
}
