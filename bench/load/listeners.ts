/**
 * A crowd in a process of its own: where another one measures how long things take, reading what goes to everybody must
 * not make it late.
 */

import { takeOrders } from "../orders.js"
import { p99 } from "../statistics.js"
import { Crowd, type CrowdOptions } from "./crowd.js"

/** How long deliveries took. */
export interface Latency {
  /** How many there were. */
  readonly count: number
  /** All but 1 in 100 took at most so long, in milliseconds. */
  readonly p99Ms: number
}

await takeOrders(async () => {
  let crowd: Crowd
  let sentAt = 0
  let latencies: number[] = []
  return {
    async connect(options: CrowdOptions) {
      crowd = await Crowd.open({ ...options, heard: () => latencies.push(performance.now() - sentAt) })
      return true
    },
    async receive(count: number) {
      await crowd.receive(count)
      return true
    },
    /** The first connection sends to all, the next message when everybody has the last one. */
    async publish(ms: number): Promise<Latency> {
      latencies = []
      for (const end = performance.now() + ms; performance.now() < end; ) {
        const received = crowd.receive(1)
        sentAt = performance.now()
        crowd.send(0)
        await received
      }
      return { count: latencies.length, p99Ms: p99(latencies) }
    },
  }
})
