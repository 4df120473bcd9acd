/**
 * Puts messages together until there are enough of them, or they have waited long enough. It knows when to send, and leaves
 * to its target how.
 */

import { Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { Codec } from "../wire/codec.js"
import { type BatchSettings, bytesOf, joinParts, MessageBatch, partOf } from "./batch-format.js"

/** Whatever sends batches: a connection, a client or a selection whose codec reads them. */
export interface BatchTarget<Message, Result> {
  /** Sends a batch. */
  send(message: MessageBatch<Message>): Result
}

/** Sends messages in batches, in the order of the calls. Made by `sender` of a `batch()` codec. */
export class BatchSender<Message, Result> {
  readonly #target: BatchTarget<Message, Result>
  readonly #codec: Pick<Codec<never, Message>, "encode">
  readonly #settings: BatchSettings
  readonly #timer: Timer
  #messages: Message[] = []
  #parts: Payload[] = []
  #bytes = 0
  #isClosed = false

  /** @internal Use `sender` of a `batch()` codec. */
  constructor(
    target: BatchTarget<Message, Result>,
    codec: Pick<Codec<never, Message>, "encode">,
    settings: BatchSettings,
  ) {
    this.#target = target
    this.#codec = codec
    this.#settings = settings
    this.#timer = new Timer(settings.clock, () => this.flush())
  }

  /** How many messages wait for others. */
  get size(): number {
    return this.#parts.length
  }

  /** How many bytes the frame of those would have. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Adds a message to the batch. It is encoded now, and sent when the batch is full, when it has waited for
   * `maxDelayMs`, or at {@link flush}. What is sent past this sender goes before what waits here.
   *
   * @returns `waiting`; or, when it made the batch full, what the target says of it; or `closed`.
   * @throws CodecError when the codec cannot encode it; the batch is as it was.
   */
  send(message: Message): Result | "waiting" | "closed" {
    if (this.#isClosed) return "closed"
    const part = partOf(this.#codec.encode(message), this.#settings)
    const { maxBytes, maxMessages, maxDelayMs } = this.#settings
    // a target may call back, and then something waits again
    while (this.size > 0 && !this.#fits(part)) this.flush()
    this.#bytes += bytesOf(part, this.size === 0, this.#settings)
    this.#messages.push(message)
    this.#parts.push(part)
    if (this.#bytes >= maxBytes || this.size >= maxMessages) return this.flush() as Result
    if (!this.#timer.isArmed) this.#timer.start(maxDelayMs)
    return "waiting"
  }

  /** Sends what waits, now. Returns what the target says of it; `undefined` when nothing waits. */
  flush(): Result | undefined {
    this.#timer.stop()
    if (this.size === 0) return undefined
    const batch = new MessageBatch(this.#messages, joinParts(this.#parts, this.#settings.separator))
    this.#messages = []
    this.#parts = []
    this.#bytes = 0
    return this.#target.send(batch)
  }

  /** Sends what waits, and takes no more. Do it before closing the connection under it. */
  close(): void {
    this.#isClosed = true
    this.flush()
  }

  /** The same as {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  /** A frame holds one kind of message, and no more bytes than it may. */
  #fits(part: Payload): boolean {
    if (typeof part !== typeof this.#parts[0]) return false
    return this.#bytes + bytesOf(part, false, this.#settings) <= this.#settings.maxBytes
  }
}
