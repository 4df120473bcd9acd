/**
 * What a connection can be told: the settings it may share with others, and what is particular to it.
 */

import type { CodecError } from "../core/errors.js"
import { type Logger, resolveLogger } from "../core/logger.js"
import {
  checkCount,
  checkFunction,
  checkMethods,
  checkMs,
  type Given,
  resolveOptions,
} from "../core/options.js"
import { type Clock, systemClock } from "../core/timer.js"
import type { Lag } from "./backlog.js"
import { BufferBudget } from "./buffer-budget.js"
import { type Codec, checkCodec, checkLiteralPing, json, type LiteralPing } from "./codec.js"
import { type CompressionOptions, type CompressionSettings, resolveCompression } from "./compression.js"
import { Deflater } from "./deflater.js"
import { Flusher } from "./flusher.js"
import type { FrameCounters } from "./frame.js"
import { checkOutbox, OUTBOX_DEFAULTS, type OutboxOptions } from "./outbox-options.js"
import type { FrameStream } from "./sink.js"
import type { InboundLimits } from "./throttle.js"

/** What connections may share. */
export interface ConnectionOptions<Incoming = unknown, Outgoing = unknown> extends OutboxOptions {
  /** How messages become frames and back. @defaultValue json() */
  readonly codec?: Codec<Incoming, Outgoing>
  /**
   * How many async `message` listeners of one connection may be busy before reading pauses. A message that keeps several
   * busy is handed on when there is room for all of them, or nothing is under way.
   * @defaultValue 16
   */
  readonly concurrency?: number
  /** How long the closing handshake may take, in milliseconds, before the socket is terminated. @defaultValue 5_000 */
  readonly closeTimeoutMs?: number
  /** How long `sendAsync` waits for the kernel to take the bytes, in milliseconds. @defaultValue 5_000 */
  readonly sendTimeoutMs?: number
  /**
   * Text frames that are answered below the codec, because browsers cannot send ping frames; `false` for none.
   * @defaultValue what the codec offers: "ping" and "pong" with `json()`, none with `text()` and `binary()`
   */
  readonly literalPing?: LiteralPing | false
  /** Makes the reply to a frame that could not be decoded; `undefined` for none. @defaultValue no reply */
  readonly onDecodeError?: (error: CodecError) => Outgoing | undefined
  /** Makes a notice that is put into the stream where messages were lost; `undefined` for none. @defaultValue no notice */
  readonly onLag?: (lag: Lag) => Outgoing | undefined
  /**
   * Compresses what is sent (permessage-deflate, RFC 7692) to those who have agreed to that: each message once,
   * whatever the number of its receivers, without a context for each connection. `"shared"` is the defaults of
   * {@link CompressionOptions}. Only sockets whose `stream` is at hand are sent compressed messages.
   * @defaultValue false
   */
  readonly compression?: "shared" | CompressionOptions | false
  /** Takes what nobody listens to; `false` for silence. @defaultValue warnings and errors to the console */
  readonly logger?: Logger | false
  /** Where time comes from. @defaultValue the platform's */
  readonly clock?: Clock
}

/** {@link ConnectionOptions} with everything decided, and what connections of one owner share at run time. */
export interface ConnectionSettings<Incoming, Outgoing>
  extends Required<
    Omit<ConnectionOptions<Incoming, Outgoing>, "onDecodeError" | "onLag" | "logger" | "compression">
  > {
  /** See {@link ConnectionOptions.compression}. */
  readonly compression: CompressionSettings | false
  /** See {@link ConnectionOptions.onDecodeError}. */
  readonly onDecodeError: ((error: CodecError) => Outgoing | undefined) | undefined
  /** See {@link ConnectionOptions.onLag}. */
  readonly onLag: ((lag: Lag) => Outgoing | undefined) | undefined
  /** Where unheard errors go. */
  readonly logger: Logger
  /** Writes the outboxes of all of them. */
  readonly flusher: Flusher
  /** Bounds what all of them hold. */
  readonly budget: BufferBudget
  /** Compresses what all of them send; `undefined` where nothing is compressed. */
  readonly deflater: Deflater | undefined
  /** Counts encoded frames. */
  readonly counters: FrameCounters
}

/** What is particular to one connection. */
export interface ConnectionIdentity<Data = unknown> {
  /** Its name, unique in the cluster. @defaultValue 128 random bits as 32 hexadecimal digits */
  readonly id?: string | undefined
  /** The application's own state. @defaultValue undefined */
  readonly data?: Data | undefined
  /** Path parameters of the upgrade request. @defaultValue none */
  readonly params?: Readonly<Record<string, string>> | undefined
  /** The peer's address. @defaultValue undefined */
  readonly remoteAddress?: string | undefined
  /**
   * The stream under a `ws` server socket: the `socket` of the HTTP upgrade request. With it, broadcasts are framed
   * once and written once per turn; without it, messages go through the socket's own `send`.
   */
  readonly stream?: FrameStream | undefined
  /**
   * Whether the peer takes compressed messages: permessage-deflate was agreed on, with a window of at least the
   * `maxWindowBits` of {@link ConnectionOptions.compression}.
   * @defaultValue whether the socket's `extensions` name it
   */
  readonly canInflate?: boolean | undefined
  /**
   * How fast the peer may send. A breach pauses reading until the rate is kept again; ten seconds of it close with 1008.
   * @defaultValue any rate; `attach` has limits of its own
   */
  readonly inboundLimits?: InboundLimits | undefined
}

/** Parameters where there are none. Without a prototype, as all are: no name means a parameter but a parameter's. */
export const NO_PARAMS: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze(Object.create(null))

const DEFAULTS = Object.freeze({
  ...OUTBOX_DEFAULTS,
  concurrency: 16,
  closeTimeoutMs: 5_000,
  sendTimeoutMs: 5_000,
  literalPing: undefined,
  onDecodeError: undefined,
  onLag: undefined,
  compression: false as const,
  logger: undefined,
  codec: undefined,
  clock: systemClock,
})

/**
 * Checks options and fills in the defaults. An object that was seen before gives the same settings again, so that
 * everybody who passes it shares one flusher.
 * @throws InvalidOptionError with the value received.
 */
export function resolveConnection<Incoming, Outgoing>(
  options: Given<ConnectionOptions<Incoming, Outgoing>>,
  path = "connection",
): ConnectionSettings<Incoming, Outgoing> {
  const known = resolved.get(options)
  if (known) return known as ConnectionSettings<Incoming, Outgoing>
  const settings = resolve(options, path)
  resolved.set(options, settings as ConnectionSettings<unknown, unknown>)
  return settings
}

const resolved = new WeakMap<object, ConnectionSettings<unknown, unknown>>()

function resolve<Incoming, Outgoing>(
  options: Given<ConnectionOptions<Incoming, Outgoing>>,
  path: string,
): ConnectionSettings<Incoming, Outgoing> {
  const given = resolveOptions<Given<ConnectionOptions<Incoming, Outgoing>> & typeof DEFAULTS>(
    path,
    DEFAULTS as Given<ConnectionOptions<Incoming, Outgoing>> & typeof DEFAULTS,
    options as object,
  )
  checkOutbox(path, given)
  checkCount(`${path}.concurrency`, given.concurrency)
  checkMs(`${path}.closeTimeoutMs`, given.closeTimeoutMs, 1)
  checkMs(`${path}.sendTimeoutMs`, given.sendTimeoutMs, 1)
  checkFunction(`${path}.onDecodeError`, given.onDecodeError)
  checkFunction(`${path}.onLag`, given.onLag)
  checkMethods(`${path}.clock`, given.clock, ["now", "date", "setTimer", "clearTimer", "defer", "soon"])
  const codec = checkCodec(
    `${path}.codec`,
    given.codec === undefined ? json<Incoming, Outgoing>() : given.codec,
  )
  const compression = resolveCompression(`${path}.compression`, given.compression)
  return {
    ...given,
    codec,
    compression,
    deflater: compression ? new Deflater(compression) : undefined,
    literalPing: checkLiteralPing(
      `${path}.literalPing`,
      given.literalPing === undefined ? (codec.literalPing ?? false) : given.literalPing,
    ),
    onDecodeError: given.onDecodeError,
    onLag: given.onLag,
    logger: resolveLogger(given.logger),
    flusher: new Flusher(given.clock),
    budget: new BufferBudget(given.maxTotalBufferedBytes),
    counters: { framesEncoded: 0, framesDeflated: 0 },
  }
}

/** 128 random bits as 32 hexadecimal digits. */
export function randomId(): string {
  if (randomTaken === RANDOM_BYTES) {
    crypto.getRandomValues(random)
    randomTaken = 0
  }
  for (let i = 0; i < idCodes.length; i += 2, randomTaken += 1) {
    const byte = random[randomTaken] as number
    idCodes[i] = HEX_CODES[byte >> 4] as number
    idCodes[i + 1] = HEX_CODES[byte & 0xf] as number
  }
  // in one piece: a string that is put together of others keeps them all
  return String.fromCharCode.apply(null, idCodes)
}

const HEX_CODES = Array.from("0123456789abcdef", (it) => it.charCodeAt(0))
/** The character codes of the id that is being made. */
const idCodes = new Array<number>(32).fill(0)

/** Randomness is asked for in pieces that serve many ids: each question is a call into the system. */
const RANDOM_BYTES = 4_096
const random = new Uint8Array(RANDOM_BYTES)
let randomTaken = RANDOM_BYTES
