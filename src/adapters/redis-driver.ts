/**
 * What a client library of Redis has to do for the adapter. Types only: one is made of `@redis/client`, and one of `ioredis`.
 */

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
  /**
   * Opens a connection, to the pattern's own server where no address is given. One that is not open when
   * the signal comes is given up: a server that hangs takes connections, and answers none.
   */
  connect(events: RedisEvents, signal: AbortSignal, address?: RedisAddress): Promise<RedisConnection>
}

/**
 * A client of `@redis/client` (or `redis`) or of `ioredis`, for one server or for a cluster. Only that it can be
 * duplicated is asked of it.
 */
export interface RedisClientLike {
  /** Makes another client with the same settings. */
  duplicate(...args: never[]): unknown
}
