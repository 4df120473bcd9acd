/**
 * A hub on an HTTP server, as a process of any runtime: it does what its clients say, tells each connection that ends, and closes
 * when `/end` is asked for. It never calls `exit`.
 */

import { createServer } from "node:http"
import process from "node:process"
import { createHub } from "../../dist/index.js"
import { attach } from "../../dist/server.js"

const task = JSON.parse(process.argv[2])
const tell = (event) => console.log(JSON.stringify(event))

const hub = createHub({ logger: false, ...task.hub })
const server = createServer((request, response) => {
  response.setHeader("connection", "close")
  response.end(JSON.stringify(hub.stats().connections))
  if (request.url === "/end") void end()
})
const attachment = attach(server, hub, {
  path: "/ws/:room",
  ...task.attach,
  authenticate: async (_request, { params }) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    return params.room === "locked" ? { status: 401, body: "locked" } : { data: { room: params.room } }
  },
})

/** What a client can ask for, by the message's first word. */
const commands = {
  echo: (connection, text) => connection.send({ echo: text }),
  all: (_connection, text) => hub.broadcast({ all: text }),
  others: (connection, text) => hub.to(connection.data.room).except(connection).send({ others: text }),
  leave: (connection) => connection.leave(connection.data.room),
  close: (connection, text) => void connection.close(4001, text),
  flood: (connection, count) => {
    for (let i = 0; i < count; i += 1) connection.send({ flood: "x".repeat(10_000) })
  },
  drain: async () =>
    tell({ event: "drained", ...(await attachment.drain({ windowMs: 100 })), ms: undefined }),
}

hub.on("connection", ({ connection }) => void connection.join(connection.data.room))
hub.on("message", ({ connection, data: [command, argument] }) => commands[command](connection, argument))
hub.on("close", ({ code, cause }) => tell({ event: "left", code, cause }))
hub.on("error", ({ error, stage }) => tell({ event: "error", stage, message: String(error) }))
attachment.on("refused", ({ status, check }) => tell({ event: "refused", status, check }))
attachment.on("error", ({ error, stage }) => tell({ event: "error", stage, message: String(error) }))
server.listen(0, "127.0.0.1", () => tell({ event: "listening", port: server.address().port }))

async function end() {
  attachment.close()
  await hub.close()
  server.close(() => tell({ event: "closed" }))
}
