/**
 * A server as a process of its own, whose memory is nobody else's. It has a hub for each overflow policy, floods the
 * connection of one when it is told to, and reports what that did to it.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { setImmediate as turn } from "node:timers/promises"
import { createHub, type OverflowPolicy, text } from "holdfast"
import { attach } from "holdfast/server"

/** What a flood did. */
export interface Flood {
  /** How many more bytes than before were kept at most, in the heap and outside it, whenever garbage had been collected. */
  readonly kept: number
  /** The most memory that the process had in such a moment, in bytes: the collector's reserves are in it. */
  readonly peakRss: number
  /** Bytes of messages that had been sent when there was no room for one more; all of them if there always was. */
  readonly bytesTaken: number
  readonly cause: string | undefined
  readonly lost: number
}

const LIMIT_BYTES = 1_048_576
const MESSAGE_BYTES = 4_096
const FRAME_BYTES = MESSAGE_BYTES + 4
const MESSAGES_PER_TURN = 16
const MESSAGES_PER_LOOK = 2_048

const server = createServer()
const hubs = new Map(
  (["close", "drop-newest", "drop-oldest", "latest"] as const).map((overflow: OverflowPolicy) => {
    const hub = createHub<string, string>({
      codec: text(),
      overflow,
      maxBufferedBytes: LIMIT_BYTES,
      closeTimeoutMs: 100,
      heartbeat: false,
      logger: false,
    })
    attach(server, hub, { path: `/${overflow}` })
    return [overflow as string, hub]
  }),
)

/** What a flood is: with `isPolite`, it waits for whoever reads. */
export interface FloodTask {
  readonly policy: string
  readonly bytes: number
  readonly isPolite: boolean
}

async function flood({ policy, bytes, isPolite }: FloodTask): Promise<Flood> {
  const [connection] = hubs.get(policy)?.connections.values() ?? []
  if (!connection) throw new Error(`nobody is connected to ${policy}`)
  const keptBefore = keptBytes()
  let [lost, bytesTaken, kept, peakRss, isTaken] = [0, 0, 0, 0, true]
  let cause: string | undefined
  connection.on("lagged", ({ count }) => {
    lost += count
  })
  connection.on("close", (info) => {
    cause = info.cause
  })
  for (let n = 0; n * MESSAGE_BYTES < bytes; n += 1) {
    isTaken &&= connection.state === "open" && connection.bufferedBytes + FRAME_BYTES <= LIMIT_BYTES
    if (isTaken) bytesTaken += MESSAGE_BYTES
    connection.send(`${n} `.padEnd(MESSAGE_BYTES, "."))
    if (n % MESSAGES_PER_TURN > 0) continue
    await turn()
    if (isPolite) await connection.drained()
    if (n % MESSAGES_PER_LOOK > 0) continue
    kept = Math.max(kept, keptBytes() - keptBefore)
    peakRss = Math.max(peakRss, process.memoryUsage.rss())
  }
  // one that reads has read everything, and one that does not never will
  if (connection.state === "open") connection.terminate()
  await connection.closed
  return { kept, peakRss, bytesTaken, cause, lost }
}

/** How late garbage is collected is the collector's own business. Buffers found dead by one collection go in the next. */
function keptBytes(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

process.on("message", async (task: FloodTask) => process.send?.(await flood(task)))
process.on("disconnect", () => process.exit())
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port))
