/**
 * A hub with one room on an HTTP server, as a program would set it up: heartbeat, limits and counters are on.
 */

import { createServer } from "node:http"
import { createHub, text } from "holdfast"
import { attach } from "holdfast/server"
import { listen, serve } from "./serve.js"

const ROOM = "bench"

await serve(async () => {
  const http = createServer()
  const hub = createHub<string, string>({ codec: text() })
  attach(http, hub)
  const publish = (message: string) => void hub.to(ROOM).send(message)
  hub.on("connection", ({ connection }) => void connection.join(ROOM))
  hub.on("message", ({ data }) => publish(data))
  return { port: await listen(http), publish }
})
