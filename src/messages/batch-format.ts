/**
 * How several messages lie in one frame. Text: joined by a separator. Bytes: each behind its length, a u32, big-endian. It
 * knows neither codecs nor connections.
 */

import { CodecError } from "../core/errors.js"
import { checkCount, checkMethods, checkMs, type Given, reject, resolveOptions } from "../core/options.js"
import { type Clock, systemClock } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import { preview } from "../wire/codec.js"
import { byteLength } from "../wire/utf8.js"

/** When a batch is sent, and how it is made. */
export interface BatchOptions {
  /**
   * The largest frame that is put together, in bytes of payload. A message that fills it alone, or more than fills it,
   * goes alone.
   * @defaultValue 16_384
   */
  readonly maxBytes?: number
  /** How many messages a frame holds at most. @defaultValue 100 */
  readonly maxMessages?: number
  /** How long a message waits for others, in milliseconds. @defaultValue 10 */
  readonly maxDelayMs?: number
  /**
   * How many messages a frame that comes in may hold. One with more is refused whole, with a `CodecError`.
   * @defaultValue 1_024
   */
  readonly maxIncoming?: number
  /** What stands between text messages, and cannot be part of one. @defaultValue a line feed, which JSON escapes */
  readonly separator?: string
  /** Where time comes from. @defaultValue the platform's */
  readonly clock?: Clock
}

/** {@link BatchOptions} with everything decided. */
export type BatchSettings = Required<BatchOptions>

const DEFAULTS: BatchSettings = /* @__PURE__ */ Object.freeze({
  maxBytes: 16_384,
  maxMessages: 100,
  maxDelayMs: 10,
  maxIncoming: 1_024,
  separator: "\n",
  clock: systemClock,
})

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolveBatch(given: Given<BatchOptions>): BatchSettings {
  const settings = resolveOptions<BatchSettings>("batch", DEFAULTS, given)
  checkCount("batch.maxBytes", settings.maxBytes)
  checkCount("batch.maxMessages", settings.maxMessages)
  checkMs("batch.maxDelayMs", settings.maxDelayMs)
  checkCount("batch.maxIncoming", settings.maxIncoming)
  if (typeof settings.separator !== "string" || settings.separator === "")
    reject("batch.separator", "a string that is not empty", settings.separator)
  checkMethods("batch.clock", settings.clock, ["setTimer", "clearTimer"])
  return settings
}

/** Messages on their way in one frame, encoded. Made by a {@link BatchSender}. */
export class MessageBatch<Message> {
  /** The messages, in order. */
  readonly messages: readonly Message[]
  /** @internal The frame. */
  readonly payload: Payload

  /** @internal */
  constructor(messages: readonly Message[], payload: Payload) {
    this.messages = messages
    this.payload = payload
  }
}

/** How wide the length in front of a binary message is, in bytes. */
const LENGTH_BYTES = 4

/**
 * A message as a part of a frame. The caller's bytes stay the caller's.
 * @throws CodecError for text in which the separator would be found too early.
 */
export function partOf(payload: Payload, { separator }: BatchSettings): Payload {
  if (typeof payload !== "string") return new Uint8Array(payload)
  // behind the message as well: "x\n" and then "\n\n" would be "x" and then "\n"
  if (`${payload}${separator}`.indexOf(separator) === payload.length) return payload
  const message = `message has the separator ${JSON.stringify(separator)} in it, or its beginning at the end`
  throw new CodecError("ENCODE_FAILED", message, preview(payload))
}

/** By how many bytes a part makes a frame larger. */
export function bytesOf(part: Payload, isFirst: boolean, { separator }: BatchSettings): number {
  if (typeof part !== "string") return LENGTH_BYTES + part.length
  return byteLength(part) + (isFirst ? 0 : byteLength(separator))
}

/** The frame of some parts, all text or all bytes; at least one. */
export function joinParts(parts: readonly Payload[], separator: string): Payload {
  if (typeof parts[0] === "string") return parts.join(separator)
  const lists = parts as readonly Uint8Array[]
  const frame = new Uint8Array(lists.reduce((sum, it) => sum + LENGTH_BYTES + it.length, 0))
  const view = new DataView(frame.buffer)
  let offset = 0
  for (const part of lists) {
    view.setUint32(offset, part.length)
    frame.set(part, offset + LENGTH_BYTES)
    offset += LENGTH_BYTES + part.length
  }
  return frame
}

/**
 * The parts of a frame; bytes are views of it.
 * @throws CodecError when there are too many, or the last one is cut off.
 */
export function splitParts(frame: Payload, settings: BatchSettings): readonly Payload[] {
  const { maxIncoming } = settings
  const parts =
    typeof frame === "string"
      ? frame.split(settings.separator, maxIncoming + 1)
      : splitBytes(frame, maxIncoming + 1)
  if (parts.length <= maxIncoming) return parts
  throw new CodecError("DECODE_FAILED", `frame of more than ${maxIncoming} messages`, preview(frame))
}

function splitBytes(frame: Uint8Array, limit: number): Uint8Array[] {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const parts: Uint8Array[] = []
  for (let offset = 0; offset < frame.length && parts.length < limit; ) {
    const start = offset + LENGTH_BYTES
    const end = start <= frame.length ? start + view.getUint32(offset) : Number.POSITIVE_INFINITY
    if (end > frame.length) throw new CodecError("DECODE_FAILED", "the batch is cut off", preview(frame))
    parts.push(frame.subarray(start, end))
    offset = end
  }
  return parts
}
