/**
 * What a hub can be told.
 */

import { isSendableCloseCode } from "../core/close-codes.js"
import { checkMethods, checkMs, type Given, reject } from "../core/options.js"
import {
  type ConnectionOptions,
  type ConnectionSettings,
  resolveConnection,
} from "../wire/connection-options.js"
import type { HeartbeatOptions } from "../wire/pulse.js"
import type { Adapter } from "./adapter.js"
import { memoryAdapter } from "./memory-adapter.js"

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
 * Checks that an object has an adapter's methods.
 * @throws InvalidOptionError with the value received.
 */
export function checkAdapter(adapter: Adapter): Adapter {
  const names = ["connect", "subscribe", "unsubscribe", "publish", "send", "health", "close"] as const
  return checkMethods("hub.adapter", adapter, names)
}
