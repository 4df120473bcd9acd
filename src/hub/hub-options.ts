/**
 * What a hub can be told, and what is told of each connection that is added to it.
 */

import { isSendableCloseCode } from "../core/close-codes.js"
import { checkMethods, checkMoment, checkMs, type Given, reject } from "../core/options.js"
import {
  type ConnectionOptions,
  type ConnectionSettings,
  resolveConnection,
} from "../wire/connection-options.js"
import { checkName } from "../wire/name.js"
import type { HeartbeatOptions } from "../wire/pulse.js"
import { OPEN, type SocketLike } from "../wire/socket.js"
import type { Adapter } from "./adapter.js"
import type { HubConnectionIdentity } from "./hub-connection.js"
import { memoryAdapter } from "./memory-adapter.js"
import type { UpgradeRequest } from "./raw-stream.js"

/** Settings of a hub: those of its connections, and its own. */
export interface HubOptions<Incoming = unknown, Outgoing = unknown>
  extends ConnectionOptions<Incoming, Outgoing> {
  /** What carries messages to the hubs of other processes. @defaultValue memoryAdapter(), which carries nothing */
  readonly adapter?: Adapter
  /**
   * How long other nodes have to answer a count, a list or a bulk change, in milliseconds; a bulk close also waits for
   * `closeTimeoutMs`. Who has not answered by then is `missing`.
   * @defaultValue 2_000
   */
  readonly queryTimeoutMs?: number
  /** Finds dead connections; `false` for none. @defaultValue a ping after 15 s of silence, the end 10 s later */
  readonly heartbeat?: HeartbeatOptions | false
}

/** What is particular to a connection that is added to a hub. */
export interface AddOptions<Data = unknown> extends HubConnectionIdentity<Data> {
  /** The HTTP upgrade request. Its address and its stream are taken; it is not kept. */
  readonly request?: UpgradeRequest | undefined
}

/** {@link HubOptions} with everything decided. */
export interface HubSettings<Incoming, Outgoing> {
  /** What every connection is made with: the same object for all, so that they share one flusher. */
  readonly shared: ConnectionOptions<Incoming, Outgoing>
  /** What that object means. */
  readonly settings: ConnectionSettings<Incoming, Outgoing>
  /** See {@link HubOptions.adapter}. */
  readonly adapter: Adapter
  /** See {@link HubOptions.heartbeat}. */
  readonly heartbeat: HeartbeatOptions | false | undefined
  /** See {@link HubOptions.queryTimeoutMs}. */
  readonly queryTimeoutMs: number
}

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolveHub<Incoming, Outgoing>(
  options: Given<HubOptions<Incoming, Outgoing>>,
): HubSettings<Incoming, Outgoing> {
  if (typeof options !== "object" || options === null) reject("hub", "an object", options)
  const { adapter, heartbeat, queryTimeoutMs = 2_000, ...rest } = options
  checkMs("hub.queryTimeoutMs", queryTimeoutMs)
  const shared = rest as ConnectionOptions<Incoming, Outgoing>
  return {
    shared,
    settings: resolveConnection(shared, "hub"),
    adapter: adapter === undefined ? memoryAdapter() : checkAdapter(adapter),
    heartbeat,
    queryTimeoutMs,
  }
}

/**
 * Checks a close code before anybody is closed with it.
 * @throws InvalidOptionError for a code that may not be sent.
 */
export function checkCloseCode(code: number): void {
  if (!isSendableCloseCode(code)) reject("close code", "1000–1014 but for 1004–1006, or 3000–4999", code)
}

/**
 * Checks what is added, before anything is done: a connection that was refused must not stay behind half added.
 * @throws InvalidOptionError with the value received.
 */
export function checkAddition(
  socket: SocketLike,
  { id, userId, expiresAt }: HubConnectionIdentity,
  taken: ReadonlyMap<string, unknown>,
): void {
  if (socket?.readyState !== OPEN) reject("hub.add socket.readyState", "1 (open)", socket?.readyState)
  if (userId !== undefined) checkName("hub.add userId", userId)
  if (expiresAt !== undefined) checkMoment("hub.add expiresAt", expiresAt)
  if (id !== undefined && taken.has(checkName("hub.add id", id))) {
    reject("hub.add id", "the id of no other connection", id)
  }
}

/**
 * Checks that an object has an adapter's methods.
 * @throws InvalidOptionError with the value received.
 */
export function checkAdapter(adapter: Adapter): Adapter {
  const names = ["connect", "subscribe", "unsubscribe", "publish", "send", "health", "close"] as const
  return checkMethods("hub.adapter", adapter, names)
}
