/**
 * A hub over any of the adapters, as a program would set it up.
 */

import { createServer } from "node:http"
import { connect as connectSocket } from "node:net"
import { connect } from "@nats-io/transport-node"
import { createClient } from "@redis/client"
import { type Adapter, createHub, text } from "holdfast"
import { worker } from "holdfast/adapters/cluster"
import { kafka } from "holdfast/adapters/kafka"
import { nats } from "holdfast/adapters/nats"
import { redis } from "holdfast/adapters/redis"
import { attach } from "holdfast/server"
import { Redis } from "ioredis"
import { Kafka, logLevel } from "kafkajs"
import { takeOrders } from "../orders.js"
import { messageOf, type RemoteSettings, ROOM } from "./settings.js"

const { carrier, brokerPort } = JSON.parse(process.argv[2] ?? "{}") as RemoteSettings

/** A mocked broker answers only when its time is over. */
const MAX_WAIT_MS = 5

await takeOrders(async () => {
  const http = createServer()
  const hub = createHub<string, string>({ codec: text(), adapter: makeAdapter() })
  attach(http, hub)
  hub.on("connection", async ({ connection }) => {
    await connection.join(ROOM)
    connection.send("joined")
  })
  await hub.ready
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  return {
    port: () => (http.address() as { port: number }).port,
    publish({ from, count }: { from: number; count: number }) {
      for (let i = from; i < from + count; i += 1) hub.to(ROOM).send(messageOf(i))
    },
  }
})

function makeAdapter(): Adapter {
  if (carrier === "redis") return redis(createClient({ url: `redis://127.0.0.1:${brokerPort}` }))
  if (carrier === "ioredis") return redis(new Redis(brokerPort, "127.0.0.1", { lazyConnect: true }))
  if (carrier === "nats") {
    return nats((options) => connect({ servers: `nats://127.0.0.1:${brokerPort}`, ...options }))
  }
  if (carrier === "cluster") return worker()
  const client = new Kafka({
    brokers: [`127.0.0.1:${brokerPort}`],
    logLevel: logLevel.NOTHING,
    // there is one broker, whatever port it says it has
    socketFactory: ({ onConnect }) => connectSocket(brokerPort, "127.0.0.1", onConnect).setNoDelay(),
  })
  return kafka(client, { maxWaitMs: MAX_WAIT_MS })
}
