/**
 * `npm run demo:express`: a hub beside Express 5, on one port. They share the server object and nothing else; a route of
 * Express may of course speak through the hub.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import express from "express"
import { createHub } from "holdfast"
import { attach } from "holdfast/server"
import { stopOnSignals } from "./stop-on-signals.js"

const hub = createHub<{ text: string }, { from: string; text: string }>()
hub.on("message", ({ connection, data }) => hub.broadcast({ from: connection.id, text: data.text }))

const app = express()
app.get("/", (_request, response) => void response.send(`Express, with ${hub.size} WebSockets beside it\n`))
app.post("/say/:text", (request, response) => {
  hub.broadcast({ from: "Express", text: request.params.text })
  response.sendStatus(204)
})

const http = createServer(app)
const attachment = attach(http, hub, { path: "/ws" })

http.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  const { port } = http.address() as AddressInfo
  console.log(`Express answers:  curl http://127.0.0.1:${port}/`)
  console.log(`the hub listens:  npx wscat -c ws://127.0.0.1:${port}/ws  and type {"text":"hi"}`)
  console.log(`both together:    curl -X POST http://127.0.0.1:${port}/say/hello`)
})

stopOnSignals(attachment, hub, http)
