/**
 * How messages become frames and frames become messages. A codec knows no sockets and keeps no state,
 * so one codec serves any number of connections.
 */

import { CodecError } from "../core/errors.js"
import { reject } from "../core/options.js"
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
  /** Words that cannot be a message of this codec, and so can serve as ping and pong. */
  readonly literalPing?: LiteralPing
}

const PING_PONG: LiteralPing = Object.freeze({ ping: "ping", pong: "pong" })

/**
 * JSON in text frames (RFC 8259). The default everywhere. As `JSON.stringify` does it, `undefined` fields are
 * left out and dates become ISO strings; what it cannot encode (`BigInt`, a cycle, a bare `undefined`) is a
 * {@link CodecError}. The bare words `ping` and `pong` are no JSON, so they serve as {@link LiteralPing}.
 */
export function json<Incoming = unknown, Outgoing = unknown>(): Codec<Incoming, Outgoing> {
  return {
    literalPing: PING_PONG,
    encode(message) {
      let text: string | undefined
      try {
        text = JSON.stringify(message)
      } catch (cause) {
        throw new CodecError("ENCODE_FAILED", `message cannot be JSON: ${messageOf(cause)}`, typeof message, {
          cause,
        })
      }
      if (text === undefined)
        throw new CodecError("ENCODE_FAILED", `${typeof message} cannot be JSON`, typeof message)
      return text
    },
    decode(data) {
      const text = expectText(data)
      try {
        return JSON.parse(text) as Incoming
      } catch (cause) {
        throw new CodecError("DECODE_FAILED", `frame is not JSON: ${preview(text)}`, preview(text), { cause })
      }
    },
  }
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

function preview(data: Payload): string {
  const start = data.slice(0, PREVIEW_LENGTH)
  const shown =
    typeof start === "string" ? start : Array.from(start, (it) => it.toString(16).padStart(2, "0")).join(" ")
  return data.length > PREVIEW_LENGTH ? `${shown}…` : shown
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
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
