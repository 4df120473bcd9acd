/**
 * socket.io with its own rooms, over WebSocket alone.
 */

import { createServer } from "node:http"
import { Server } from "socket.io"
import type { Role } from "../load/dialect.js"
import { ALL, listen, roomsFor, serve } from "./serve.js"

const EVENT = "m"

await serve(async () => {
  const http = createServer()
  const io = new Server(http, { transports: ["websocket"], serveClient: false })
  const publish = (room: string, message: string) => void io.to(room).emit(EVENT, message)

  io.on("connection", (socket) => {
    const { role, client, of } = socket.handshake.query
    void socket.join([...roomsFor({ role: role as Role, client: Number(client), of: Number(of) })])
    if (role === "all") socket.on(EVENT, (message: string) => publish(ALL, message))
    // it parses and writes JSON by itself
    if (role === "echo" || role === "echo-json") {
      socket.on(EVENT, (message: unknown) => void socket.emit(EVENT, message))
    }
  })

  return { port: await listen(http), publish, connections: () => io.engine.clientsCount }
})
