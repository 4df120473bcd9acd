/**
 * A hub whose messages go in batches: those of one turn of the event loop share a frame, a hundred at most.
 */

import { createServer } from "node:http"
import { batch, createHub, text } from "holdfast"
import { attach } from "holdfast/server"
import type { Who } from "../load/dialect.js"
import { ALL, listen, roomsFor, serve, whoIs } from "./serve.js"

const codec = batch(text(), { maxMessages: 100, maxDelayMs: 1 })

await serve(async () => {
  const http = createServer()
  const hub = createHub<string, Parameters<typeof codec.encode>[0], Who>({ codec })
  attach(http, hub, {
    path: "/all",
    authenticate: ({ url = "" }) => ({ data: whoIs(url) }),
    limits: { connections: 20_000, perAddress: 20_000, upgradesPerSecond: 100_000 },
  })
  hub.on("connection", ({ connection }) => {
    for (const room of roomsFor(connection.data)) void connection.join(room)
  })
  const sender = codec.sender(hub.to(ALL))
  return {
    port: await listen(http),
    publish: (_room, message) => void sender.send(message),
    connections: () => hub.size,
  }
})
