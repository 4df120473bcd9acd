/**
 * Many messages in one frame: fewer frames, and more for a compressor to find. A codec around another one; text is joined by
 * a separator, so that a peer without this library can take it apart, and binary messages have their length in front.
 */

import { CodecError } from "../core/errors.js"
import { checkMethods, type Given } from "../core/options.js"
import type { Payload } from "../core/types.js"
import { type Codec, checkCodec, type FrameReader, preview } from "../wire/codec.js"
import {
  type BatchOptions,
  type BatchSettings,
  joinParts,
  MessageBatch,
  partOf,
  resolveBatch,
  splitParts,
} from "./batch-format.js"
import { BatchSender, type BatchTarget } from "./batch-sender.js"

/** A codec whose frames may hold several messages. */
export interface BatchCodec<Incoming, Outgoing> extends Codec<Incoming, Outgoing | MessageBatch<Outgoing>> {
  /**
   * Sends in batches to a connection, a client, or a selection that has this codec.
   * @throws InvalidOptionError for what has no `send`.
   */
  sender<Result>(target: BatchTarget<Outgoing, Result>): BatchSender<Outgoing, Result>
}

/**
 * Wraps a codec so that a frame may hold several messages. Both sides need it to read batches; a text frame with one
 * message is the same with and without it. What is sent as usual goes alone; a {@link BatchSender} puts together.
 *
 * Each message of a frame is handed on by itself, in order; one that cannot be decoded is an error by itself.
 *
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * const codec = batch(json<Incoming, Outgoing>(), { maxDelayMs: 20 })
 * const client = new ReconnectingClient(url, { codec })
 * const moves = codec.sender(client)
 * moves.send({ type: "move", x, y })
 */
export function batch<Incoming, Outgoing>(
  codec: Codec<Incoming, Outgoing>,
  options: Given<BatchOptions> = {},
): BatchCodec<Incoming, Outgoing> {
  const inner = checkCodec("batch.codec", codec)
  const settings = resolveBatch(options)
  const encodeOne = (message: Outgoing) =>
    joinParts([partOf(inner.encode(message), settings)], settings.separator)
  return {
    ...(inner.literalPing && { literalPing: inner.literalPing }),
    encode: (message) => (message instanceof MessageBatch ? message.payload : encodeOne(message)),
    decode(data) {
      const parts = splitParts(data, settings)
      const [part] = parts
      if (part !== undefined && parts.length === 1) return inner.decode(part)
      throw new CodecError("DECODE_FAILED", `expected one message, got ${parts.length}`, preview(data))
    },
    reader: () => new BatchReader(inner, settings),
    sender: (target) =>
      new BatchSender(checkMethods("batch.sender target", target, ["send"]), inner, settings),
  }
}

/** Reads the batches of one connection. */
class BatchReader<Incoming> implements FrameReader<Incoming> {
  readonly #codec: Codec<Incoming, never>
  readonly #reader: FrameReader<Incoming> | undefined
  readonly #settings: BatchSettings

  constructor(codec: Codec<Incoming, never>, settings: BatchSettings) {
    this.#codec = codec
    this.#reader = codec.reader?.()
    this.#settings = settings
  }

  read(data: Payload, take: (message: Incoming) => void, fail: (error: unknown) => void): void {
    for (const part of splitParts(data, this.#settings)) {
      if (this.#reader) readThrough(this.#reader, part, take, fail)
      else this.#decode(part, take, fail)
    }
  }

  end(): void {
    this.#reader?.end()
  }

  #decode(part: Payload, take: (message: Incoming) => void, fail: (error: unknown) => void): void {
    let message: Incoming
    try {
      message = this.#codec.decode(part)
    } catch (error) {
      fail(error)
      return
    }
    take(message)
  }
}

function readThrough<Incoming>(
  reader: FrameReader<Incoming>,
  part: Payload,
  take: (message: Incoming) => void,
  fail: (error: unknown) => void,
): void {
  try {
    reader.read(part, take, fail)
  } catch (error) {
    fail(error)
  }
}
