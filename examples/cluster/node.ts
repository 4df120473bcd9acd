/**
 * One node of a cluster: start it twice with the same `REDIS_URL`, connect a client to each, and what one says the other
 * hears. Needs no sticky sessions; any load balancer in front will do.
 *
 *     REDIS_URL=redis://127.0.0.1:6379 PORT=8081 node --import tsx examples/cluster/node.ts
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createClient } from "@redis/client"
import { createHub } from "holdfast"
import { redis } from "holdfast/adapters/redis"
import { attach } from "holdfast/server"

/** What a client says, and what it hears. */
type Line = { readonly type: "line"; readonly text: string }

const { PORT = "8080", REDIS_URL = "redis://127.0.0.1:6379" } = process.env

// the adapter opens connections of its own, made like this one
const hub = createHub<Line, Line>({ adapter: redis(createClient({ url: REDIS_URL })) })

hub.on("connection", async ({ connection }) => {
  connection.on("message", ({ data }) => hub.to("lobby").except(connection).send(data))
  // from here on it also hears what is said on other nodes
  await connection.join("lobby")
  connection.send({ type: "line", text: "you are in the lobby" })
})

hub.on("node", ({ nodeId, state }) => console.log(`node ${nodeId} is ${state}`))
hub.on("adapter", ({ state }) => console.log(`redis is ${state}`))
// what was missed cannot be had again: have your clients load what they show
hub.on("gap", ({ channels, count }) => console.log(`missed ${count ?? "some"} in ${channels}`))
hub.on("error", ({ error, stage }) => console.log(`${stage}: ${error}`))

const http = createServer((_request, response) => {
  response.end(JSON.stringify({ connections: hub.size, nodes: hub.nodes.length + 1 }))
})
const server = attach(http, hub)

http.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`listening on ${(http.address() as AddressInfo).port}`)
})

process.once("SIGTERM", async () => {
  await server.close()
  await hub.close()
  http.close()
})
