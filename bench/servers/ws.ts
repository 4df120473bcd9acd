/**
 * Plain `ws`: rooms are sets, and a message goes to a room by the loop that its documentation shows for a broadcast, with
 * the message turned into bytes once.
 */

import { createServer } from "node:http"
import { WebSocket, WebSocketServer } from "ws"
import { RoomSets } from "./room-sets.js"
import { ALL, listen, roomsFor, serve, whoIs } from "./serve.js"

await serve(async ({ isCompressed }) => {
  const http = createServer()
  const server = new WebSocketServer({ server: http, perMessageDeflate: isCompressed })
  const rooms = new RoomSets<WebSocket>()

  const publish = (room: string, bytes: Buffer) => {
    for (const client of rooms.of(room)) {
      if (client.readyState === WebSocket.OPEN) client.send(bytes, { binary: false })
    }
  }

  server.on("connection", (client, request) => {
    const who = whoIs(request.url ?? "")
    const own = roomsFor(who)
    rooms.join(client, own)
    client.on("close", () => rooms.leave(client, own))
    if (who.role === "all") client.on("message", (data) => publish(ALL, data as Buffer))
    if (who.role === "echo") client.on("message", (data) => client.send((data as Buffer).toString()))
    if (who.role === "echo-json") {
      client.on("message", (data) => client.send(JSON.stringify(JSON.parse((data as Buffer).toString()))))
    }
  })

  return {
    port: await listen(http),
    publish: (room, text) => publish(room, Buffer.from(text)),
    connections: () => server.clients.size,
  }
})
