/**
 * socket.io with its adapter for Redis, as its documentation sets it up.
 */

import { createServer } from "node:http"
import { createAdapter } from "@socket.io/redis-adapter"
import { Redis } from "ioredis"
import { Server } from "socket.io"
import { takeOrders } from "../orders.js"
import { messageOf, type RemoteSettings, ROOM } from "./settings.js"

const { brokerPort } = JSON.parse(process.argv[2] ?? "{}") as RemoteSettings

await takeOrders(async () => {
  const publisher = new Redis(brokerPort, "127.0.0.1")
  const subscriber = publisher.duplicate()
  await Promise.all([publisher, subscriber].map((it) => it.ping()))
  const http = createServer()
  const io = new Server(http, { transports: ["websocket"], serveClient: false })
  io.adapter(createAdapter(publisher, subscriber))
  io.on("connection", async (socket) => {
    await socket.join(ROOM)
    socket.emit("m", "joined")
  })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  return {
    port: () => (http.address() as { port: number }).port,
    publish({ from, count }: { from: number; count: number }) {
      for (let i = from; i < from + count; i += 1) io.to(ROOM).emit("m", messageOf(i))
    },
  }
})
