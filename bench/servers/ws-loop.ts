/**
 * Plain `ws`: the loop over all clients that its documentation shows for a broadcast, with the message turned into
 * bytes once.
 */

import { createServer } from "node:http"
import { WebSocket, WebSocketServer } from "ws"
import { listen, serve } from "./serve.js"

await serve(async () => {
  const http = createServer()
  const server = new WebSocketServer({ server: http })
  const broadcast = (bytes: Buffer) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(bytes, { binary: false })
    }
  }
  server.on("connection", (client) => client.on("message", (data) => broadcast(data as Buffer)))
  return { port: await listen(http), publish: (text) => broadcast(Buffer.from(text)) }
})
