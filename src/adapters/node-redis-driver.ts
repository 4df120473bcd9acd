/**
 * Connections to Redis made with `@redis/client`, by structure. The user's instance is a pattern that connections of our own
 * are copied from; it is never used, changed or ended itself. Reconnecting is left to the relay.
 */

import { asBuffer, utf8 } from "./redis-bytes.js"
import type { RedisDriver } from "./redis-driver.js"
import { CONNECT_TIMEOUT_MS, opened, watchEnd } from "./redis-end.js"
import { anyOf } from "./redis-topology.js"

/** The parts of `@redis/client` that are used. */
export interface NodeRedisClient {
  readonly options?: { readonly socket?: object }
  duplicate(overrides: object): NodeRedisClient
  connect(): Promise<unknown>
  destroy(): void
  on(event: string, listener: (...args: never[]) => void): unknown
  sendCommand(args: readonly (string | Uint8Array)[]): Promise<unknown>
  subscribe: NodeRedisSubscribe
  sSubscribe: NodeRedisSubscribe
  unsubscribe(channels: string[]): Promise<unknown>
  sUnsubscribe(channels: string[]): Promise<unknown>
}

type NodeRedisSubscribe = (
  channels: string[],
  listener: (message: Uint8Array, channel: Uint8Array) => void,
  isBuffer: true,
) => Promise<unknown>

/** A client of a cluster. */
export interface NodeRedisCluster {
  readonly masters: readonly object[]
  nodeClient(node: object): NodeRedisClient | Promise<NodeRedisClient>
}

/** A driver over a client for one server. */
export function nodeRedisDriver(client: NodeRedisClient): RedisDriver {
  return driverOver(() => client, false)
}

/** A driver over a client of a cluster: what has no address goes to any of its masters. */
export function nodeRedisClusterDriver(cluster: NodeRedisCluster): RedisDriver {
  return driverOver(() => cluster.nodeClient(anyOf(cluster.masters)), true)
}

function driverOver(
  pattern: () => NodeRedisClient | Promise<NodeRedisClient>,
  isCluster: boolean,
): RedisDriver {
  return {
    isCluster,
    async connect(events, signal, address) {
      const original = await pattern()
      const client = original.duplicate({
        disableOfflineQueue: true,
        readonly: false,
        // a timer and a signal for each command cost more than the command; the relay has one timer for all
        commandOptions: { timeout: undefined },
        socket: {
          ...original.options?.socket,
          ...address,
          reconnectStrategy: false,
          connectTimeout: CONNECT_TIMEOUT_MS,
        },
      })
      const end = watchEnd(client, events)
      client.on("sharded-channel-moved", () => events.moved())
      await opened(client.connect(), () => client.destroy(), end, signal)
      const take = (message: Uint8Array, channel: Uint8Array) => events.message(utf8(channel), message)
      const turns = new SlotTurns()
      return {
        command: (...args) => client.sendCommand(args.map(asBuffer)),
        subscribe: (kind, channels) =>
          turns.enter(() =>
            client[kind === "sharded" ? "sSubscribe" : "subscribe"]([...channels], take, true),
          ),
        unsubscribe: (kind, channels) =>
          turns.leave(() => client[kind === "sharded" ? "sUnsubscribe" : "unsubscribe"]([...channels])),
        close: () => end.by(() => client.destroy()),
      }
    },
  }
}

/**
 * Has subscriptions wait for unsubscriptions that are on their way: `@redis/client` keeps a list of its own, finds a
 * channel still there, and does not ask for it again.
 */
class SlotTurns {
  #leaving = 0
  #last: Promise<unknown> = Promise.resolve()

  async enter(subscribe: () => Promise<unknown>): Promise<void> {
    await (this.#leaving === 0 ? subscribe() : this.#queue(subscribe))
  }

  async leave(unsubscribe: () => Promise<unknown>): Promise<void> {
    this.#leaving += 1
    try {
      await this.#queue(unsubscribe)
    } finally {
      this.#leaving -= 1
    }
  }

  #queue(work: () => Promise<unknown>): Promise<unknown> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }
}
