/**
 * Reconnecting clients that go to any node, and to any other when it is gone. Each session has a ledger of its own: what
 * a client misses while it is away is nobody's promise.
 */

import { ReconnectingClient, text } from "holdfast"
import { takeOrders } from "../orders.js"
import { Ledger } from "./ledger.js"
import type { CrowdReport, CrowdSettings } from "./settings.js"

const { ports, clients: count, rooms } = JSON.parse(process.argv[2] ?? "{}") as CrowdSettings
const ledgers: Ledger[] = []
const clients = Array.from({ length: count }, (_, i) => start(i))

await takeOrders(async () => {
  await Promise.all(clients.map((it) => it.opened))
  return {
    report(): CrowdReport {
      const sum = (of: (ledger: Ledger) => number) => ledgers.reduce((total, it) => total + of(it), 0)
      return {
        open: clients.filter((it) => it.state === "open").length,
        sessions: ledgers.length,
        received: sum((it) => it.received),
        misordered: sum((it) => it.misordered),
        doubled: sum((it) => it.doubled),
        told: sum((it) => it.toldInAll),
        untold: sum((it) => it.untold),
      }
    },
  }
})

function start(number: number): ReconnectingClient<string, string> {
  const own = [number % rooms, (7 * number + 1) % rooms].map((it) => `room-${it}`)
  const url = () => `ws://127.0.0.1:${ports[Math.floor(Math.random() * ports.length)]}/?rooms=${own}`
  const options = { codec: text(), logger: false, backoff: { initialMs: 100, maxMs: 1_000 } } as const
  const client = new ReconnectingClient<string, string>(url, options)
  let ledger = new Ledger()
  client.on("state", ({ to }) => {
    if (to !== "open") return
    ledger = new Ledger()
    ledgers.push(ledger)
  })
  client.on("message", ({ data }) => ledger.take(data))
  return client
}
