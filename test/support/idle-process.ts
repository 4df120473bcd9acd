/**
 * A server as a process of its own that does nothing with its connections: plain `ws`, or a hub with a heartbeat that puts
 * each into one room. It tells how much memory it has when it is asked, after a collection of garbage.
 */

import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as wait } from "node:timers/promises"
import { createHub } from "holdfast"
import { attach } from "holdfast/server"
import { WebSocketServer } from "ws"

/** What the process has, in bytes. */
export interface Memory {
  readonly rss: number
  readonly heap: number
}

const server = createServer()
if (process.argv[2] === "hub") serveHub(server)
else serveSockets(server)

function serveHub(server: Server): void {
  const hub = createHub()
  attach(server, hub)
  hub.on("message", () => {})
  hub.on("connection", ({ connection }) => void connection.join("everyone"))
}

function serveSockets(server: Server): void {
  const wss = new WebSocketServer({ server })
  wss.on("connection", (socket) => {
    socket.on("message", () => {})
    socket.on("close", () => {})
    socket.on("error", () => {})
  })
}

async function measure(): Promise<Memory> {
  for (let i = 0; i < 4; i += 1) {
    globalThis.gc?.()
    await wait(50)
  }
  const { rss, heapUsed } = process.memoryUsage()
  return { rss, heap: heapUsed }
}

process.on("message", async () => process.send?.(await measure()))
process.on("disconnect", () => process.exit())
server.listen(0, "127.0.0.1", 4_096, () => process.send?.((server.address() as AddressInfo).port))
