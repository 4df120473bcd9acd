/**
 * `npx tsx examples/metrics/main.ts`: a hub whose figures Prometheus scrapes, with one of the application's own beside them. Four
 * visitors come, talk and leave, over and over, so that there is something to see.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as wait } from "node:timers/promises"
import { createHub, ReconnectingClient } from "holdfast"
import { prometheusMetrics } from "holdfast/metrics/prometheus"
import { attach } from "holdfast/server"
import { Counter, Registry } from "prom-client"

type Line = { type: "line"; text: string }

const hub = createHub<Line, Line>()
hub.on("connection", ({ connection }) => connection.join(connection.params.room ?? "lobby"))
hub.on("message", ({ connection, data }) => {
  for (const room of connection.rooms) hub.to(room).send(data)
})

const registry = new Registry()
prometheusMetrics(hub, registry)
const roomsCreated = new Counter({
  name: "chat_rooms_created_total",
  help: "Rooms that somebody was the first to enter.",
  registers: [registry],
})
hub.on("room-created", () => roomsCreated.inc())

const http = createServer(async (request, response) => {
  if (request.url !== "/metrics") {
    response.writeHead(404).end("try /metrics\n")
    return
  }
  response.setHeader("Content-Type", registry.contentType)
  response.end(await registry.metrics())
})
attach(http, hub, { path: "/ws/:room" })
await new Promise<void>((resolve) => http.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", resolve))
const { port } = http.address() as AddressInfo
console.log(`the figures:  curl http://127.0.0.1:${port}/metrics`)
console.log(
  `a WebSocket:  npx wscat -c ws://127.0.0.1:${port}/ws/lobby  and type {"type":"line","text":"hi"}`,
)
console.log(
  "a scrape:     scrape_configs: [{ job_name: chat, static_configs: [{ targets: ['127.0.0.1:8080'] }] }]",
)

const end = new AbortController()

/** Comes, says three things, and leaves. */
async function visit(room: string): Promise<void> {
  await using visitor = new ReconnectingClient<Line, Line>(`ws://127.0.0.1:${port}/ws/${room}`)
  for (let n = 1; n <= 3; n += 1) visitor.send({ type: "line", text: `${n}` })
  let heard = 0
  for await (const _ of visitor) {
    heard += 1
    if (heard === 3) break
  }
}

const visitors = ["garden", "kitchen", "attic", "cellar"].map(async (room, index) => {
  for (let n = 0; !end.signal.aborted; n += 1) {
    await visit(room)
    if (n === 0 && index === 3) console.log("the first visitors have been there")
    await wait(500, undefined, { signal: end.signal }).catch(() => {})
  }
})

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    end.abort()
    await Promise.all(visitors)
    await hub.close()
    http.close()
    http.closeIdleConnections()
  })
}
