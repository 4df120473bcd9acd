/**
 * What one connection has to send while its way is blocked: frames wait in call order, within reach of the overflow
 * policy, and go on as room appears. It decides when to write, not how, and is made when something first stands in the way.
 *
 * | state  | what stands in the way                             | what ends it                 |
 * |--------|----------------------------------------------------|------------------------------|
 * | `free` | nothing: what is sent gathers in a batch           | –                            |
 * | `full` | the sink holds as much as it should                | the sink has room            |
 * | `held` | the oldest waiting frame is still being compressed | it is ready                  |
 * | `lent` | somebody else is in the middle of a message        | {@link Blockage.takeBack}    |
 */

import { Backlog } from "./backlog.js"
import { Batch } from "./batch.js"
import { type Frame, type FrameWaiter, refuse } from "./frame.js"
import type { OutboxOwner, SendResult, SharedSettings } from "./outbox-options.js"
import type { Sink } from "./sink.js"
import { Waiters } from "./waiters.js"

/** The outbox, as far as what waits in it is concerned. */
export interface Outlet {
  /** Whether nothing may be sent any more. */
  readonly isClosed: boolean
  /** Bytes that wait anywhere: gathered, waiting and in the sink. */
  readonly bufferedBytes: number
  /** Where batches begin that are shared with others in the same turn. */
  readonly root: Batch
  /** Takes a frame as if it were sent now. */
  take(frame: Frame): SendResult
  /** Writes a batch now. */
  write(batch: Batch): void
  /** Writes a frame now. */
  writeOne(frame: Frame): void
  /** Writes what has gathered, and what has become ready. */
  flush(): void
  /** The same at the end of this turn. */
  flushLater(): void
  /** What waits has changed. */
  note(): void
}

/** What stands in the way of an outbox, and what waits behind it. */
export class Blockage implements FrameWaiter {
  /** What waits. */
  readonly backlog: Backlog
  readonly #outlet: Outlet
  readonly #sink: Sink
  readonly #settings: SharedSettings
  readonly #owner: OutboxOwner
  #state: "free" | "full" | "held" | "lent" = "free"
  #urgent: Frame | undefined
  #drainWaiters: Waiters | undefined

  constructor(outlet: Outlet, sink: Sink, settings: SharedSettings, owner: OutboxOwner) {
    this.#outlet = outlet
    this.#sink = sink
    this.#settings = settings
    this.#owner = owner
    this.backlog = new Backlog(settings.overflow)
  }

  /** Whether what is sent has to wait here. */
  get isBlocked(): boolean {
    return this.#state !== "free"
  }

  /** Whether something other than the sink stands in the way. */
  get isHeld(): boolean {
    return this.#state === "held" || this.#state === "lent"
  }

  /** The sink is full: what is sent waits until it has room. */
  block(): void {
    if (this.#outlet.isClosed) return
    this.#state = "full"
    this.#sink.whenRoom(() => this.#refill())
  }

  /** Holds everything back until a frame is ready. */
  hold(frame: Frame): SendResult {
    this.#state = "held"
    return this.#push(frame)
  }

  /** A frame that was held is ready, if it is still there. */
  ready(): void {
    if (!this.isHeld || !this.backlog.isReady) return
    if (this.#settings.flush === "immediate") this.goOn()
    else this.#outlet.flushLater()
  }

  /** What was held goes on, if it can. */
  goOn(): void {
    if (this.backlog.isReady) this.#refill()
  }

  /** Nothing is written until {@link Blockage.takeBack}. */
  lend(): void {
    this.#state = "lent"
  }

  /** Whatever waited since {@link Blockage.lend} goes on. */
  takeBack(): void {
    this.#state = "held"
    this.#refill()
  }

  /** Keeps an urgent frame, the newest of several, until there is room for it; `false` where there is. */
  keepUrgent(frame: Frame): boolean {
    if (this.#state === "free" || (this.#state === "held" && !this.#sink.isFull)) return false
    this.#urgent = frame
    return true
  }

  /** Takes a frame that has to wait, or says why not. */
  queue(frame: Frame, size: number): SendResult {
    if (this.#state === "held" && !this.#fits(size)) {
      // the reader is not slow, and must not lose anything because compression is: what waits goes as it is
      this.#outlet.flush()
      if (this.isHeld) this.#refill(true)
      return this.#outlet.take(frame)
    }
    // beside what the sink holds already it would never fit: giving up others cannot help it
    const isHopeless = this.#sink.bufferedBytes + size > this.#settings.maxBufferedBytes
    if (isHopeless || !this.backlog.makeRoom(frame.key, () => this.#fits(size)))
      return this.giveUp(frame, size)
    if (this.backlog.isGapAtHead) return this.#push(frame)
    this.#reportLag((notice) => this.backlog.push(notice))
    // whoever heard of it may have closed the connection, sent what this one had room for, or made more room
    if (this.#outlet.isClosed) return refuse(frame)
    if (!this.isBlocked) return this.#outlet.take(frame)
    return this.#fits(size) ? this.#push(frame) : this.giveUp(frame, size)
  }

  /** There is no room for a frame, and none can be made. */
  giveUp(frame: Frame, size: number): SendResult {
    const { maxBufferedBytes, overflow } = this.#settings
    this.backlog.lose(frame, `${this.#outlet.bufferedBytes} + ${size} of ${maxBufferedBytes} bytes`)
    if (overflow === "close") this.#owner.overflowed()
    else if (!this.isBlocked) this.#reportLag()
    return "dropped"
  }

  /** Writes everything that waits, ready or not and whatever room there is; nothing within somebody else's message. */
  writeAll(): void {
    if (this.isBlocked && this.#state !== "lent") this.#advance(() => true, true)
  }

  /** Resolves when nothing waits any more; at once where nothing does. */
  drained(): Promise<void> {
    if (!this.isBlocked) return Promise.resolve()
    this.#drainWaiters ??= new Waiters()
    return this.#drainWaiters.wait()
  }

  /** Nothing will ever go on: tells those who wait for {@link Blockage.drained}. */
  abandon(makeError: () => Error): void {
    this.#drainWaiters?.reject(makeError)
  }

  #fits(size: number): boolean {
    return this.#outlet.bufferedBytes + size <= this.#settings.maxBufferedBytes
  }

  #push(frame: Frame): SendResult {
    this.backlog.push(frame)
    if (!frame.isReady) frame.whenReady(this)
    this.#outlet.note()
    // there may have been too much for all of them, and this one the slowest
    return this.#outlet.isClosed ? "dropped" : "queued"
  }

  /** There is room: what waited goes on, in order, until the sink is full again. `isHurried`: ready or not. */
  #refill(isHurried = false): void {
    if (this.#outlet.isClosed || this.#state === "lent" || !this.#sink.isWritable) return
    this.#advance(() => !this.#sink.isFull, isHurried)
    // a listener that heard of lag may have closed the connection, or sent more than there was room for
    if (this.#outlet.isClosed) return
    this.#outlet.note()
    if (this.#sink.isFull) this.block()
    else {
      this.#state = this.backlog.length > 0 ? "held" : "free"
      if (!this.isBlocked) this.#drainWaiters?.resolve()
    }
  }

  /** Writes what waited, in order, while there is room, with the word of what was lost where the gap is. */
  #advance(hasRoom: () => boolean, isHurried: boolean): void {
    if (this.#urgent) this.#outlet.writeOne(this.#urgent)
    this.#urgent = undefined
    if (this.backlog.isGapAtHead) this.#reportLag()
    this.#writeBacklog(hasRoom, isHurried)
    if (this.backlog.length > 0) return
    this.#reportLag()
    // whoever heard of it may have sent something
    this.#writeBacklog(hasRoom, isHurried)
  }

  #writeBacklog(hasRoom: () => boolean, isHurried: boolean): void {
    const backlog = this.backlog
    // many outboxes are held by the same frames, and go on in the same turn: they share what they write
    const root = this.isHeld && !isHurried ? this.#outlet.root : Batch.empty()
    while (backlog.length > 0 && (isHurried || backlog.isReady) && hasRoom()) {
      this.#outlet.write(backlog.takeChunk(root, isHurried))
    }
  }

  /** Tells the owner about a gap, if there is one. What it wants to say in the stream is placed. */
  #reportLag(place = (notice: Frame) => this.#outlet.writeOne(notice)): void {
    const notice = this.backlog.tellLag((lag) => this.#owner.lagged(lag))
    // whoever heard of it may have closed the connection
    if (notice && !this.#outlet.isClosed && this.#sink.isWritable) place(notice)
  }
}
