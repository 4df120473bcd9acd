/**
 * What one connection has still to send: bounded, in call order, written once per turn of the event loop.
 * It knows frames and room; it does not know messages, nor why a connection ends.
 *
 * Two stages. While the way is free, frames gather in a batch that the flusher writes. Once the sink is full, or a frame
 * is still being compressed, what follows waits in a backlog, where the overflow policy can still reach it, and moves on
 * as room appears.
 */

import { ConnectionLostError } from "../core/errors.js"
import { Backlog, CHUNK_BYTES, type Lag } from "./backlog.js"
import { Batch } from "./batch.js"
import type { BudgetMember } from "./buffer-budget.js"
import type { Deflater } from "./deflater.js"
import type { Flushable } from "./flusher.js"
import type { Frame, FrameWaiter } from "./frame.js"
import type { OutboxOwner, SendResult, SharedSettings } from "./outbox-options.js"
import type { Sink } from "./sink.js"
import { type Flow, StallWatch } from "./stall-watch.js"
import { Waiters } from "./waiters.js"

/** The frames of one connection that have not been handed to its sink. */
export class Outbox implements Flushable, FrameWaiter, Flow, BudgetMember {
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
  #backlog: Backlog | undefined
  #urgent: Frame | undefined
  /** What is sent goes to the backlog. */
  #isBlocked = false
  /** Blocked, and not by the sink: the oldest frame of the backlog is still being compressed, or the sink is lent. */
  #isHeld = false
  /** Somebody else is in the middle of a message. */
  #isLent = false
  #isClosed = false
  #stallWatch: StallWatch | undefined
  #drainWaiters: Waiters | undefined

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

  /** Bytes that wait here and in the socket. */
  get bufferedBytes(): number {
    return (this.#pending?.byteLength ?? 0) + this.waitingBytes
  }

  /** The same without what leaves with this turn. */
  get waitingBytes(): number {
    return (this.#backlog?.byteLength ?? 0) + this.#sink.bufferedBytes
  }

  /** Bytes that wait in the socket. */
  get heldBytes(): number {
    return this.#sink.bufferedBytes
  }

  /** Takes a frame, or says why not. Order of calls is order on the wire. */
  send(frame: Frame): SendResult {
    // while a batch gathers, its beginning has asked, and its end will ask again
    if (this.#isClosed || (this.#pending === undefined && !this.#sink.isWritable)) return refuse(frame)
    return this.#take(this.#deflater === undefined ? frame : this.#deflater.variantOf(frame))
  }

  /**
   * Sends a small frame ahead of everything that waits. While the sink is full at most one waits, the newest,
   * so a peer that asks for answers and never reads them costs nothing.
   */
  sendUrgent(frame: Frame): void {
    if (this.#isClosed || !this.#sink.isWritable) return
    if (this.#isHeld ? this.#isLent || this.#sink.isFull : this.#isBlocked) {
      this.#urgent = frame
      return
    }
    this.#writeOne(frame)
    if (!this.#sink.isFull) return
    this.flush()
    if (!this.#isBlocked) this.#block()
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
    const heldBytes = batch ? this.#write(batch) : 0
    if (this.#isHeld) this.#goOn()
    else if (heldBytes > 0 && this.#sink.isFull) this.#block()
  }

  /** A frame of the backlog is ready, if it is still there. */
  ready(): void {
    if (!this.#isHeld || !this.#backlog?.isReady) return
    const { flush, flusher } = this.#settings
    if (flush === "immediate") this.#goOn()
    else if (this.#pending === undefined) flusher.add(this)
  }

  /** Resolves when nothing waits for room; at once where nothing does. Rejects when the connection ends first. */
  drained(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new ConnectionLostError("the connection is closed"))
    if (!this.#isBlocked) return Promise.resolve()
    this.#drainWaiters ??= new Waiters()
    return this.#drainWaiters.wait()
  }

  /** Writes everything that waits, whatever room there is, and then nothing until {@link Outbox.takeBack}. */
  lend(): void {
    if (this.#isLent) return
    this.#writeAll()
    this.#isLent = true
    this.#isHeld = true
    this.#isBlocked = true
  }

  /** Whatever waited since {@link Outbox.lend} goes on. */
  takeBack(): void {
    this.#isLent = false
    this.#roomBytes = 0
    this.#refill(false)
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
   * told as lag. Whoever waits is told with the error, which is made only then. `isOrderly` says that the connection ended with a closing handshake, after all that was written.
   */
  abandon(makeError: () => Error, isOrderly = false): Lag {
    this.#isClosed = true
    let { count, bytes } = this.#backlog?.takeLag() ?? NO_LAG
    const frames = [...(this.#backlog?.clear() ?? []), ...(this.#pending?.frames() ?? [])]
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
    this.#drainWaiters?.reject(makeError)
    return { count, bytes }
  }

  #take(frame: Frame): SendResult {
    const size = frame.byteLength
    if (!this.#isBlocked && !this.#hasRoom(size)) {
      this.flush()
      if (this.#isClosed) return refuse(frame)
      if (!this.#isBlocked && !this.#hasRoom(size)) return this.#giveUp(frame, size)
    }
    if (this.#isBlocked) return this.#queue(frame, size)
    if (!frame.isReady) return this.#hold(frame)
    this.#gather(frame, size)
    return "sent"
  }

  #fits(size: number): boolean {
    return this.bufferedBytes + size <= this.#settings.maxBufferedBytes
  }

  /**
   * Whether the pending batch may grow so much. What the sink holds is counted after each write, and again only when
   * the room of then seems used up: nothing but control frames is written beside, so the sink has rather lost bytes since.
   */
  #hasRoom(size: number): boolean {
    if (size <= this.#roomBytes) return true
    this.#roomBytes = this.#settings.maxBufferedBytes - this.bufferedBytes
    return size <= this.#roomBytes
  }

  #gather(frame: Frame, size: number): void {
    const { flush, flusher } = this.#settings
    const isImmediate = flush === "immediate"
    if (this.#pending === undefined && !isImmediate) flusher.add(this)
    this.#pending = (this.#pending ?? this.#root).append(frame)
    this.#roomBytes -= size
    if (isImmediate || this.#pending.byteLength >= CHUNK_BYTES) this.flush()
  }

  /** Where batches begin that can be shared. */
  get #root(): Batch {
    const { flusher } = this.#settings
    return this.#deflater === undefined ? flusher.root : flusher.deflatedRoot
  }

  /** Returns what the sink holds then. */
  #write(batch: Batch): number {
    this.writtenBytes += batch.byteLength
    const heldBytes = this.#sink.write(batch, batch.isAwaited ? settling(batch) : undefined)
    this.#roomBytes = this.#settings.maxBufferedBytes - heldBytes - (this.#pending?.byteLength ?? 0)
    if (heldBytes > 0) this.#watch.begin()
    if (heldBytes > 0 || this.notedBytes > 0) this.#note()
    return heldBytes
  }

  #writeOne(frame: Frame): void {
    this.#write(Batch.empty().append(frame))
  }

  #block(): void {
    if (this.#isClosed) return
    this.#isBlocked = true
    this.#isHeld = false
    this.#sink.whenRoom(() => this.#refill(false))
  }

  /** Holds everything back until a frame is ready. */
  #hold(frame: Frame): SendResult {
    this.#isBlocked = true
    this.#isHeld = true
    return this.#push(frame)
  }

  /** Appends a frame to the backlog. */
  #push(frame: Frame): SendResult {
    this.#waiting.push(frame)
    if (!frame.isReady) frame.whenReady(this)
    this.#note()
    // there may have been too much for all of them, and this one the slowest
    return this.#isClosed ? "dropped" : "queued"
  }

  #note(): void {
    this.#settings.budget.note(this, this.waitingBytes)
  }

  #queue(frame: Frame, size: number): SendResult {
    if (this.#isHeld && !this.#isLent && !this.#fits(size)) {
      // the reader is not slow, and must not lose anything because compression is: what waits goes as it is
      this.flush()
      if (this.#isHeld) this.#refill(true)
      return this.#take(frame)
    }
    const backlog = this.#waiting
    // beside what the sink holds already it would never fit: giving up others cannot help it
    const isHopeless = this.#sink.bufferedBytes + size > this.#settings.maxBufferedBytes
    if (isHopeless || !backlog.makeRoom(frame.key, () => this.#fits(size))) return this.#giveUp(frame, size)
    if (backlog.isGapAtHead) return this.#push(frame)
    this.#reportLag((notice) => backlog.push(notice))
    // whoever heard of it may have closed the connection, sent what this one had room for, or made more room
    if (this.#isClosed) return refuse(frame)
    if (!this.#isBlocked) return this.#take(frame)
    return this.#fits(size) ? this.#push(frame) : this.#giveUp(frame, size)
  }

  #giveUp(frame: Frame, size: number): SendResult {
    const { maxBufferedBytes, overflow } = this.#settings
    this.#waiting.lose(frame, `${this.bufferedBytes} + ${size} of ${maxBufferedBytes} bytes`)
    if (overflow === "close") this.#owner.overflowed()
    else if (!this.#isBlocked) this.#reportLag()
    return "dropped"
  }

  get #watch(): StallWatch {
    const { writeTimeoutMs, clock } = this.#settings
    this.#stallWatch ??= new StallWatch(this, writeTimeoutMs, clock, () => this.#owner.stalled())
    return this.#stallWatch
  }

  get #waiting(): Backlog {
    this.#backlog ??= new Backlog(this.#settings.overflow)
    return this.#backlog
  }

  /** What was held goes on, if it can. */
  #goOn(): void {
    if (this.#backlog?.isReady) this.#refill(false)
  }

  /** There is room: what waited goes on, in order, until the sink is full again. `isHurried`: ready or not. */
  #refill(isHurried: boolean): void {
    if (this.#isClosed || this.#isLent || !this.#sink.isWritable) return
    this.#advance(() => !this.#sink.isFull, isHurried)
    // a listener that heard of lag may have closed the connection, or sent more than there was room for
    if (this.#isClosed) return
    if (this.notedBytes > 0) this.#note()
    if (this.#sink.isFull) {
      this.#block()
      return
    }
    this.#isHeld = (this.#backlog?.length ?? 0) > 0
    this.#isBlocked = this.#isHeld
    if (this.#isBlocked) return
    this.#drainWaiters?.resolve()
  }

  /** Writes what waits, however full the sink is; nothing within somebody else's message. */
  #writeAll(): void {
    this.flush()
    if (this.#isBlocked && !this.#isLent && this.#sink.isWritable) this.#advance(() => true, true)
  }

  /** Writes what waited, in order, while there is room, with the word of what was lost where the gap is. */
  #advance(hasRoom: () => boolean, isHurried: boolean): void {
    if (this.#urgent) this.#writeOne(this.#urgent)
    this.#urgent = undefined
    if (this.#backlog?.isGapAtHead) this.#reportLag()
    this.#writeBacklog(hasRoom, isHurried)
    if (this.#backlog?.length) return
    this.#reportLag()
    // whoever heard of it may have sent something
    this.#writeBacklog(hasRoom, isHurried)
  }

  #writeBacklog(hasRoom: () => boolean, isHurried: boolean): void {
    const backlog = this.#backlog
    // many outboxes are held by the same frames, and go on in the same turn: they share what they write
    const root = this.#isHeld && !isHurried ? this.#root : Batch.empty()
    while (backlog?.length && (isHurried || backlog.isReady) && hasRoom()) {
      this.#write(backlog.takeChunk(root, isHurried))
    }
  }

  /** Tells the owner about a gap, if there is one. What it wants to say in the stream is placed. */
  #reportLag(place = (notice: Frame) => this.#writeOne(notice)): void {
    const notice = this.#backlog?.tellLag((lag) => this.#owner.lagged(lag))
    // whoever heard of it may have closed the connection
    if (notice && !this.#isClosed && this.#sink.isWritable) place(notice)
  }
}

const NO_LAG: Lag = Object.freeze({ count: 0, bytes: 0 })

function refuse(frame: Frame): "closed" {
  if (frame.isAwaited) frame.settle(new ConnectionLostError("the connection is closed"))
  return "closed"
}

function lost(cause?: Error | null): Error | undefined {
  return cause ? new ConnectionLostError("the connection ended before the bytes left", { cause }) : undefined
}

function settling(batch: Batch): (error?: Error | null) => void {
  return (error) => batch.settle(lost(error))
}
