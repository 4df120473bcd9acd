/**
 * Plain connections to Redis, whichever client library they are made with. The user's instance is a pattern that
 * connections of our own are copied from; it is never used, changed or ended itself. Reconnecting is left to the relay.
 */

import { reject } from "../core/options.js"
import { systemClock } from "../core/timer.js"

/** A host and a port. */
export interface RedisAddress {
  /** The host; without it, that of the client the adapter was made with. */
  readonly host?: string
  /** The port. */
  readonly port: number
}

/** What a connection tells. */
export interface RedisEvents {
  /** A message came in. */
  message(channel: string, bytes: Uint8Array): void
  /** The server gave up channels of this connection: their slot has moved. */
  moved(): void
  /** The connection is dead. */
  down(error: unknown): void
}

/** Classic channels reach every node of a cluster, sharded ones the node that has their slot. */
type RedisKind = "classic" | "sharded"

/** One connection. */
export interface RedisConnection {
  /** Sends a command, and resolves to its reply. */
  command(name: string, ...args: (string | Uint8Array)[]): Promise<unknown>
  /** Subscribes. Sharded channels have to be of one slot. */
  subscribe(kind: RedisKind, channels: readonly string[]): Promise<void>
  /** Unsubscribes. */
  unsubscribe(kind: RedisKind, channels: readonly string[]): Promise<void>
  /** Ends it at once. */
  close(): void
}

/** Makes connections. */
export interface RedisDriver {
  /** Whether the pattern is a client of a cluster. */
  readonly isCluster: boolean
  /** Opens a connection, to the pattern's own server where no address is given. */
  connect(events: RedisEvents, address?: RedisAddress): Promise<RedisConnection>
}

/**
 * A client of `@redis/client` (or `redis`) or of `ioredis`, for one server or for a cluster. Only that it can be
 * duplicated is asked of it.
 */
export interface RedisClientLike {
  /** Makes another client with the same settings. */
  duplicate(...args: never[]): unknown
}

/** The parts of `@redis/client` that are used. */
interface NodeRedisClient {
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

interface NodeRedisCluster {
  readonly masters: readonly object[]
  nodeClient(node: object): NodeRedisClient | Promise<NodeRedisClient>
}

/** The parts of `ioredis` that are used. */
interface IoredisClient {
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

interface IoredisCluster {
  nodes(role: "master"): IoredisClient[]
}

/** How long a connection may take to open, in milliseconds; the relay gives up before that. */
const CONNECT_TIMEOUT_MS = 10_000

/**
 * Recognises a client by its methods.
 * @throws InvalidOptionError when it is none of those that are known.
 */
export function redisDriver(client: RedisClientLike, path: string): RedisDriver {
  if (has(client, "duplicate", "nodeClient")) {
    return nodeRedisDriver(() => anyMaster(client as unknown as NodeRedisCluster), true)
  }
  if (has(client, "duplicate", "sendCommand", "sSubscribe", "destroy")) {
    return nodeRedisDriver(() => client as unknown as NodeRedisClient, false)
  }
  if (has(client, "duplicate", "nodes", "disconnect")) {
    return ioredisDriver(() => anyNode(client as unknown as IoredisCluster), true)
  }
  if (has(client, "duplicate", "call", "ssubscribe", "disconnect")) {
    return ioredisDriver(() => client as unknown as IoredisClient, false)
  }
  return reject(path, "a client of @redis/client or ioredis", client)
}

function has(client: unknown, ...names: string[]): boolean {
  return names.every((name) => typeof (client as Record<string, unknown> | null)?.[name] === "function")
}

async function anyMaster(cluster: NodeRedisCluster): Promise<NodeRedisClient> {
  const node = anyOf(cluster.masters)
  if (!node) throw new Error("the cluster client is not connected: it knows no master yet")
  return cluster.nodeClient(node)
}

function anyNode(cluster: IoredisCluster): IoredisClient {
  const node = anyOf(cluster.nodes("master"))
  if (!node) throw new Error("the cluster client is not connected: it knows no master yet")
  return node
}

/** Any, not the first: that one may be the one that is dead. */
function anyOf<T>(list: readonly T[]): T | undefined {
  return list[Math.floor(Math.random() * list.length)]
}

function nodeRedisDriver(
  pattern: () => NodeRedisClient | Promise<NodeRedisClient>,
  isCluster: boolean,
): RedisDriver {
  return {
    isCluster,
    async connect(events, address) {
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
      await opened(client.connect(), () => client.destroy(), end)
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

function ioredisDriver(pattern: () => IoredisClient, isCluster: boolean): RedisDriver {
  return {
    isCluster,
    async connect(events, address) {
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
      await opened(client.connect(), () => client.disconnect(), end)
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

/** The end of a client: told once, unless it was meant. */
class End {
  readonly #events: RedisEvents
  #isOver = false
  #error: unknown

  constructor(events: RedisEvents) {
    this.#events = events
  }

  /** Something went wrong; what it was is told at the end. */
  note(error: unknown): void {
    this.#error = error
  }

  /** It has ended. */
  come(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#events.down(this.#error ?? new Error("the connection to Redis ended"))
  }

  /** Ends it on purpose. */
  by(close: () => void): void {
    this.#isOver = true
    close()
  }
}

function watchEnd(
  client: { on(event: string, listener: (...args: never[]) => void): unknown },
  events: RedisEvents,
): End {
  const end = new End(events)
  // without a listener, the error of a connection would end the process
  client.on("error", (error: unknown) => end.note(error))
  client.on("end", () => end.come())
  // what @redis/client says instead, when it may not reconnect
  client.on("terminated", (error: unknown) => {
    end.note(error)
    end.come()
  })
  return end
}

async function opened(connecting: Promise<unknown>, close: () => void, end: End): Promise<void> {
  try {
    await connecting
  } catch (error) {
    // a client that never opened may refuse to be closed
    end.by(() => attemptToClose(close))
    throw error
  }
}

function attemptToClose(close: () => void): void {
  try {
    close()
  } catch {}
}

function asBuffer(value: string | Uint8Array): string | Uint8Array {
  return typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}
