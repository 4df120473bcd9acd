/**
 * Measures a shop twenty times a second and tells every dashboard. Nobody needs an old value, so for a reader who falls
 * behind the newest takes the place of what waits.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, type Hub } from "holdfast"
import { attach } from "holdfast/server"
import { servePage } from "../pages/serve-page.js"
import type { FromServer, Sample } from "./protocol.js"

/** Twenty a second. */
const EVERY_MS = 50
/** A minute of them, for who has just come. */
const KEPT = 1_200

/** A running dashboard. */
export interface Dashboard extends AsyncDisposable {
  readonly url: string
  readonly hub: Hub<never, FromServer>
}

/** Starts on a port of this machine. */
export async function startDashboard(port = 0): Promise<Dashboard> {
  const hub = createHub<never, FromServer>({
    overflow: "latest",
    maxBufferedBytes: 262_144, // the history is 100 kB
  })
  const history = pastOf(KEPT)
  hub.on("connection", ({ connection }) => connection.send({ type: "history", samples: history }))
  const timer = setInterval(() => {
    const sample = measure((history.at(-1)?.n ?? 0) + 1, Date.now())
    history.push(sample)
    if (history.length > KEPT) history.shift()
    // one key for all: of what waits for a slow reader, only the newest sample is left
    hub.broadcast({ type: "sample", sample }, { key: "sample" })
  }, EVERY_MS)

  const http = createServer(await servePage(new URL("page/", import.meta.url)))
  attach(http, hub, { path: "/ws" })
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    hub,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await hub.close()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

/** What would have been measured before the start. */
function pastOf(count: number): Sample[] {
  const now = Date.now()
  return Array.from({ length: count }, (_, index) => measure(index + 1, now - (count - index) * EVERY_MS))
}

/** A shop with waves of visitors, which gets slower when it is full. */
function measure(n: number, at: number): Sample {
  const seconds = at / 1_000
  const crowd = 60 + 25 * Math.sin(seconds / 5) + 10 * Math.sin(seconds / 1.7) + 6 * Math.random()
  const latency = 18 + (crowd / 40) ** 3 + 4 * Math.random()
  return { n, at, orders: Math.round(crowd), latency: Math.round(latency * 10) / 10 }
}
