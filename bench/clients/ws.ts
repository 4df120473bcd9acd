/**
 * The bare `ws` socket, with JSON by hand.
 */

import { once } from "node:events"
import { WebSocket } from "ws"
import { work } from "./work.js"

await work(async (url, format, hear) => {
  const socket = new WebSocket(url)
  const isJson = format === "json"
  if (isJson) socket.on("message", (data) => hear(JSON.parse((data as Buffer).toString())))
  else socket.on("message", (data) => hear((data as Buffer).toString()))
  await once(socket, "open")
  return {
    send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    buffered: () => socket.bufferedAmount,
  }
})
