/**
 * A primary and its two workers, of either kind, that do nothing about the primary's end. Run by the tests.
 */

import { fork } from "node:child_process"
import cluster from "node:cluster"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { createHub, text } from "holdfast"
import { createExchange, worker } from "holdfast/adapters/cluster"
import { attach } from "holdfast/server"

/** How long a worker stays without its primary, in milliseconds. */
const ALONE_MS = 20_000

const [kind = "cluster"] = process.argv.slice(2)

if (kind === "fork") {
  const exchange = createExchange()
  for (let i = 0; i < 2; i += 1) {
    exchange.add(fork(fileURLToPath(import.meta.url), ["forked"], { serialization: "advanced" }))
  }
} else if (kind === "cluster" && cluster.isPrimary) {
  cluster.setupPrimary({ serialization: "advanced" })
  createExchange(cluster)
  for (let i = 0; i < 2; i += 1) cluster.fork()
} else await serve()

async function serve(): Promise<void> {
  const http = createServer()
  const hub = createHub<string, string>({ codec: text(), adapter: worker(), logger: false })
  attach(http, hub)
  hub.on("adapter", ({ state }) => console.log(`${process.pid} is ${state}`))
  hub.on("connection", async ({ connection }) => {
    connection.on("message", ({ data }) => void hub.to("room").send(data))
    await connection.join("room")
    connection.send(`joined at ${process.pid}`)
  })
  // a worker that outlives its primary ends with its last client, or soon
  hub.on("close", () => setImmediate(() => process.connected || hub.size > 0 || process.exit()))
  process.once("disconnect", () => setTimeout(() => process.exit(), ALONE_MS))
  await hub.ready
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  console.log(`listening on ${(http.address() as AddressInfo).port}`)
}
