/**
 * Which node of a Redis cluster has which slots, as one of them tells it.
 */

import type { RedisAddress, RedisConnection } from "./redis-driver.js"

/** The nodes of a cluster, by slot. */
export interface RedisTopology {
  /** The master of a slot; `undefined` for a server that is no cluster. */
  nodeOf(slot: number): RedisAddress | undefined
}

/** Asks for the slots. A server that is no cluster has them all. */
export async function readTopology(connection: RedisConnection): Promise<RedisTopology> {
  try {
    return topologyOf(await connection.command("CLUSTER", "SLOTS"))
  } catch (error) {
    if (error instanceof Error && /cluster support disabled/i.test(error.message)) {
      return { nodeOf: () => undefined }
    }
    throw error
  }
}

/** Reads the reply: a list of [from, to, [host, port, …], …]. */
function topologyOf(reply: unknown): RedisTopology {
  const ranges = (reply as unknown[][]).map((range) => {
    const [from, to, master] = range as [number, number, [unknown, number]]
    return { from: Number(from), to: Number(to), address: { host: text(master[0]), port: Number(master[1]) } }
  })
  return {
    nodeOf(slot) {
      const range = ranges.find(({ from, to }) => from <= slot && slot <= to)
      if (!range) throw new Error(`no node of the Redis cluster has slot ${slot}`)
      return range.address
    },
  }
}

function text(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)
}
