/**
 * A client of no library of ours, as a process of any runtime: it sends back every message it gets, and ends with the
 * connection. It runs on the runtime's own WebSocket where there is one, and otherwise on `ws`.
 */

import process from "node:process"

const { url } = JSON.parse(process.argv[2])
const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket
const socket = new WebSocket(url)
socket.binaryType = "arraybuffer"
socket.onmessage = ({ data }) => socket.send(data)
socket.onclose = ({ code }) =>
  console.log(JSON.stringify({ event: "closed", code, extensions: socket.extensions }))
