/**
 * Messages that wait for a connection: first in, first out, bounded by count and by bytes. It knows no socket;
 * whoever empties it does.
 */

import { checkCount, checkOneOf, type Given, resolveOptions } from "../core/options.js"
import type { Clock } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import { KeyedQueue } from "./keyed-queue.js"

/**
 * What happens to a message that finds the queue full.
 *
 * - `reject`: it is not taken, and the sender is told.
 * - `drop-newest`: it is not taken; losing it is the normal course.
 * - `drop-oldest`: the oldest waiting messages make room for it.
 */
export type QueueOverflow = "reject" | "drop-oldest" | "drop-newest"

/** Limits of a send queue. */
export interface SendQueueOptions {
  /** How many messages may wait. @defaultValue 1_024 */
  readonly maxMessages?: number
  /** How many bytes of payload may wait, text counted as UTF-8. @defaultValue 1_048_576 */
  readonly maxBytes?: number
  /** What happens above either. @defaultValue "reject" */
  readonly overflow?: QueueOverflow
}

/** {@link SendQueueOptions} with every field decided. */
export type SendQueueSettings = Required<SendQueueOptions>

/** The defaults of {@link SendQueueOptions}. */
const SEND_QUEUE_DEFAULTS: SendQueueSettings = Object.freeze({
  maxMessages: 1_024,
  maxBytes: 1_048_576,
  overflow: "reject" as QueueOverflow,
})

/** Checks options and fills in the defaults. */
export function resolveSendQueue(given?: Given<SendQueueOptions>, path = "queue"): SendQueueSettings {
  const settings = resolveOptions<SendQueueSettings>(path, SEND_QUEUE_DEFAULTS, given)
  checkCount(`${path}.maxMessages`, settings.maxMessages)
  checkCount(`${path}.maxBytes`, settings.maxBytes)
  checkOneOf(`${path}.overflow`, settings.overflow, ["reject", "drop-oldest", "drop-newest"])
  return settings
}

/**
 * Why a message was not sent: no room, too old, replaced by one of its key, its signal, `volatile` while there was no
 * connection, or a client that is closing.
 */
export type DropReason = "queue-full" | "expired" | "replaced" | "aborted" | "volatile" | "closed"

/** One waiting message. */
export interface QueuedMessage<Message, Receipt = unknown> {
  /** The message as it was given. */
  readonly message: Message
  /** The message as it will be sent; bytes are a copy. */
  readonly payload: Payload
  /** Bytes of the payload. */
  readonly size: number
  /** A newer message of the same key takes its place, at the end of the queue. */
  readonly key?: string | undefined
  /** From when on it is not worth sending, on the queue's clock. */
  readonly expiresAt?: number | undefined
  /** Takes it out of the queue. */
  readonly signal?: AbortSignal | undefined
  /** Whoever waits for it; the queue only keeps it. */
  readonly receipt?: Receipt | undefined
}

/** A bounded queue of messages. Every step is O(1) but for {@link SendQueue.clear}. */
export class SendQueue<Message, Receipt = unknown> {
  readonly #settings: SendQueueSettings
  readonly #clock: Clock
  readonly #onDrop: (item: QueuedMessage<Message, Receipt>, reason: DropReason) => void
  readonly #items = new KeyedQueue<QueuedMessage<Message, Receipt>>()
  readonly #unlisten = new Map<QueuedMessage<Message, Receipt>, () => void>()
  #bytes = 0
  /** No message expires before. */
  #nextExpiry = Number.POSITIVE_INFINITY

  constructor(
    settings: SendQueueSettings,
    clock: Clock,
    onDrop: (item: QueuedMessage<Message, Receipt>, reason: DropReason) => void,
  ) {
    this.#settings = settings
    this.#clock = clock
    this.#onDrop = onDrop
  }

  /** How many messages wait. */
  get size(): number {
    return this.#items.size
  }

  /** How many bytes of payload wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds a message at the end. Returns whether it was taken. */
  push(item: QueuedMessage<Message, Receipt>): boolean {
    if (item.signal?.aborted) {
      this.#onDrop(item, "aborted")
      return false
    }
    const gone: Loss<Message, Receipt>[] = []
    const replaced = item.key === undefined ? undefined : this.#items.take(item.key)
    if (replaced) gone.push([this.#forget(replaced), "replaced"])
    const isTaken = this.#makeRoom(item.size, gone)
    if (isTaken) this.#add(item)
    else gone.push([item, "queue-full"])
    this.#tell(gone)
    return isTaken
  }

  /** Puts a message back before all others that was shifted and not sent after all. It needs no room. */
  unshift(item: QueuedMessage<Message, Receipt>): void {
    const later = this.#items.clear()
    const isReplaced = item.key !== undefined && later.some(({ key }) => key === item.key)
    if (isReplaced || item.signal?.aborted) this.#onDrop(item, isReplaced ? "replaced" : "aborted")
    else this.#add(item)
    for (const it of later) this.#items.push(it, it.key)
  }

  /** The oldest message that is still worth sending. It stays until {@link shift}. */
  peek(): QueuedMessage<Message, Receipt> | undefined {
    for (let item = this.#items.peek(); item; item = this.#items.peek()) {
      if (item.expiresAt === undefined || item.expiresAt > this.#clock.now()) return item
      this.shift()
      this.#onDrop(item, "expired")
    }
    return undefined
  }

  /** Takes out the oldest message. */
  shift(): QueuedMessage<Message, Receipt> | undefined {
    const item = this.#items.shift()
    return item && this.#forget(item)
  }

  /** Drops whatever is not worth sending at that moment. Elsewhere it stays until its turn comes, or room is needed. */
  expire(now: number): void {
    const gone: Loss<Message, Receipt>[] = []
    this.#expire(now, gone)
    this.#tell(gone)
  }

  /** Takes out everything, oldest first, also what has expired. */
  clear(): QueuedMessage<Message, Receipt>[] {
    return this.#items.clear().map((it) => this.#forget(it))
  }

  /** Nothing will be sent any more: signals are not heard from now on. */
  end(): void {
    for (const unlisten of this.#unlisten.values()) unlisten()
    this.#unlisten.clear()
  }

  /** What waits, oldest first. */
  values(): IterableIterator<QueuedMessage<Message, Receipt>> {
    return this.#items.values()
  }

  #fits(size: number): boolean {
    return this.#items.size < this.#settings.maxMessages && this.#bytes + size <= this.#settings.maxBytes
  }

  #makeRoom(size: number, gone: Loss<Message, Receipt>[]): boolean {
    if (!this.#fits(size)) this.#expire(this.#clock.now(), gone)
    if (size > this.#settings.maxBytes) return false
    while (!this.#fits(size)) {
      const oldest = this.#settings.overflow === "drop-oldest" && this.shift()
      if (!oldest) return false
      gone.push([oldest, "queue-full"])
    }
    return true
  }

  #expire(now: number, gone: Loss<Message, Receipt>[]): void {
    if (now < this.#nextExpiry) return
    this.#nextExpiry = Number.POSITIVE_INFINITY
    for (const item of this.#items.remove((it) => it.expiresAt !== undefined && it.expiresAt <= now)) {
      gone.push([this.#forget(item), "expired"])
    }
    for (const { expiresAt } of this.#items.values()) this.#noteExpiry(expiresAt)
  }

  #noteExpiry(expiresAt = Number.POSITIVE_INFINITY): void {
    this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt)
  }

  #add(item: QueuedMessage<Message, Receipt>): void {
    const { signal } = item
    this.#items.push(item, item.key)
    this.#bytes += item.size
    this.#noteExpiry(item.expiresAt)
    if (!signal) return
    const abort = () => {
      this.#items.remove((it) => it === item)
      this.#onDrop(this.#forget(item), "aborted")
    }
    signal.addEventListener("abort", abort)
    this.#unlisten.set(item, () => signal.removeEventListener("abort", abort))
  }

  #forget(item: QueuedMessage<Message, Receipt>): QueuedMessage<Message, Receipt> {
    this.#bytes -= item.size
    this.#unlisten.get(item)?.()
    this.#unlisten.delete(item)
    return item
  }

  /** Comes last: whoever hears of a loss finds everything else in its place, and may do anything. */
  #tell(gone: readonly Loss<Message, Receipt>[]): void {
    for (const [item, reason] of gone) this.#onDrop(item, reason)
  }
}

/** A message that was given up, and why. */
type Loss<Message, Receipt> = readonly [item: QueuedMessage<Message, Receipt>, reason: DropReason]
