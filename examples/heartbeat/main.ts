/**
 * `npx tsx examples/heartbeat/main.ts`: two hubs, of which one asks its peers for a sign of life after 15 s of silence and waits
 * 45 s for it, and the other after 5 s and for 10 s. One peer of each has died without a word. `--speed 10` makes it ten times
 * as fast; `--interval 2 --timeout 4` takes a pair of yours.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { parseArgs } from "node:util"
import { createHub } from "holdfast"
import { attach } from "holdfast/server"
import WebSocket from "ws"

const { values } = parseArgs({
  options: {
    interval: { type: "string" },
    timeout: { type: "string" },
    speed: { type: "string", default: "1" },
  },
})
const speed = Number(values.speed)
const { interval, timeout } = values
const pairs =
  interval && timeout
    ? [[Number(interval), Number(timeout)]]
    : [
        [5, 10],
        [15, 45],
      ]

/** Shows one pair: resolves once the peer that has died is gone, and the other one is not. */
async function show(intervalS: number, timeoutS: number): Promise<void> {
  const name = `${intervalS} s / ${timeoutS} s:`
  const hub = createHub({
    heartbeat: { intervalMs: (intervalS * 1_000) / speed, timeoutMs: (timeoutS * 1_000) / speed },
  })
  const http = createServer()
  attach(http, hub)
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
  console.log(`${name} npx wscat -c ${url}  stays for as long as it answers`)

  const living = new WebSocket(url) // answers pings by itself, as every WebSocket does
  const dead = new WebSocket(url, { autoPong: false })
  const start = performance.now()
  const seconds = () => `${Math.floor(((performance.now() - start) * speed) / 1_000)} s`
  dead.once("ping", () => console.log(`${name} the dead one is asked, after ${seconds()}`))
  await new Promise<void>((resolve) => {
    hub.on("close", ({ code, cause }) => {
      if (cause !== "heartbeat") return
      console.log(`${name} it is cut after ${seconds()}: ${code}, by ${cause}`)
      resolve()
    })
  })
  const [rest] = hub.connections.values()
  console.log(`${name} ${hub.size} is left, whose last answer took ${rest?.rttMs?.toFixed(1)} ms`)
  living.close()
  await hub.close()
  http.close()
}

await Promise.all(pairs.map(([intervalS = 0, timeoutS = 0]) => show(intervalS, timeoutS)))
