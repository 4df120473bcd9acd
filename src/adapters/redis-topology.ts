/**
 * Which node of a Redis cluster has which slots, as one of them tells it.
 */

import type { RedisAddress, RedisConnection } from "./redis-driver.js"

/** The nodes of a cluster, by slot. */
export interface RedisTopology {
  /** All masters; of a server that is no cluster, itself. */
  readonly nodes: readonly (RedisAddress | undefined)[]
  /** The master of a slot; `undefined` for a server that is no cluster. */
  nodeOf(slot: number): RedisAddress | undefined
}

/** Asks for the slots. A server that is no cluster has them all. */
export async function readTopology(connection: RedisConnection): Promise<RedisTopology> {
  try {
    return topologyOf(await connection.command("CLUSTER", "SLOTS"))
  } catch (error) {
    if (error instanceof Error && /cluster support disabled/i.test(error.message)) {
      return { nodes: [undefined], nodeOf: () => undefined }
    }
    throw error
  }
}

/** Reads the reply: a list of [from, to, [host, port, …], …]. */
function topologyOf(reply: unknown): RedisTopology {
  const ranges = (reply as unknown[][]).map((range) => {
    const [from, to, master] = range as [number, number, [unknown, number]]
    const host = text(master[0])
    // a node that does not know its own name says nothing, and means the one it was asked by
    const address = { port: Number(master[1]), ...(host && { host }) }
    return { from: Number(from), to: Number(to), address }
  })
  const nodes = new Map(ranges.map(({ address }) => [`${address.host}:${address.port}`, address]))
  return {
    nodes: [...nodes.values()],
    nodeOf(slot) {
      const range = ranges.find(({ from, to }) => from <= slot && slot <= to)
      if (!range) throw new Error(`no node of the Redis cluster has slot ${slot}`)
      return range.address
    },
  }
}

function text(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value ?? "")
}

/** Any master of a cluster, not the first: that one may be the one that is dead. */
export function anyOf<T>(masters: readonly T[]): T {
  const node = masters[Math.floor(Math.random() * masters.length)]
  if (!node) throw new Error("the cluster client is not connected: it knows no master yet")
  return node
}
