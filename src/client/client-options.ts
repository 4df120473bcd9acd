/**
 * What a reconnecting client can be told, and the checks.
 */

import { type BackoffOptions, resolveBackoff } from "../core/backoff.js"
import type { RetryAdvice } from "../core/close-codes.js"
import type { Logger } from "../core/logger.js"
import {
  checkCount,
  checkFunction,
  checkMs,
  checkOneOf,
  type Given,
  resolveOptions,
} from "../core/options.js"
import type { Clock } from "../core/timer.js"
import type { MaybePromise } from "../core/types.js"
import { type Codec, checkCodec, checkLiteralPing, json, type LiteralPing } from "../wire/codec.js"
import { checkNode, checkUrl } from "../wire/dial-request.js"
import { clockOf, type NodeOptions } from "../wire/node-options.js"
import { resolveHeartbeat } from "../wire/pulse.js"
import { resolveSendQueue, type SendQueueOptions, type SendQueueSettings } from "../wire/send-queue.js"
import type { WebSocketConstructor } from "../wire/socket.js"
import type { AttemptContext, LinkEnd, LinkRequest, PerAttempt } from "./link.js"
import type { ClientHeartbeatOptions, ClientHeartbeatSettings } from "./liveness.js"
import type { PolicySettings, ReconnectDecision } from "./reconnect-policy.js"

/** What `onOpen` is given: the moment between the open socket and the queue. */
export interface OpenContext<Outgoing> {
  /** Sends ahead of the queue: a login, a resume token. Throws when the connection is gone. */
  readonly sendNow: (message: Outgoing) => void
  /** Whether this client was open before. */
  readonly isReconnect: boolean
  /** The subprotocol that was agreed on; empty for none. */
  readonly protocol: string
}

/** Options of a `ReconnectingClient`. */
export interface ReconnectingClientOptions<Incoming = unknown, Outgoing = unknown> {
  /** How messages become frames and back. @defaultValue json() */
  readonly codec?: Codec<Incoming, Outgoing>
  /** Subprotocols to offer; a function is asked once per attempt. @defaultValue none */
  readonly protocols?: PerAttempt<string | readonly string[]>
  /** How long to wait between attempts. @defaultValue full jitter, 2 s doubling to 30 s */
  readonly backoff?: BackoffOptions
  /** How many retries in a row may fail before the client ends; `false` for any number. @defaultValue false */
  readonly maxRetries?: number | false
  /** How long an attempt may take, the `url` function and `onOpen` included, in milliseconds. @defaultValue 10_000 */
  readonly connectTimeoutMs?: number
  /** How long a connection must last before the count of attempts begins anew, in milliseconds. @defaultValue 5_000 */
  readonly stableAfterMs?: number
  /** How long the closing handshake may take, in milliseconds. @defaultValue 1_000 */
  readonly closeTimeoutMs?: number
  /** Finds dead lines; `false` for no heartbeat. @defaultValue a ping after 15 s of silence, the end 5 s later */
  readonly heartbeat?: ClientHeartbeatOptions | false
  /** Limits of what may wait while there is no connection. @defaultValue 1,024 messages, 1 MiB, `reject` */
  readonly queue?: SendQueueOptions
  /** Above so many bytes in the socket, messages wait in the queue. @defaultValue 1_048_576 */
  readonly highWaterMarkBytes?: number
  /** Advice for close codes that differs from the usual, e.g. `{ 4000: "never" }`. @defaultValue none */
  readonly closeCodes?: Readonly<Record<number, RetryAdvice>>
  /** Asked after each end: dial again? `undefined` leaves it to the close code. @defaultValue not asked */
  readonly shouldReconnect?: (end: LinkEnd) => ReconnectDecision
  /** Runs after each open, before the queue is flushed; the queue waits for its promise. @defaultValue nothing */
  readonly onOpen?: (context: OpenContext<Outgoing>) => MaybePromise<void>
  /** Ends the client when aborted. @defaultValue none */
  readonly signal?: AbortSignal
  /** Whether to dial at once; otherwise `connect()` starts. @defaultValue true */
  readonly autoConnect?: boolean
  /**
   * Whether to heed the life of a web page: an open connection is probed (5 s) when the page becomes visible, thaws or
   * changes networks, a wait is cut to 1 s, and out of the back/forward cache it dials anew. @defaultValue true
   */
  readonly pageEvents?: boolean
  /** What only the `ws` package can do: headers, agents, certificates. @defaultValue none */
  readonly node?: NodeOptions<AttemptContext>
  /** The constructor to use instead of the platform's. @defaultValue `ws` in Node, the native one in browsers */
  readonly WebSocket?: WebSocketConstructor
  /** Takes what nobody listens to; `false` for silence. @defaultValue warnings and errors to the console */
  readonly logger?: Logger | false
  /** Where time comes from. @defaultValue the platform's */
  readonly clock?: Clock
}

/** How long a server may take to answer a ping, in milliseconds: a dead line is noticed within 20 s. */
const TIMEOUT_MS = 5_000

/** Options with everything decided. */
export interface ClientSettings<Incoming, Outgoing> {
  readonly codec: Codec<Incoming, Outgoing>
  readonly link: LinkRequest
  readonly policy: PolicySettings
  readonly heartbeat: ClientHeartbeatSettings | false
  readonly literalPing: LiteralPing | false
  readonly queue: SendQueueSettings
  readonly stableAfterMs: number
  readonly highWaterMarkBytes: number
  readonly onOpen: ((context: OpenContext<Outgoing>) => MaybePromise<void>) | undefined
  readonly signal: AbortSignal | undefined
  readonly clock: Clock
}

/** The names of all options: another one is misspelled, or a subprotocol where `WebSocket` has it. */
const NAMES: Readonly<Record<keyof ReconnectingClientOptions, undefined>> = {
  codec: undefined,
  protocols: undefined,
  backoff: undefined,
  maxRetries: undefined,
  connectTimeoutMs: undefined,
  stableAfterMs: undefined,
  closeTimeoutMs: undefined,
  heartbeat: undefined,
  queue: undefined,
  highWaterMarkBytes: undefined,
  closeCodes: undefined,
  shouldReconnect: undefined,
  onOpen: undefined,
  signal: undefined,
  autoConnect: undefined,
  pageEvents: undefined,
  node: undefined,
  WebSocket: undefined,
  logger: undefined,
  clock: undefined,
}

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolveClient<Incoming, Outgoing>(
  url: PerAttempt<string | URL>,
  options: Given<ReconnectingClientOptions<Incoming, Outgoing>>,
): ClientSettings<Incoming, Outgoing> {
  resolveOptions<object>("client", NAMES, options)
  const { heartbeat, maxRetries = false } = options
  const clock = options.clock ?? clockOf(options.node)
  const codec = checkCodec("codec", options.codec === undefined ? json<Incoming, Outgoing>() : options.codec)
  const given = heartbeat || {}
  const { literalPing = codec.literalPing ?? false, idleTimeoutMs, timeoutMs = TIMEOUT_MS, ...pulse } = given
  if (idleTimeoutMs !== undefined) checkMs("heartbeat.idleTimeoutMs", idleTimeoutMs, 1)
  if (maxRetries !== false) checkCount("maxRetries", maxRetries, 0)
  for (const advice of Object.values(options.closeCodes ?? {})) {
    checkOneOf("closeCodes", advice, ["now", "later", "never"])
  }
  return {
    codec,
    link: {
      url: checkUrl(url),
      protocols: options.protocols,
      node: checkNode("node", options.node, options.WebSocket),
      WebSocket: checkFunction("WebSocket", options.WebSocket),
      connectTimeoutMs: checkMs("connectTimeoutMs", options.connectTimeoutMs ?? 10_000, 1),
      closeTimeoutMs: checkMs("closeTimeoutMs", options.closeTimeoutMs ?? 1_000, 1),
      clock,
    },
    policy: {
      backoff: resolveBackoff(options.backoff),
      maxRetries,
      closeCodes: options.closeCodes ?? {},
      shouldReconnect: checkFunction("shouldReconnect", options.shouldReconnect),
    },
    heartbeat: heartbeat !== false && { ...resolveHeartbeat({ ...pulse, timeoutMs }), idleTimeoutMs },
    literalPing: checkLiteralPing("heartbeat.literalPing", literalPing),
    queue: resolveSendQueue(options.queue),
    stableAfterMs: checkMs("stableAfterMs", options.stableAfterMs ?? 5_000),
    highWaterMarkBytes: checkCount("highWaterMarkBytes", options.highWaterMarkBytes ?? 1_048_576),
    onOpen: checkFunction("onOpen", options.onOpen),
    signal: options.signal,
    clock,
  }
}
