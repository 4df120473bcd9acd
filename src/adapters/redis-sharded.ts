/**
 * Sharded Pub/Sub: each subject's channel lives on the node of the cluster that has its partition's slot. The link has
 * a connection of its own to every node it needs, and follows slots when they move.
 */

import { setMaxListeners } from "node:events"
import type { Bus, BusEvents, BusLink, BusOpening } from "../relay/bus.js"
import { REDIS_CAPABILITIES } from "./redis-capabilities.js"
import type { RedisAddress, RedisConnection, RedisDriver, RedisEvents } from "./redis-driver.js"
import { partitionOf, partitionSlot, partitionTags } from "./redis-partitions.js"
import { RedisPulse } from "./redis-pulse.js"
import { type RedisTopology, readTopology } from "./redis-topology.js"

/** How often a command follows a slot that has moved. */
const MAX_MOVES = 3

/** A bus over sharded channels. */
export function shardedRedisBus(
  driver: RedisDriver,
  prefix: string,
  reach: (address: RedisAddress) => RedisAddress,
): Bus {
  return {
    name: "redis",
    capabilities: REDIS_CAPABILITIES,
    async open(events, opening) {
      const link = new ShardedLink(driver, prefix, reach, events, opening)
      await link.open()
      return link
    },
  }
}

/** Connections to the nodes of one cluster, which live and die together. */
class ShardedLink implements BusLink {
  readonly #driver: RedisDriver
  readonly #prefix: string
  readonly #reach: (address: RedisAddress) => RedisAddress
  readonly #events: BusEvents
  readonly #isPublisher: boolean
  /** By what they are for and where they go. */
  readonly #connections = new Map<string, Promise<RedisConnection>>()
  #seed: RedisConnection | undefined
  #topology: Promise<RedisTopology> | undefined
  readonly #signal: AbortSignal
  readonly #pulse: RedisPulse
  #isClosed = false

  constructor(
    driver: RedisDriver,
    prefix: string,
    reach: (address: RedisAddress) => RedisAddress,
    events: BusEvents,
    { isPublisher, signal, settings }: BusOpening,
  ) {
    this.#driver = driver
    this.#prefix = prefix
    this.#reach = reach
    this.#events = events
    this.#isPublisher = isPublisher
    this.#signal = signal
    // each connection has one until it is open, and Node takes more than ten for a leak
    setMaxListeners(0, signal)
    this.#pulse = new RedisPulse(
      settings,
      () => this.#connections.values(),
      (error) => events.down(error),
    )
  }

  async open(): Promise<void> {
    try {
      this.#seed = await this.#connect(() => "all")
      const { nodes } = await this.#readTopology()
      // a first publication has no time to wait for its connection
      await Promise.all(nodes.map((node) => this.#connection("publisher", node)))
      this.#pulse.start()
    } catch (error) {
      this.close()
      throw error
    }
  }

  async subscribe(subjects: readonly string[]): Promise<void> {
    if (this.#isPublisher) return
    await this.#eachPartition(subjects, (partition, channels) =>
      this.#at("subscriber", partition, (connection) => connection.subscribe("sharded", channels)),
    )
  }

  async unsubscribe(subjects: readonly string[]): Promise<void> {
    await this.#eachPartition(subjects, async (partition, channels) => {
      try {
        await this.#at("subscriber", partition, (it) => it.unsubscribe("sharded", channels), 0)
      } catch (error) {
        // the node gave them up when their slot moved; where it is now, they may be wanted again
        if (!isMoved(error)) throw error
      }
    })
  }

  async publish(subject: string, bytes: Uint8Array): Promise<void> {
    const channel = this.#channel(subject)
    await this.#at("publisher", partitionOf(subject), (connection) =>
      connection.command("SPUBLISH", channel, bytes),
    )
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#pulse.stop()
    this.#seed?.close()
    for (const connection of this.#connections.values())
      connection.then(
        (it) => it.close(),
        () => {},
      )
    this.#connections.clear()
  }

  /** The tag in front: what follows may hold braces of its own. */
  #channel(subject: string): string {
    return `${this.#prefix}{${partitionTags()[partitionOf(subject)]}}${subject}`
  }

  async #eachPartition(
    subjects: readonly string[],
    work: (partition: number, channels: string[]) => Promise<unknown>,
  ): Promise<void> {
    const partitions = new Map<number, string[]>()
    for (const subject of subjects) {
      const partition = partitionOf(subject)
      const channels = partitions.get(partition)
      if (channels) channels.push(this.#channel(subject))
      else partitions.set(partition, [this.#channel(subject)])
    }
    await Promise.all([...partitions].map(([partition, channels]) => work(partition, channels)))
  }

  /** Does something on the node that has a partition, and follows a slot that has moved since. */
  async #at(
    role: "publisher" | "subscriber",
    partition: number,
    work: (connection: RedisConnection) => Promise<unknown>,
    maxMoves = MAX_MOVES,
  ): Promise<void> {
    for (let moves = 0; ; moves += 1) {
      const address = await this.#nodeOf(partitionSlot(partition))
      try {
        await work(await this.#connection(role, address))
        return
      } catch (error) {
        if (!isMoved(error) || moves >= maxMoves || this.#isClosed) throw error
        this.#topology = undefined
      }
    }
  }

  #connection(role: "publisher" | "subscriber", address: RedisAddress | undefined): Promise<RedisConnection> {
    const node = address ? `${address.host ?? ""}:${address.port}` : "the only one"
    const key = `${role} ${node}`
    const known = this.#connections.get(key)
    if (known) return known
    const subjects = () => (role === "subscriber" ? "all" : [])
    const connecting = this.#connect(subjects, address && this.#reach(address))
    this.#connections.set(key, connecting)
    connecting.catch((error: unknown) => {
      this.#connections.delete(key)
      // a node that cannot be reached: the link is no better than none
      if (!this.#isClosed) this.#events.down(error)
    })
    return connecting
  }

  async #connect(
    subjects: () => readonly string[] | "all",
    address?: RedisAddress,
  ): Promise<RedisConnection> {
    if (this.#isClosed) throw new Error("the link was closed")
    const connection = await this.#driver.connect(this.#redisEvents(subjects), this.#signal, address)
    if (!this.#isClosed) return connection
    // it came in the very moment in which nobody waited any more
    connection.close()
    throw new Error("the link was closed")
  }

  #redisEvents(subjects: () => readonly string[] | "all"): RedisEvents {
    return {
      message: (channel, bytes) => {
        const end = channel.indexOf("}", this.#prefix.length)
        this.#events.message(channel.slice(end + 1), bytes)
      },
      moved: () => {
        this.#topology = undefined
        this.#events.lost(subjects(), "a slot of the Redis cluster has moved")
      },
      down: (error) => {
        if (!this.#isClosed) this.#events.down(error)
      },
    }
  }

  /** The node of a slot. Where there is none, the cluster is asked again next time: in a failover that is so for a while. */
  async #nodeOf(slot: number): Promise<RedisAddress | undefined> {
    const topology = this.#readTopology()
    try {
      return (await topology).nodeOf(slot)
    } catch (error) {
      if (this.#topology === topology) this.#topology = undefined
      throw error
    }
  }

  #readTopology(): Promise<RedisTopology> {
    const seed = this.#seed
    if (!seed) throw new Error("the link is not open")
    this.#topology ??= readTopology(seed)
    return this.#topology
  }
}

function isMoved(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|ASK) /.test(error.message)
}
