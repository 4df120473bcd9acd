/**
 * A crowd of clients in virtual time: cut off together by an outage, or facing a server that accepts and drops. Every
 * try takes no time, and chance comes from a seed, so that a run can be repeated to the last digit.
 */

import { seededRandom } from "../../test/support/seeded-random.js"
import type { HerdClient } from "./clients.js"

/** The crowd of the documentation. */
export const CROWD = 10_000
export const SEED = 1
/** How long the server is away, in milliseconds. */
export const OUTAGE_MS = 60_000
/** Tries are counted in bins of so many milliseconds. */
export const BIN_MS = 100
/** What is counted ends so long after the outage began: no client that draws its delay waits longer than 30 s. */
export const SHOWN_MS = 90_000

/** From here on a crowd should have dispersed. */
const LATE_MS = 30_000
/** How long a connection lasts at a server that drops it. */
const LASTS_MS = 100
const MINUTE_MS = 60_000

/** What a crowd did. */
export interface Herd {
  readonly client: HerdClient
  readonly clients: number
  /** Tries in each bin. From the end of the outage on a try succeeds, and is the client's last. */
  readonly bins: Uint32Array
  /** The largest number of tries in a bin, by clients: of the outage, of its second half, of the return. */
  readonly worst: number
  readonly worstLate: number
  readonly worstReturn: number
  /** Tries during the outage, by clients. */
  readonly tries: number
  /** The median of the time before the first try, in milliseconds. */
  readonly firstMs: number
  /** The share that no longer tried when the server was back. */
  readonly gaveUp: number
  /** Connections in a minute to a server that drops each after 100 ms: the median, and what 1 in 100 exceeds. */
  readonly perMinute: { readonly median: number; readonly p99: number }
}

/** Sends a crowd of one client through both. */
export function simulate(client: HerdClient, clients: number, seed: number): Herd {
  const random = seededRandom(seed)
  const bins = new Uint32Array(SHOWN_MS / BIN_MS)
  const crowd = Array.from({ length: clients }, () => triesOf(client, random))
  for (const at of crowd.flat()) {
    const bin = Math.floor(at / BIN_MS)
    // a typed array ignores what lies behind its end
    bins[bin] = (bins[bin] ?? 0) + 1
  }
  const drops = Array.from({ length: clients }, () => connectionsOf(client, random))
  const firsts = crowd.map((it) => it[0] ?? OUTAGE_MS)
  const worst = (from: number, to: number) => Math.max(...bins.subarray(from / BIN_MS, to / BIN_MS)) / clients
  return {
    client,
    clients,
    bins,
    worst: worst(0, OUTAGE_MS),
    worstLate: worst(LATE_MS, OUTAGE_MS),
    worstReturn: worst(OUTAGE_MS, SHOWN_MS),
    tries: crowd.flat().filter((at) => at < OUTAGE_MS).length / clients,
    firstMs: quantile(firsts, 0.5),
    gaveUp: crowd.filter((it) => (it.at(-1) ?? 0) < OUTAGE_MS).length / clients,
    perMinute: { median: quantile(drops, 0.5), p99: quantile(drops, 0.99) },
  }
}

/** When one client tries, in milliseconds since it was cut off. The last try is the one that succeeds. */
function triesOf(client: HerdClient, random: () => number): number[] {
  const retries = client.start(random)
  const tries: number[] = []
  for (let at = 0; at < OUTAGE_MS; ) {
    const delay = retries.next()
    if (delay === undefined) break
    at += delay
    tries.push(at)
  }
  return tries
}

/** How often one client connects within a minute to a server that drops it. */
function connectionsOf(client: HerdClient, random: () => number): number {
  const retries = client.start(random)
  let connections = 0
  for (let at = 0; at < MINUTE_MS; connections += 1) {
    if (client.resetsAfterMs !== false && client.resetsAfterMs <= LASTS_MS) retries.reset()
    at += LASTS_MS + (retries.next() ?? MINUTE_MS)
  }
  return connections
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * share)] ?? 0
}
