/**
 * reconnecting-websocket over `ws`, with JSON by hand.
 */

import type { default as Rival } from "reconnecting-websocket"
import * as loaded from "reconnecting-websocket"
import { WebSocket } from "ws"
import { work } from "./work.js"

// the class, wherever the loader puts the export of a CommonJS module
const ReconnectingWebSocket = ((loaded.default as { default?: unknown }).default ??
  loaded.default) as unknown as new (
  url: string,
  protocols: string[],
  options: object,
) => Rival.default

await work(async (url, format, hear) => {
  const socket = new ReconnectingWebSocket(url, [], { WebSocket })
  if (format === "json") socket.addEventListener("message", ({ data }) => hear(JSON.parse(data)))
  else socket.addEventListener("message", ({ data }) => hear(data))
  await new Promise((resolve) => socket.addEventListener("open", resolve))
  return {
    send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    buffered: () => socket.bufferedAmount,
  }
})
