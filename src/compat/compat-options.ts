/**
 * The options of reconnecting-websocket and partysocket, and what they mean to a `ReconnectingClient`.
 */

import type { ReconnectingClientOptions } from "../client/client-options.js"
import type { ClientHeartbeatOptions } from "../client/liveness.js"
import { type Logger, toConsole } from "../core/logger.js"
import { checkCount, checkFunction, checkMs, type Given, MAX_TIMER_MS } from "../core/options.js"
import { type Clock, systemClock } from "../core/timer.js"
import type { MaybePromise } from "../core/types.js"
import { findWebSocket, type WebSocketConstructor } from "../wire/socket.js"
import { bytesOf, type Sendable } from "./send-order.js"
import type { CloseEvent } from "./socket-events.js"
import type { Subprotocols } from "./socket-syntax.js"

/** An address, or a function that is asked for one before each attempt. */
export type UrlProvider = string | URL | (() => MaybePromise<string | URL>)

/** Subprotocols, or a function that is asked for them before each attempt. */
export type ProtocolsProvider =
  | Subprotocols
  | null
  | undefined
  | (() => MaybePromise<Subprotocols | null | undefined>)

/** Options of a `ReconnectingWebSocket`. Their names are those of reconnecting-websocket and partysocket. */
export interface Options {
  /** No retry comes sooner, in milliseconds. @defaultValue 2_000 */
  readonly minReconnectionDelay?: number
  /** No retry comes later, in milliseconds; a server may ask for more. @defaultValue 10_000 */
  readonly maxReconnectionDelay?: number
  /**
   * How the delays grow. Retry n, from 0, is drawn anew between `minReconnectionDelay` and
   * 2 · `minReconnectionDelay` · factorⁿ, or `maxReconnectionDelay` where that is less. At least 1.
   * @defaultValue 1.3
   */
  readonly reconnectionDelayGrowFactor?: number
  /** How long an attempt may take, url and protocol functions included, in milliseconds. @defaultValue 10_000 */
  readonly connectionTimeout?: number
  /** How long a connection must last before `retryCount` begins anew, in milliseconds. @defaultValue 5_000 */
  readonly minUptime?: number
  /** How many retries in a row may fail before there is no other; `Infinity` for any number. @defaultValue Infinity */
  readonly maxRetries?: number
  /**
   * How many messages may wait for a connection; what comes on top is dropped.
   * @defaultValue 1_024 messages of together 1 MiB; with a number of your own, only the number counts
   */
  readonly maxEnqueuedMessages?: number
  /** Whether to wait for `reconnect()` before the first attempt. @defaultValue false */
  readonly startClosed?: boolean
  /** Asked at each end that nobody asked for: dial again? @defaultValue yes, but for close codes that say never */
  readonly shouldReconnectOnClose?: (event: CloseEvent) => boolean
  /** Whether to tell each step to `debugLogger`. @defaultValue false */
  readonly debug?: boolean
  /** Takes what `debug` tells. @defaultValue console.debug */
  readonly debugLogger?: (...args: unknown[]) => void
  /** The constructor to use instead of the platform's. @defaultValue `ws` in Node, the native one in browsers */
  readonly WebSocket?: WebSocketConstructor
  /** Finds dead lines; `false` for no heartbeat. @defaultValue ping frames where the platform has them */
  readonly heartbeat?: ClientHeartbeatOptions | false
  /** Where time comes from. @defaultValue the platform's */
  readonly clock?: Clock
}

/** What a run's client is built with, but for its address and what depends on the run. */
type RunClientOptions = Given<ReconnectingClientOptions<string | Uint8Array, Sendable>>

/** Options with everything decided. */
export interface CompatSettings {
  readonly client: RunClientOptions
  readonly WebSocket: WebSocketConstructor | undefined
  readonly shouldReconnectOnClose: ((event: CloseEvent) => boolean) | undefined
  readonly minUptimeMs: number
  readonly maxMessages: number
  readonly maxBytes: number
  readonly debug: (...args: unknown[]) => void
  readonly clock: Clock
}

/** Neither end of a drop-in's connection needs to know this library, so frames are what the application says. */
const frames = {
  encode: (message: Sendable) => (typeof message === "string" ? message : bytesOf(message)),
  decode: (data: string | Uint8Array) => data,
}

/** How much waits where nothing else was said: as in a client's own queue. */
const QUEUE = { maxMessages: 1_024, maxBytes: 1_048_576 }

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolveCompat(given: Given<Options>): CompatSettings {
  const { clock = systemClock, maxEnqueuedMessages: most, maxRetries = Number.POSITIVE_INFINITY } = given
  const debug = debugTo(given)
  const minUptimeMs = ms("minUptime", given.minUptime ?? 5_000)
  const isCounted = most !== undefined && most !== Number.POSITIVE_INFINITY
  return {
    clock,
    debug,
    minUptimeMs,
    WebSocket: findWebSocket(checkFunction("WebSocket", given.WebSocket)),
    shouldReconnectOnClose: checkFunction("shouldReconnectOnClose", given.shouldReconnectOnClose),
    maxMessages: isCounted ? checkCount("maxEnqueuedMessages", most, 0) : (most ?? QUEUE.maxMessages),
    maxBytes: most === undefined ? QUEUE.maxBytes : Number.POSITIVE_INFINITY,
    client: {
      codec: frames,
      backoff: backoffOf(given),
      maxRetries: maxRetries === Number.POSITIVE_INFINITY ? false : checkCount("maxRetries", maxRetries, 0),
      connectTimeoutMs: ms("connectionTimeout", given.connectionTimeout ?? 10_000, 1),
      stableAfterMs: minUptimeMs,
      heartbeat: given.heartbeat,
      // the limits are kept here, where an open socket has none; what it is given goes into it as it comes
      queue: { maxMessages: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER },
      highWaterMarkBytes: Number.MAX_SAFE_INTEGER,
      autoConnect: false,
      logger: given.debug ? loggerOf(debug) : false,
      clock,
    },
  }
}

function backoffOf(given: Given<Options>): RunClientOptions["backoff"] {
  const maxMs = ms("maxReconnectionDelay", given.maxReconnectionDelay ?? 10_000)
  const floorMs = Math.min(ms("minReconnectionDelay", given.minReconnectionDelay ?? 2_000), maxMs)
  // twice the least delay, so that even the first draw spreads a crowd
  return { floorMs, maxMs, initialMs: floorMs * 2, factor: given.reconnectionDelayGrowFactor ?? 1.3 }
}

/** A time that a timer can hold; a longer one, such as `Infinity`, is the longest of those. */
function ms(name: string, value: number, min = 0): number {
  return checkMs(name, value > MAX_TIMER_MS ? MAX_TIMER_MS : value, min)
}

function debugTo({ debug, debugLogger }: Given<Options>): CompatSettings["debug"] {
  if (!debug) return () => {}
  const log = checkFunction("debugLogger", debugLogger)
  const write = toConsole("debug")
  if (!log) return (said, ...args) => write(args, String(said))
  return (...args) => {
    try {
      log("RWS>", ...args)
    } catch {} // what tells of a step must not keep it from being taken
  }
}

function loggerOf(debug: CompatSettings["debug"]): Logger {
  const line = (fields: object, message?: string) => debug(message, fields)
  return { debug: line, info: line, warn: line, error: line }
}
