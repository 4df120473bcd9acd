/**
 * A hub on an HTTP server that answers each message, as a process of any runtime: it prints its port, and closes when
 * its first client has left. It never calls `exit`.
 */

import { createServer } from "node:http"
import { createHub } from "../../dist/index.js"
import { attach } from "../../dist/server.js"

const tell = (event) => console.log(JSON.stringify(event))
const server = createServer()
const hub = createHub()
const attachment = attach(server, hub, {
  path: "/ws/:room",
  authenticate: async (_request, { params }) => (params.room === "locked" ? { status: 401 } : {}),
})

hub.on("connection", ({ connection }) => void connection.join("all"))
hub.on("message", ({ connection, data }) => {
  connection.send({ answer: data })
  hub.to("all").send({ everybody: data })
})
hub.on("close", async ({ code }) => {
  tell({ event: "left", code })
  attachment.close()
  await hub.close()
  server.close(() => tell({ event: "closed" }))
})
server.listen(0, "127.0.0.1", () => tell({ event: "listening", port: server.address().port }))
