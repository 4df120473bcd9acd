/**
 * The sending half of a client: straight to the socket where it has room, into the queue where it has none.
 * It knows no states; it is told when messages may flow, and when they never will again.
 */

import {
  ConnectionLostError,
  HoldfastError,
  QueueFullError,
  SendTimeoutError,
  UnconfirmedError,
} from "../core/errors.js"
import { checkMs, checkOneOf } from "../core/options.js"
import { type Clock, Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { Codec } from "../wire/codec.js"
import { withResolvers } from "../wire/message-iterator.js"
import { type DropReason, type QueuedMessage, SendQueue, type SendQueueSettings } from "../wire/send-queue.js"
import { byteLength } from "../wire/utf8.js"
import type { Ledger, Receipt } from "./ledger.js"
import type { Link } from "./link.js"

/**
 * What became of a message that was given to `send`: handed to the socket, kept in the queue, or given up
 * (a `dropped` event says why).
 */
export type ClientSendResult = "sent" | "queued" | "dropped"

/** How one message may be treated. */
export interface ClientSendOptions {
  /** Send it now or not at all. @defaultValue false */
  readonly volatile?: boolean
  /** How long it is worth sending, in milliseconds. @defaultValue for ever */
  readonly ttlMs?: number
  /** Replaces the waiting message of the same key; the newer one takes its place at the end. @defaultValue none */
  readonly key?: string
  /** Takes it out of the queue. @defaultValue none */
  readonly signal?: AbortSignal
}

/** How one message may be treated that is waited for. */
export interface ClientSendAsyncOptions extends ClientSendOptions {
  /**
   * What to wait for: `handoff`, the socket has taken the message; or `fenced`, the peer has answered a ping that was
   * sent after it, which proves that the message arrived, since frames keep their order.
   * @defaultValue "handoff"
   */
  readonly until?: "handoff" | "fenced"
}

/** What a sender goes by. */
export interface SenderSettings<Outgoing> {
  /** How messages become frames. */
  readonly codec: Pick<Codec<never, Outgoing>, "encode">
  /** Limits of what may wait. */
  readonly queue: SendQueueSettings
  /** Above so many bytes in the socket, messages wait. */
  readonly highWaterMarkBytes: number
  /** Where time comes from. */
  readonly clock: Clock
}

/** How often a full socket is looked at, in milliseconds. Browsers have no event for it. */
const PUMP_MS = 20

/** Sends in the order of the calls, over one link after another. */
export class Sender<Outgoing> {
  readonly #settings: SenderSettings<Outgoing>
  readonly #onDrop: (message: Outgoing, reason: DropReason) => void
  readonly #queue: SendQueue<Outgoing, Receipt>
  readonly #pump: Timer
  #link: Link | undefined
  #ledger: Ledger | undefined
  /** The socket is being given a message: it may call back. */
  #isHanding = false
  #isEnded = false

  constructor(settings: SenderSettings<Outgoing>, onDrop: (message: Outgoing, reason: DropReason) => void) {
    this.#settings = settings
    this.#onDrop = onDrop
    this.#queue = new SendQueue(settings.queue, settings.clock, (item, reason) => this.#drop(item, reason))
    this.#pump = new Timer(settings.clock, () => this.#flush())
  }

  /** How many messages wait. */
  get size(): number {
    return this.#queue.size
  }

  /** How many bytes of payload wait. */
  get bytes(): number {
    return this.#queue.bytes
  }

  /** From now on messages flow over this link, and are noted in its ledger; what waits goes first. */
  start(link: Link, ledger: Ledger): void {
    this.#link = link
    this.#ledger = ledger
    this.#flush()
  }

  /** From now on messages wait. */
  stop(): void {
    this.#link = undefined
    this.#pump.stop()
  }

  /** No message is taken any more. What waits can still be taken out, but is not waited for. */
  end(): void {
    this.#isEnded = true
    this.stop()
    this.#queue.end()
    for (const { receipt } of this.#queue.values()) receipt?.reject(lossError("closed"))
  }

  /** Takes everything out of the queue, oldest first. */
  drain(): Outgoing[] {
    // after the end nobody would hear of it
    if (!this.#isEnded) this.#queue.expire(this.#settings.clock.now())
    return this.#queue.clear().map(({ message, receipt }) => {
      receipt?.reject(new HoldfastError("ABORTED", "the message was taken out of the queue"))
      return message
    })
  }

  /** Sends a message, or keeps it, or gives it up. Tells nobody anything but drops and the receipt's owner. */
  send(message: Outgoing, options: ClientSendOptions, receipt?: Receipt): ClientSendResult {
    const { volatile, ttlMs, key, signal } = options
    const { codec, clock } = this.#settings
    const expiresAt = ttlMs === undefined ? undefined : clock.now() + checkMs("send.ttlMs", ttlMs)
    const payload = copied(codec.encode(message))
    if (signal?.aborted) return this.#drop({ message, receipt, signal }, "aborted")
    if (this.#queue.size === 0 && this.#hasRoom && this.#transmit(payload, receipt)) {
      if (this.#queue.size > 0) this.#flush()
      return "sent"
    }
    // asked late: the codec and the socket may have run anything
    const reason = this.#isEnded ? "closed" : volatile && "volatile"
    if (reason) return this.#drop({ message, receipt }, reason)
    const size = byteLength(payload)
    const isTaken = this.#queue.push({ message, payload, size, key, expiresAt, signal, receipt })
    this.#flush()
    return isTaken ? "queued" : "dropped"
  }

  /** Sends a message, and resolves when it is where it was wanted. */
  async sendAsync(message: Outgoing, options: ClientSendAsyncOptions): Promise<void> {
    const until = checkOneOf<Receipt["until"]>("sendAsync.until", options.until ?? "handoff", [
      "handoff",
      "fenced",
    ])
    const { promise, resolve, reject } = withResolvers<void>()
    const { signal, ttlMs } = options
    const { clock } = this.#settings
    this.send(message, options, { until, resolve, reject })
    const late = () =>
      new UnconfirmedError("the signal was aborted before the answer", { cause: signal?.reason })
    // the queue hears of it too, and rejects at once: a message that it has not got any more is on its way
    const abort = () => clock.soon(() => reject(late()))
    const sentAt = clock.now()
    const timer = new Timer(clock, () => this.#queue.expire(sentAt + (ttlMs ?? 0)))
    signal?.addEventListener("abort", abort)
    if (ttlMs !== undefined) timer.start(ttlMs)
    try {
      await promise
    } finally {
      timer.stop()
      signal?.removeEventListener("abort", abort)
    }
  }

  get #hasRoom(): boolean {
    const link = this.#link
    return !this.#isHanding && !!link?.isOpen && link.bufferedBytes < this.#settings.highWaterMarkBytes
  }

  /**
   * Sends what waits, oldest first, as far as the socket has room. A message is out of the queue while the socket has
   * it in its hands, so that nothing which happens meanwhile can give it up too.
   */
  #flush(): void {
    if (this.#isHanding) return
    // whoever hears that a message has expired may do anything, and so may a socket that is asked for its room
    while (this.#queue.peek() && this.#hasRoom) {
      const item = this.#queue.shift()
      if (item && !this.#transmit(item.payload, item.receipt)) this.#queue.unshift(item)
    }
    if (this.#link && this.#queue.size > 0) this.#pump.start(PUMP_MS)
  }

  #transmit(payload: Payload, receipt: Receipt | undefined): boolean {
    const link = this.#link
    const ledger = this.#ledger
    if (!link || !ledger) return false
    this.#isHanding = true
    ledger.count(1)
    try {
      link.send(payload)
      ledger.sent(receipt)
      return true
    } catch (cause) {
      ledger.count(-1)
      this.stop()
      if (this.#isEnded) receipt?.reject(lossError("closed"))
      // not at once: the message has to be in its place before anybody is told
      const error = new ConnectionLostError("the socket does not take messages any more", { cause })
      this.#settings.clock.soon(() => link.fail(error))
      return false
    } finally {
      this.#isHanding = false
    }
  }

  #drop({ message, receipt, signal }: Lost<Outgoing>, reason: DropReason): "dropped" {
    receipt?.reject(lossError(reason, signal?.reason))
    this.#onDrop(message, reason)
    return "dropped"
  }
}

/** A message that is given up, and whoever has to hear of it. */
type Lost<Outgoing> = Pick<QueuedMessage<Outgoing, Receipt>, "message" | "receipt" | "signal">

/** Why a message that is waited for will not be sent. */
function lossError(reason: DropReason, cause?: unknown): Error {
  switch (reason) {
    case "queue-full":
      return new QueueFullError("the queue has no room for the message")
    case "expired":
      return new SendTimeoutError("not sent within ttlMs")
    case "replaced":
      return new HoldfastError("ABORTED", "a newer message of the same key was sent instead")
    case "aborted":
      return new HoldfastError("ABORTED", "the signal of the message was aborted", { cause })
    case "volatile":
      return new ConnectionLostError("there is no connection with room for a volatile message")
    case "closed":
      return new ConnectionLostError("the client has ended")
  }
}

/** The caller's bytes stay the caller's. Not `slice()`: a Buffer's shares its memory. */
function copied(payload: Payload): Payload {
  return typeof payload === "string" ? payload : new Uint8Array(payload)
}
