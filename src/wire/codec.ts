/**
 * How messages become frames and frames become messages. A codec knows no sockets and keeps no state, so one codec
 * serves any number of connections; what must be kept from frame to frame is in a reader, one for each connection.
 */

import { CodecError } from "../core/errors.js"
import { checkCount, checkFunction, reject, resolveOptions } from "../core/options.js"
import type { Payload } from "../core/types.js"

/**
 * Literal text frames that stand in for ping and pong where the platform cannot send the real ones.
 * They are handled below the codec and never reach the application.
 */
export interface LiteralPing {
  /** What a client sends. */
  readonly ping: string
  /** What a server answers. */
  readonly pong: string
}

/** Turns messages into frames and back. Either direction may throw; the error is reported, the connection lives on. */
export interface Codec<Incoming, Outgoing> {
  /** One outgoing message as a text frame (string) or a binary frame (bytes). */
  encode(message: Outgoing): Payload
  /** One incoming frame as a message. A text frame comes as a string, a binary frame as bytes. */
  decode(data: Payload): Incoming
  /**
   * Makes what reads one connection, for codecs with several messages in a frame, or several frames in a message.
   * Where a codec has it, each connection asks once and does not call {@link Codec.decode}; a client that reconnects
   * asks again, so nothing of a broken connection gets into the next.
   */
  reader?(): FrameReader<Incoming>
  /** Words that cannot be a message of this codec, and so can serve as ping and pong. */
  readonly literalPing?: LiteralPing
}

/** Reads the frames of one connection, in order. */
export interface FrameReader<Incoming> {
  /**
   * Takes one frame. Calls `take` with each message that it completes and `fail` with whatever is wrong, in the order
   * of the bytes. What it throws counts as a last `fail`. Neither callback throws.
   */
  read(data: Payload, take: (message: Incoming) => void, fail: (error: unknown) => void): void
  /** The connection has ended: throws when a message was begun and not completed. */
  end(): void
}

const PING_PONG: LiteralPing = Object.freeze({ ping: "ping", pong: "pong" })

/** How {@link json} reads and writes. */
export interface JsonOptions {
  /**
   * How many arrays and objects may lie in one another in a message that comes in. Deeper ones are refused: code that
   * walks a message must not be made to overflow its stack.
   * @defaultValue 64
   */
  readonly maxDepth?: number
  /** Sees each value of a message that comes in, innermost first, as in `JSON.parse`. @defaultValue none */
  readonly reviver?: (this: unknown, key: string, value: unknown) => unknown
  /** Sees each value of a message that goes out, outermost first, as in `JSON.stringify`. @defaultValue none */
  readonly replacer?: (this: unknown, key: string, value: unknown) => unknown
}

const JSON_DEFAULTS = /* @__PURE__ */ Object.freeze({
  maxDepth: 64 as number,
  reviver: undefined as JsonOptions["reviver"],
  replacer: undefined as JsonOptions["replacer"],
})

/**
 * JSON in text frames (RFC 8259). The default everywhere.
 *
 * What goes out is as `JSON.stringify` has it: fields that are `undefined` or functions are left out, and are `null`
 * in arrays; dates become ISO strings and stay strings at the other end; `NaN` and the infinities become `null`. What
 * it cannot write (`BigInt`, a cycle, a bare `undefined`) is a {@link CodecError}.
 *
 * What comes in is refused, with a {@link CodecError}, when it is deeper than `maxDepth`, or when an object has a key
 * `__proto__`, or `constructor` with an object that has `prototype`: copied into another object, such keys would reach
 * the prototype of every object. `reviver` runs after these checks. Of several equal keys the last one counts.
 *
 * The bare words `ping` and `pong` are no JSON, so they serve as {@link LiteralPing}.
 *
 * @throws InvalidOptionError with the value received.
 */
export function json<Incoming = unknown, Outgoing = unknown>(
  options: JsonOptions = {},
): Codec<Incoming, Outgoing> {
  const { maxDepth, reviver, replacer } = resolveOptions("json", JSON_DEFAULTS, options)
  checkCount("json.maxDepth", maxDepth)
  checkFunction("json.reviver", reviver)
  checkFunction("json.replacer", replacer)
  return {
    literalPing: PING_PONG,
    encode(message) {
      let cause: unknown
      try {
        const text: string | undefined = JSON.stringify(message, replacer)
        if (text !== undefined) return text
      } catch (error) {
        cause = error
      }
      const why = cause instanceof Error ? `: ${cause.message}` : ""
      throw new CodecError("ENCODE_FAILED", `${typeof message} cannot be JSON${why}`, typeof message, {
        cause,
      })
    },
    decode(data) {
      const text = expectText(data)
      try {
        const value: unknown = JSON.parse(text)
        if (isObject(value)) refuseDanger(value, maxDepth)
        // read a second time: a reviver must see nothing that is refused
        return (reviver ? JSON.parse(text, reviver) : value) as Incoming
      } catch (cause) {
        const problem = cause instanceof SyntaxError ? "not JSON" : "refused"
        throw new CodecError("DECODE_FAILED", `frame is ${problem}: ${preview(text)}`, preview(text), {
          cause,
        })
      }
    },
  }
}

/** A loop over keys and places makes no list of them: of a short message that would take longer than the reading itself. */
function refuseDanger(value: object, depth: number): void {
  if (depth === 0) throw new RangeError("it is too deep")
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) if (isObject(value[i])) refuseDanger(value[i], depth - 1)
    return
  }
  for (const key in value) {
    const inner: unknown = (value as never)[key]
    if (key === "__proto__" || (key === "constructor" && Object.hasOwn(Object(inner), "prototype")))
      throw new TypeError(`it has a key ${key}`)
    // somebody may have given all objects a member
    if (isObject(inner) && Object.hasOwn(value, key)) refuseDanger(inner, depth - 1)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null
}

/** Strings in text frames, as they are. A binary frame is a {@link CodecError}. */
export function text(): Codec<string, string> {
  return { encode: (message) => message, decode: expectText }
}

/**
 * Bytes in binary frames, as they are. A text frame is a {@link CodecError}.
 * What is decoded shares the memory of the frame and is the receiver's to keep; what is sent is copied once, into the frame.
 */
export function binary(): Codec<Uint8Array, Uint8Array> {
  return {
    encode: (message) => message,
    decode(data) {
      if (typeof data !== "string") return data
      throw new CodecError(
        "DECODE_FAILED",
        `expected a binary frame, got text: ${preview(data)}`,
        preview(data),
      )
    },
  }
}

function expectText(data: Payload): string {
  if (typeof data === "string") return data
  throw new CodecError("DECODE_FAILED", `expected a text frame, got ${data.length} bytes`, preview(data))
}

const PREVIEW_LENGTH = 32

/** The beginning of a frame, short enough for a log: text as it is, bytes in hexadecimal. */
export function preview(data: Payload): string {
  const start = data.slice(0, PREVIEW_LENGTH)
  const shown =
    typeof start === "string" ? start : Array.from(start, (it) => it.toString(16).padStart(2, "0")).join(" ")
  return data.length > PREVIEW_LENGTH ? `${shown}…` : shown
}

/**
 * Checks that an object can serve as a codec.
 * @throws InvalidOptionError with the value received.
 */
export function checkCodec<Incoming, Outgoing>(
  path: string,
  codec: Codec<Incoming, Outgoing>,
): Codec<Incoming, Outgoing> {
  if (typeof codec?.encode === "function" && typeof codec.decode === "function") return codec
  return reject(path, "a codec with encode and decode", codec)
}

/**
 * Checks a pair of literal words.
 * @throws InvalidOptionError with the value received.
 */
export function checkLiteralPing(path: string, literal: LiteralPing | false): LiteralPing | false {
  if (literal === false) return false
  if (typeof literal?.ping === "string" && typeof literal.pong === "string" && literal.ping !== literal.pong)
    return literal
  return reject(path, "false, or two different strings as ping and pong", literal)
}
