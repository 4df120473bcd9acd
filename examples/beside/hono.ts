/**
 * `npm run demo:hono`: a hub beside Hono 4, on one port. `serve` of @hono/node-server returns Node's own server, which is
 * all that a hub needs; Hono's own WebSocket helper is not involved.
 */

import type { Server } from "node:http"
import { serve } from "@hono/node-server"
import { createHub } from "holdfast"
import { attach } from "holdfast/server"
import { Hono } from "hono"
import { stopOnSignals } from "./stop-on-signals.js"

const hub = createHub<{ text: string }, { from: string; text: string }>()
hub.on("message", ({ connection, data }) => hub.broadcast({ from: connection.id, text: data.text }))

const app = new Hono()
app.get("/", (context) => context.text(`Hono, with ${hub.size} WebSockets beside it\n`))
app.post("/say/:text", (context) => {
  hub.broadcast({ from: "Hono", text: context.req.param("text") })
  return context.body(null, 204)
})

const options = { fetch: app.fetch, port: Number(process.env.PORT ?? 8080), hostname: "127.0.0.1" }
// without `createServer` among the options it is a server of node:http
const http = serve(options, ({ port }) => {
  console.log(`Hono answers:     curl http://127.0.0.1:${port}/`)
  console.log(`the hub listens:  npx wscat -c ws://127.0.0.1:${port}/ws  and type {"text":"hi"}`)
  console.log(`both together:    curl -X POST http://127.0.0.1:${port}/say/hello`)
}) as Server
const attachment = attach(http, hub, { path: "/ws" })

stopOnSignals(attachment, hub, http)
