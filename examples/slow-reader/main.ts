/**
 * `npx tsx examples/slow-reader/main.ts`: a broadcast to two readers, of whom one stops reading. The hub keeps the newest
 * 64 kB for it, drops the oldest, and tells it in the stream how many it has lost. The other one notices nothing.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub } from "holdfast"
import { attach } from "holdfast/server"
import WebSocket from "ws"

type FromServer = { type: "tick"; n: number; filling: string } | { type: "lagged"; count: number }

/** Large enough to fill what the kernel holds for a reader, which may be several megabytes. */
const TICKS = 2_000
const FILLING = "x".repeat(8_192)

const hub = createHub<never, FromServer>({
  maxBufferedBytes: 65_536,
  overflow: "drop-oldest",
  writeTimeoutMs: 60_000, // how long a reader may stand still before it is cut
  onLag: ({ count }) => ({ type: "lagged", count }),
})
let lost = 0
hub.on("lagged", ({ count }) => {
  lost += count
})

const http = createServer()
attach(http, hub)
await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
console.log(`the hub listens:   npx wscat -c ${url}  while this runs, and hold it with Ctrl-S`)

/** What one reader has got. */
class Reader {
  readonly socket = new WebSocket(url)
  readonly opened = new Promise<void>((resolve) => this.socket.once("open", resolve))
  ticks = 0
  lost = 0
  last = 0
  #wakeUp = () => {}

  constructor() {
    this.socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as FromServer
      if (message.type === "lagged") this.#skip(message.count)
      else this.#take(message.n)
      this.#wakeUp()
    })
  }

  /** Resolves when this reader has got, or was told that it has lost, so many. */
  async knows(count: number): Promise<void> {
    while (this.ticks + this.lost < count) {
      await new Promise<void>((resolve) => {
        this.#wakeUp = resolve
      })
    }
  }

  #skip(count: number): void {
    console.log(`the slow reader:   has read up to ${this.last}, and is told that it lost ${count}`)
    this.lost += count
    this.last += count
  }

  #take(n: number): void {
    if (n !== this.last + 1) throw new Error(`after ${this.last} came ${n}, and nothing was said of a loss`)
    this.ticks += 1
    this.last = n
  }
}

const [quick, slow] = [new Reader(), new Reader()]
await Promise.all([quick.opened, slow.opened])
slow.socket.pause()

for (let n = 1; n <= TICKS; n += 1) {
  hub.broadcast({ type: "tick", n, filling: FILLING })
  if (n % 5 === 0) await quick.knows(n)
}
console.log(`the quick reader:  has got ${quick.ticks} of ${TICKS}, and lost ${quick.lost}`)
console.log(
  `the hub:           holds ${hub.bufferedBytes <= 65_536 ? "no more than" : "over"} 65,536 bytes for the slow one`,
)

slow.socket.resume()
await slow.knows(TICKS)
console.log(
  `the slow reader:   has got ${slow.ticks} and lost ${slow.lost}, which makes ${slow.ticks + slow.lost}`,
)
console.log(`the hub:           counted ${lost === slow.lost ? "the same loss" : `a loss of ${lost}`}`)

await hub.close()
http.close()
