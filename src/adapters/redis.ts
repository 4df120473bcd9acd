/**
 * Carries messages between hubs over Redis Pub/Sub, with the client library you have.
 *
 * @module holdfast/adapters/redis
 */

import { type Given, hasMethods, reject } from "../core/options.js"
import type { Adapter } from "../hub/adapter.js"
import { relayAdapter } from "../relay/relay.js"
import type { RelayOptions } from "../relay/relay-options.js"
import {
  type IoredisClient,
  type IoredisCluster,
  ioredisClusterDriver,
  ioredisDriver,
} from "./ioredis-driver.js"
import {
  type NodeRedisClient,
  type NodeRedisCluster,
  nodeRedisClusterDriver,
  nodeRedisDriver,
} from "./node-redis-driver.js"
import { classicRedisBus } from "./redis-classic.js"
import type { RedisAddress, RedisClientLike, RedisDriver } from "./redis-driver.js"
import { shardedRedisBus } from "./redis-sharded.js"

export type { RedisAddress, RedisClientLike, RelayOptions }

/** Settings of the Redis adapter. */
export interface RedisAdapterOptions extends RelayOptions {
  /**
   * Whether channels live on the node of the cluster that has their slot, rather than on all. Needs Redis 7.
   * @defaultValue true for a client of a cluster, false for others
   */
  readonly sharded?: boolean
  /** What the names of Redis channels begin with. Hubs with different prefixes do not hear each other. @defaultValue "holdfast:" */
  readonly prefix?: string
  /** Where a node of the cluster is reached, where that is not the address it announces. @defaultValue the address itself */
  readonly nodeAddress?: (address: RedisAddress) => RedisAddress
}

/**
 * Makes an adapter of Redis.
 *
 * @param client - A client of `@redis/client` (or `redis`) or of `ioredis`. It is a pattern: the adapter opens
 * connections of its own with the same settings, two for each node of Redis, and never uses or ends yours. A client of
 * a cluster has to be connected; another of `ioredis` that is for this alone wants `lazyConnect: true`.
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * import { createClient } from "@redis/client"
 *
 * const hub = createHub({ adapter: redis(createClient({ url: "redis://127.0.0.1:6379" })) })
 */
export function redis(client: RedisClientLike, options: Given<RedisAdapterOptions> = {}): Adapter {
  if (typeof options !== "object" || options === null) reject("redis", "an object", options)
  const { sharded, prefix = "holdfast:", nodeAddress = (it) => it, ...relay } = options
  const driver = driverOf(client)
  if (typeof prefix !== "string" || /[{}]/.test(prefix)) {
    reject("redis.prefix", "a string without braces", prefix)
  }
  if (sharded !== undefined && typeof sharded !== "boolean") reject("redis.sharded", "true or false", sharded)
  if (typeof nodeAddress !== "function") reject("redis.nodeAddress", "a function", nodeAddress)
  const isSharded = sharded ?? driver.isCluster
  const bus = isSharded ? shardedRedisBus(driver, prefix, nodeAddress) : classicRedisBus(driver, prefix)
  return relayAdapter(bus, relay, "redis")
}

/** Recognises a client by its methods. Those of clusters come first, for they have the others' as well. */
function driverOf(client: RedisClientLike): RedisDriver {
  if (hasMethods<NodeRedisCluster>(client, "duplicate", "nodeClient")) return nodeRedisClusterDriver(client)
  if (hasMethods<NodeRedisClient>(client, "duplicate", "sendCommand", "sSubscribe", "destroy"))
    return nodeRedisDriver(client)
  if (hasMethods<IoredisCluster>(client, "duplicate", "nodes", "disconnect"))
    return ioredisClusterDriver(client)
  if (hasMethods<IoredisClient>(client, "duplicate", "call", "ssubscribe", "disconnect"))
    return ioredisDriver(client)
  return reject("redis client", "a client of @redis/client or ioredis", client)
}
