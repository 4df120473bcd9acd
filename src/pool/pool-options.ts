/**
 * What a pool can be told, and the checks.
 */

import { type BackoffOptions, resolveBackoff } from "../core/backoff.js"
import { checkCount, checkFunction, checkMs, checkOneOf, type Given, reject } from "../core/options.js"
import type { MaybePromise } from "../core/types.js"
import type { Connection } from "../wire/connection.js"
import { resolveConnection } from "../wire/connection-options.js"
import { type DialOptions, resolveDial } from "../wire/dial.js"
import type { PerDial } from "../wire/dial-request.js"
import { type HeartbeatOptions, type HeartbeatSettings, resolveHeartbeat } from "../wire/pulse.js"
import type { DiallerSettings } from "./dialler.js"
import type { IdleMessages, PooledSocketSettings } from "./pooled-socket.js"

/** Options of a `ConnectionPool`: its own, and those of each connection. */
export interface PoolOptions<Incoming = unknown, Outgoing = unknown, Data = unknown>
  extends Omit<DialOptions<Incoming, Outgoing>, "signal"> {
  /** How many sockets there may be, those that connect or close included. @defaultValue 10 */
  readonly max?: number
  /**
   * How long a connection may be idle before it is closed, in milliseconds; `false` for any time.
   * @defaultValue 30_000
   */
  readonly idleTimeoutMs?: number | false
  /** How long an `acquire` may wait, in milliseconds; `false` for any time. @defaultValue 30_000 */
  readonly acquireTimeoutMs?: number | false
  /**
   * How old a connection may be when it is leased, in milliseconds; an older one is closed instead. Lets a pool move to
   * servers that came later. `false` for any age.
   * @defaultValue false
   */
  readonly maxAgeMs?: number | false
  /** How long to wait between dials after failed ones. @defaultValue full jitter, 500 ms doubling to 10 s */
  readonly backoff?: BackoffOptions
  /**
   * Finds dead connections, leased or not; `false` for none.
   * @defaultValue a ping after 15 s of silence, the end 10 s later
   */
  readonly heartbeat?: HeartbeatOptions | false
  /**
   * What becomes of messages that arrive while nobody holds the connection; `evict` closes it.
   * @defaultValue "discard"
   */
  readonly idleMessages?: IdleMessages
  /**
   * Runs once per connection, after its opening and before its first lease: a login, say. What it throws, and what
   * takes longer than `connectTimeoutMs`, is a failed dial.
   * @defaultValue nothing
   */
  readonly onOpen?: (connection: Connection<Incoming, Outgoing, Data>) => MaybePromise<void>
  /**
   * Asked before a connection is leased that was opened earlier. One for which it returns false, throws, or takes longer
   * than `connectTimeoutMs`, is closed, and the next one is tried.
   * @defaultValue not asked
   */
  readonly validate?: (connection: Connection<Incoming, Outgoing, Data>) => MaybePromise<boolean>
  /** How long the closing handshake may take, in milliseconds, before the socket is terminated. @defaultValue 1_000 */
  readonly closeTimeoutMs?: number
}

/** {@link PoolOptions} with everything decided. */
export interface PoolSettings<Incoming, Outgoing, Data> {
  /** See {@link PoolOptions.max}. */
  readonly max: number
  /** See {@link PoolOptions.idleTimeoutMs}. */
  readonly idleTimeoutMs: number | false
  /** See {@link PoolOptions.acquireTimeoutMs}. */
  readonly acquireTimeoutMs: number | false
  /** See {@link PoolOptions.maxAgeMs}. */
  readonly maxAgeMs: number | false
  /** See {@link PoolOptions.heartbeat}. */
  readonly heartbeat: HeartbeatSettings | false
  /** See {@link PoolOptions.onOpen}. */
  readonly onOpen: ((connection: Connection<Incoming, Outgoing, Data>) => MaybePromise<void>) | undefined
  /** See {@link PoolOptions.validate}. */
  readonly validate: ((connection: Connection<Incoming, Outgoing, Data>) => MaybePromise<boolean>) | undefined
  /** How dials are made. */
  readonly dialler: DiallerSettings
  /** What all sockets share. */
  readonly socket: PooledSocketSettings<Incoming, Outgoing>
}

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolvePool<Incoming, Outgoing, Data>(
  url: PerDial<string | URL>,
  options: Given<PoolOptions<Incoming, Outgoing, Data>>,
): PoolSettings<Incoming, Outgoing, Data> {
  if (typeof options !== "object" || options === null) reject("pool", "an object", options)
  const { max, idleTimeoutMs, acquireTimeoutMs, maxAgeMs, backoff, heartbeat, ...rest } = options
  const { idleMessages = "discard", onOpen, validate, closeTimeoutMs = 1_000, ...dialOptions } = rest
  const { signal } = dialOptions as { readonly signal?: unknown }
  if (signal !== undefined) reject("pool.signal", "left out: `acquire` takes one", signal)
  const request = resolveDial(url, { ...dialOptions, closeTimeoutMs }, "pool")
  const { writeTimeoutMs } = resolveConnection(request.connection)
  return {
    max: checkCount("pool.max", max ?? 10),
    idleTimeoutMs: checkTimeout("pool.idleTimeoutMs", idleTimeoutMs ?? 30_000),
    acquireTimeoutMs: checkTimeout("pool.acquireTimeoutMs", acquireTimeoutMs ?? 30_000),
    maxAgeMs: checkTimeout("pool.maxAgeMs", maxAgeMs ?? false),
    heartbeat: heartbeat === false ? false : resolveHeartbeat(heartbeat, "pool.heartbeat"),
    onOpen: checkFunction("pool.onOpen", onOpen),
    validate: checkFunction("pool.validate", validate),
    dialler: {
      request,
      backoff: resolveBackoff(
        { ...backoff, initialMs: backoff?.initialMs ?? 500, maxMs: backoff?.maxMs ?? 10_000 },
        "pool.backoff",
      ),
    },
    socket: {
      connection: request.connection,
      idleMessages: checkOneOf("pool.idleMessages", idleMessages, ["discard", "evict"]),
      writeTimeoutMs,
      clock: request.clock,
    },
  }
}

/**
 * A time in milliseconds of at least 1, or `false` for none.
 * @throws InvalidOptionError with the value received.
 */
export function checkTimeout(path: string, value: number | false): number | false {
  return value === false ? false : checkMs(path, value, 1)
}
