/**
 * A node: a hub over an engine that publishes to rooms in turn, passes on what its adapter says is missing, and writes down
 * what it hears of others.
 */

import { openSync, writeSync } from "node:fs"
import { createServer } from "node:http"
import { connect } from "@nats-io/transport-node"
import { createClient } from "@redis/client"
import { type Adapter, type AdapterContext, createHub, ReconnectingClient, text } from "holdfast"
import { worker } from "holdfast/adapters/cluster"
import { nats } from "holdfast/adapters/nats"
import { redis } from "holdfast/adapters/redis"
import { attach } from "holdfast/server"
import { takeOrders } from "../orders.js"
import { encodeEntry, encodeLoss, Ledger } from "./ledger.js"
import type { NodeReport, NodeSettings } from "./settings.js"

const settings = JSON.parse(process.argv[2] ?? "{}") as NodeSettings
const roomNames = Array.from({ length: settings.rooms }, (_, i) => `room-${i}`)
const ledger = new Ledger()
const published: Record<string, number> = {}
const diary = openSync(settings.diary, "w")
const errors: Record<string, number> = {}
let unhandled = 0
let publishing: NodeJS.Timeout | undefined

process.on("unhandledRejection", () => {
  unhandled += 1
})

const http = createServer()
const hub = createHub<string, string, readonly string[]>({
  codec: text(),
  logger: false,
  adapter: overheard(makeAdapter()),
})
const authenticate = ({ url = "/" }: { url?: string | undefined }) => ({
  data: new URL(url, "ws://node").searchParams.get("rooms")?.split(",") ?? [],
})
attach(http, hub, { authenticate })

hub.on("connection", ({ connection }) => {
  for (const room of connection.data) void connection.join(room).catch(() => {})
})
hub.on("gap", ({ channels, count }) => {
  if (channels === "all" || count === undefined) return
  for (const room of channels.map(roomOf)) hub.to(room).local.send(encodeLoss(room, count))
})
hub.on("error", ({ error }) => {
  const { code = "none" } = error as { code?: string }
  errors[code] = (errors[code] ?? 0) + 1
})

await takeOrders(async () => {
  await new Promise<void>((resolve) => http.listen(settings.port, "127.0.0.1", resolve))
  const { port } = http.address() as { port: number }
  await hub.ready
  await stay(port)
  let turn = 0
  publishing = setInterval(() => publish(roomNames[turn++ % roomNames.length] as string), settings.everyMs)
  return {
    port: () => port,
    quiet() {
      clearInterval(publishing)
      return true
    },
    report: (): NodeReport => ({
      heard: ledger.heard,
      told: Object.fromEntries(roomNames.map((room) => [room, ledger.told(room)])),
      ...{ misordered: ledger.misordered, doubled: ledger.doubled, received: ledger.received },
      ...{ connections: hub.size, errors, unhandled },
    }),
  }
})

function makeAdapter(): Adapter {
  const { carrier, brokerPort, markMs } = settings
  if (carrier === "cluster") return worker({ markMs })
  if (carrier === "redis") return redis(createClient({ url: `redis://127.0.0.1:${brokerPort}` }), { markMs })
  return nats((options) => connect({ servers: `nats://127.0.0.1:${brokerPort}`, ...options }), { markMs })
}

/** A member of every room that never leaves, so that this node wants all of them all the time. */
async function stay(port: number): Promise<void> {
  const resident = new ReconnectingClient<string, string>(`ws://127.0.0.1:${port}/`, { codec: text() })
  await resident.opened
  const [connection] = hub.connections.values()
  await Promise.all(roomNames.map((room) => connection?.join(room)))
}

function publish(room: string): void {
  const serial = (published[room] ?? 0) + 1
  published[room] = serial
  // it only grows, so it covers what was there; and it is there even if this process is killed next
  writeSync(diary, JSON.stringify(published), 0)
  hub.to(room).send(encodeEntry({ room, publisher: settings.name, serial }))
}

/** The same adapter, and all it tells is written down. */
function overheard(adapter: Adapter): Adapter {
  const listening = (context: AdapterContext): AdapterContext => ({
    ...context,
    onMessage(message) {
      ledger.take(String(message.payload))
      context.onMessage(message)
    },
    onGap(gap) {
      if (gap.channels !== "all") for (const it of gap.channels) ledger.tell(roomOf(it), gap.count ?? 0)
      context.onGap(gap)
    },
  })
  return {
    capabilities: adapter.capabilities,
    connect: (context) => adapter.connect(listening(context)),
    subscribe: (channels) => adapter.subscribe(channels),
    unsubscribe: (channels) => adapter.unsubscribe(channels),
    publish: (...args) => adapter.publish(...args),
    send: (...args) => adapter.send(...args),
    health: () => adapter.health(),
    close: (options) => adapter.close(options),
  }
}

function roomOf(channel: string): string {
  return channel.slice(channel.indexOf(":") + 1)
}
