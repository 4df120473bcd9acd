/**
 * Connections to Redis made with `ioredis`, by structure. The user's instance is a pattern that connections of our own are
 * copied from; it is never used, changed or ended itself. Reconnecting is left to the relay.
 */

import { systemClock } from "../core/timer.js"
import { asBuffer, utf8 } from "./redis-bytes.js"
import type { RedisDriver } from "./redis-driver.js"
import { CONNECT_TIMEOUT_MS, opened, watchEnd } from "./redis-end.js"
import { anyOf } from "./redis-topology.js"

/** The parts of `ioredis` that are used. */
export interface IoredisClient {
  readonly stream?: Partial<Corked>
  duplicate(overrides: object): IoredisClient
  connect(): Promise<unknown>
  disconnect(): void
  on(event: string, listener: (...args: never[]) => void): unknown
  call(name: string, ...args: (string | Uint8Array)[]): Promise<unknown>
  subscribe(...channels: string[]): Promise<unknown>
  ssubscribe(...channels: string[]): Promise<unknown>
  unsubscribe(...channels: string[]): Promise<unknown>
  sunsubscribe(...channels: string[]): Promise<unknown>
}

/** The part of a stream that keeps several writes for one. */
interface Corked {
  readonly writableCorked: number
  cork(): void
  uncork(): void
}

/** A client of a cluster. */
export interface IoredisCluster {
  nodes(role: "master"): IoredisClient[]
}

/** A driver over a client for one server. */
export function ioredisDriver(client: IoredisClient): RedisDriver {
  return driverOver(() => client, false)
}

/** A driver over a client of a cluster: what has no address goes to any of its masters. */
export function ioredisClusterDriver(cluster: IoredisCluster): RedisDriver {
  return driverOver(() => anyOf(cluster.nodes("master")), true)
}

function driverOver(pattern: () => IoredisClient, isCluster: boolean): RedisDriver {
  return {
    isCluster,
    async connect(events, signal, address) {
      const client = pattern().duplicate({
        ...address,
        lazyConnect: true,
        readOnly: false,
        keyPrefix: "",
        enableOfflineQueue: false,
        autoResubscribe: false,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
        retryStrategy: null,
        reconnectOnError: null,
        connectTimeout: CONNECT_TIMEOUT_MS,
      })
      const end = watchEnd(client, events)
      client.on("moved", () => events.moved())
      const take = (channel: Uint8Array, message: Uint8Array) => events.message(utf8(channel), message)
      client.on("messageBuffer", take)
      client.on("smessageBuffer", take)
      await opened(client.connect(), () => client.disconnect(), end, signal)
      return {
        command(name, ...args) {
          together(client.stream)
          return client.call(name, ...args.map(asBuffer))
        },
        subscribe: async (kind, channels) => {
          if (kind === "sharded") await client.ssubscribe(...channels)
          else await client.subscribe(...channels)
        },
        unsubscribe: async (kind, channels) => {
          if (kind === "sharded") await client.sunsubscribe(...channels)
          else await client.unsubscribe(...channels)
        },
        close: () => end.by(() => client.disconnect()),
      }
    },
  }
}

/** Lets what is written in this turn leave in one write: `ioredis` writes each command by itself. */
function together(stream: Partial<Corked> | undefined): void {
  if (!stream?.cork || stream.writableCorked !== 0) return
  stream.cork()
  systemClock.soon(() => stream.uncork?.())
}
