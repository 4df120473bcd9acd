/**
 * The least that a Node server can do for a fan-out without joining messages: one frame, made by hand, and one write to
 * the socket of each receiver. No limits, no heartbeat, no close: a lower bound, and no server.
 */

import { createServer } from "node:http"
import type { Socket } from "node:net"
import { WebSocketServer } from "ws"
import { RoomSets } from "./room-sets.js"
import { ALL, listen, roomsFor, serve, whoIs } from "./serve.js"

const TEXT = 0x81

await serve(async () => {
  const http = createServer()
  const server = new WebSocketServer({ server: http })
  const rooms = new RoomSets<Socket>()

  const publish = (room: string, bytes: Buffer) => {
    const frame = Buffer.concat([Buffer.from([TEXT, bytes.length]), bytes])
    for (const socket of rooms.of(room)) socket.write(frame)
  }

  server.on("connection", (client, { url = "", socket }) => {
    const own = roomsFor(whoIs(url))
    rooms.join(socket, own)
    client.on("close", () => rooms.leave(socket, own))
    client.on("message", (data) => publish(ALL, data as Buffer))
  })

  return {
    port: await listen(http),
    publish: (room, text) => publish(room, Buffer.from(text)),
    connections: () => server.clients.size,
  }
})
