/**
 * What one connection has still to send: bounded, in call order, written once per turn of the event loop.
 * It knows frames and room; it does not know messages, nor why a connection ends.
 *
 * Two stages. While the way is free, frames gather in a batch that the flusher writes. Once the sink is full, or a frame
 * is still being compressed, what follows waits in a {@link Blockage}, where the overflow policy can still reach it.
 */

import { ConnectionLostError } from "../core/errors.js"
import { CHUNK_BYTES, type Lag } from "./backlog.js"
import { Batch } from "./batch.js"
import { Blockage, type Outlet } from "./blockage.js"
import type { BudgetMember } from "./buffer-budget.js"
import type { Deflater } from "./deflater.js"
import type { Flushable } from "./flusher.js"
import { type Frame, refuse } from "./frame.js"
import type { OutboxOwner, SendResult, SharedSettings } from "./outbox-options.js"
import type { Sink } from "./sink.js"
import { type Flow, StallWatch } from "./stall-watch.js"

/** The frames of one connection that have not been handed to its sink. */
export class Outbox implements Flushable, Outlet, Flow, BudgetMember {
  /** Bytes given to the sink so far. */
  writtenBytes = 0
  notedBytes = 0
  readonly #sink: Sink
  readonly #settings: SharedSettings
  readonly #owner: OutboxOwner
  readonly #deflater: Pick<Deflater, "variantOf"> | undefined
  #pending: Batch | undefined
  /** How much more may gather, as far as is known. */
  #roomBytes = 0
  #isClosed = false
  #blockage: Blockage | undefined
  #stallWatch: StallWatch | undefined

  /** @param deflater - Compresses what is sent, where the peer has agreed to that. */
  constructor(
    sink: Sink,
    settings: SharedSettings,
    owner: OutboxOwner,
    deflater?: Pick<Deflater, "variantOf">,
  ) {
    this.#sink = sink
    this.#settings = settings
    this.#owner = owner
    this.#deflater = deflater
  }

  /** Whether a message sent now would leave at the end of this turn. */
  get isWritable(): boolean {
    return !this.#isClosed && !this.#isBlocked && this.#sink.isWritable
  }

  /** Whether nothing is taken any more. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Bytes that wait here and in the socket. */
  get bufferedBytes(): number {
    return (this.#pending?.byteLength ?? 0) + this.waitingBytes
  }

  /** The same without what leaves with this turn. */
  get waitingBytes(): number {
    return (this.#blockage?.backlog.byteLength ?? 0) + this.#sink.bufferedBytes
  }

  /** Bytes that wait in the socket. */
  get heldBytes(): number {
    return this.#sink.bufferedBytes
  }

  /** Takes a frame, or says why not. Order of calls is order on the wire. */
  send(frame: Frame): SendResult {
    // while a batch gathers, its beginning has asked, and its end will ask again
    if (this.#isClosed || (this.#pending === undefined && !this.#sink.isWritable)) return refuse(frame)
    return this.take(this.#deflater === undefined ? frame : this.#deflater.variantOf(frame))
  }

  /**
   * Sends a small frame ahead of everything that waits. While the sink is full at most one waits, the newest,
   * so a peer that asks for answers and never reads them costs nothing.
   */
  sendUrgent(frame: Frame): void {
    if (this.#isClosed || !this.#sink.isWritable || this.#blockage?.keepUrgent(frame)) return
    this.writeOne(frame)
    if (!this.#sink.isFull) return
    this.flush()
    if (!this.#isBlocked) this.#blocking.block()
  }

  /** Writes what has gathered, and what has become ready. Called by the flusher. */
  flush(): void {
    if (!this.#sink.isWritable) {
      // a socket that has begun to close never opens again; what gathered is counted when it has ended
      this.#isClosed ||= this.#pending !== undefined
      return
    }
    const batch = this.#pending
    this.#pending = undefined
    const heldBytes = batch ? this.write(batch) : 0
    if (this.#blockage?.isHeld) this.#blockage.goOn()
    else if (heldBytes > 0 && this.#sink.isFull) this.#blocking.block()
  }

  /** Resolves when nothing waits for room; at once where nothing does. Rejects when the connection ends first. */
  drained(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new ConnectionLostError("the connection is closed"))
    return this.#blockage?.drained() ?? Promise.resolve()
  }

  /** Writes everything that waits, whatever room there is, and then nothing until {@link Outbox.takeBack}. */
  lend(): void {
    this.#writeAll()
    this.#blocking.lend()
  }

  /** Whatever waited since {@link Outbox.lend} goes on. */
  takeBack(): void {
    // the sink holds what others have written meanwhile
    this.#roomBytes = 0
    this.#blocking.takeBack()
  }

  /** The budget of all outboxes is used up. One that is closing has nothing left to give up. */
  shed(): boolean {
    if (this.#isClosed) return false
    this.#owner.overloaded()
    return true
  }

  /** Writes everything, whatever room there is, and takes no more: what was sent before a close goes before it. */
  finish(): void {
    if (this.#isClosed) return
    this.#writeAll()
    this.#isClosed = true
  }

  /**
   * Gives up whatever has not been written, and takes no more. Returns what never left this outbox and has not been
   * told as lag. Whoever waits is told with the error, which is made only then. `isOrderly` says that the connection ended
   * with a closing handshake, after all that was written.
   */
  abandon(makeError: () => Error, isOrderly = false): Lag {
    this.#isClosed = true
    let { count, bytes } = this.#blockage?.backlog.takeLag() ?? NO_LAG
    const frames = [...(this.#blockage?.backlog.clear() ?? []), ...(this.#pending?.frames() ?? [])]
    this.#pending = undefined
    this.#stallWatch?.stop()
    this.#settings.budget.note(this, 0)
    this.#sink.close(makeError, isOrderly)
    for (const frame of frames) {
      if (frame.isAwaited) frame.settle(makeError())
      // nobody has sent that one
      if (frame.isNotice) continue
      count += 1
      bytes += frame.byteLength
    }
    this.#blockage?.abandon(makeError)
    return { count, bytes }
  }

  // --- for the blockage

  /** Takes a frame: it gathers, waits behind others, or is given up. */
  take(frame: Frame): SendResult {
    const size = frame.byteLength
    // a private getter costs a call into the engine's runtime: the one look of the usual way goes without
    if (this.#blockage?.isBlocked || !frame.isReady || !this.#hasRoom(size)) return this.#detour(frame, size)
    this.#gather(frame, size)
    return "sent"
  }

  /** Writes a batch now. Returns what the sink holds then. */
  write(batch: Batch): number {
    this.writtenBytes += batch.byteLength
    const heldBytes = this.#sink.write(batch, batch.isAwaited ? settling(batch) : undefined)
    this.#roomBytes = this.#settings.maxBufferedBytes - heldBytes - (this.#pending?.byteLength ?? 0)
    if (heldBytes > 0) this.#watch.begin()
    if (heldBytes > 0 || this.notedBytes > 0) this.note()
    return heldBytes
  }

  /** Writes a frame now. */
  writeOne(frame: Frame): void {
    this.write(Batch.empty().append(frame))
  }

  /** Asks for a {@link Outbox.flush} at the end of this turn. One is asked for already while a batch gathers. */
  flushLater(): void {
    if (this.#pending === undefined) this.#settings.flusher.add(this)
  }

  /** What waits has changed: the budget of all outboxes is to know. */
  note(): void {
    this.#settings.budget.note(this, this.waitingBytes)
  }

  /** Where batches begin that can be shared. */
  get root(): Batch {
    const { flusher } = this.#settings
    return this.#deflater === undefined ? flusher.root : flusher.deflatedRoot
  }

  // --- inside

  /**
   * Whether the pending batch may grow so much. What the sink holds is counted after each write, and again only when
   * the room of then seems used up: nothing but control frames is written beside, so the sink has rather lost bytes since.
   */
  #hasRoom(size: number): boolean {
    if (size <= this.#roomBytes) return true
    this.#roomBytes = this.#settings.maxBufferedBytes - this.bufferedBytes
    return size <= this.#roomBytes
  }

  /** Takes a frame that cannot simply gather. */
  #detour(frame: Frame, size: number): SendResult {
    if (!this.#isBlocked && !this.#hasRoom(size)) this.flush()
    if (this.#isClosed) return refuse(frame)
    if (this.#isBlocked) return this.#blocking.queue(frame, size)
    if (!this.#hasRoom(size)) return this.#blocking.giveUp(frame, size)
    if (!frame.isReady) return this.#blocking.hold(frame)
    this.#gather(frame, size)
    return "sent"
  }

  #gather(frame: Frame, size: number): void {
    const { flush, flusher } = this.#settings
    const isImmediate = flush === "immediate"
    if (this.#pending === undefined && !isImmediate) flusher.add(this)
    this.#pending = (this.#pending ?? this.root).append(frame)
    this.#roomBytes -= size
    if (isImmediate || this.#pending.byteLength >= CHUNK_BYTES) this.flush()
  }

  /** Writes what waits, however full the sink is; nothing within somebody else's message. */
  #writeAll(): void {
    this.flush()
    if (this.#sink.isWritable) this.#blockage?.writeAll()
  }

  /** What is sent has to wait. */
  get #isBlocked(): boolean {
    return this.#blockage?.isBlocked === true
  }

  get #blocking(): Blockage {
    this.#blockage ??= new Blockage(this, this.#sink, this.#settings, this.#owner)
    return this.#blockage
  }

  get #watch(): StallWatch {
    const { writeTimeoutMs, clock } = this.#settings
    this.#stallWatch ??= new StallWatch(this, writeTimeoutMs, clock, () => this.#owner.stalled())
    return this.#stallWatch
  }
}

const NO_LAG: Lag = Object.freeze({ count: 0, bytes: 0 })

function lost(cause?: Error | null): Error | undefined {
  return cause ? new ConnectionLostError("the connection ended before the bytes left", { cause }) : undefined
}

function settling(batch: Batch): (error?: Error | null) => void {
  return (error) => batch.settle(lost(error))
}
