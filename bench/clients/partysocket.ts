/**
 * partysocket over `ws`, with JSON by hand.
 */

import { once } from "node:events"
import PartySocket from "partysocket/ws"
import { WebSocket } from "ws"
import { work } from "./work.js"

await work(async (url, format, hear) => {
  const socket = new PartySocket(url, [], { WebSocket })
  if (format === "json") socket.addEventListener("message", ({ data }) => hear(JSON.parse(data)))
  else socket.addEventListener("message", ({ data }) => hear(data))
  await once(socket, "open")
  return {
    send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    buffered: () => socket.bufferedAmount,
  }
})
