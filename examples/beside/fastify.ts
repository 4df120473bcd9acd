/**
 * `npm run demo:fastify`: a hub beside Fastify 5, on one port. Fastify makes the server, and closes it; the hub is told
 * before that, in Fastify's own hook, so that `app.close()` ends both.
 */

import Fastify from "fastify"
import { createHub } from "holdfast"
import { attach } from "holdfast/server"

const hub = createHub<{ text: string }, { from: string; text: string }>()
hub.on("message", ({ connection, data }) => hub.broadcast({ from: connection.id, text: data.text }))

const app = Fastify()
app.get("/", async () => `Fastify, with ${hub.size} WebSockets beside it\n`)
app.post<{ Params: { text: string } }>("/say/:text", async (request, reply) => {
  hub.broadcast({ from: "Fastify", text: request.params.text })
  return reply.code(204).send()
})

const attachment = attach(app.server, hub, { path: "/ws" })
app.addHook("preClose", async () => {
  await attachment.drain({ windowMs: 1_000 })
  await hub.close()
})

const url = await app.listen({ port: Number(process.env.PORT ?? 8080), host: "127.0.0.1" })
console.log(`Fastify answers:  curl ${url}/`)
console.log(`the hub listens:  npx wscat -c ${url.replace("http", "ws")}/ws  and type {"text":"hi"}`)
console.log(`both together:    curl -X POST ${url}/say/hello`)

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => app.close())
