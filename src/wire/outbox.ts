/**
 * What one connection has still to send: bounded, in call order, written once per turn of the event loop.
 * It knows frames and room; it does not know messages, nor why a connection ends.
 *
 * Two stages. While the way is free, frames gather in a batch that the flusher writes. Once the sink is full,
 * frames wait in a backlog, where the overflow policy can still reach them, and move on as room appears.
 */

import { ConnectionLostError } from "../core/errors.js"
import { checkCount, checkMs, checkOneOf } from "../core/options.js"
import { type Clock, Timer } from "../core/timer.js"
import { Backlog, CHUNK_BYTES, type Lag, type OverflowPolicy } from "./backlog.js"
import { Batch } from "./batch.js"
import type { Flushable, Flusher, FlushMode } from "./flusher.js"
import type { Frame } from "./frame.js"
import type { Sink } from "./sink.js"

/**
 * What became of a message that was given to `send`.
 *
 * - `sent`: it leaves at the end of this turn of the event loop.
 * - `queued`: the reader is slow; it waits in the outbox.
 * - `dropped`: the overflow policy gave it up.
 * - `closed`: the connection is not open any more.
 */
export type SendResult = "sent" | "queued" | "dropped" | "closed"

/** Limits of an outbox. */
export interface OutboxOptions {
  /**
   * How many bytes may wait for one connection: outbox, socket and the new message together.
   * @defaultValue 1_048_576
   */
  readonly maxBufferedBytes?: number
  /** What happens above that. @defaultValue "close" */
  readonly overflow?: OverflowPolicy
  /** How long bytes may wait without any of them leaving, in milliseconds, before the connection is cut. @defaultValue 10_000 */
  readonly writeTimeoutMs?: number
  /**
   * `tick` joins everything sent in one turn of the event loop into one write; `immediate` writes each message at once.
   * @defaultValue "tick"
   */
  readonly flush?: FlushMode
}

/** {@link OutboxOptions} with every field decided. */
export type OutboxSettings = Required<OutboxOptions>

/** The defaults of {@link OutboxOptions}. */
export const OUTBOX_DEFAULTS: OutboxSettings = Object.freeze({
  maxBufferedBytes: 1_048_576,
  overflow: "close" as OverflowPolicy,
  writeTimeoutMs: 10_000,
  flush: "tick" as FlushMode,
})

/** Throws for settings that cannot be. */
export function checkOutbox(path: string, settings: OutboxSettings): void {
  checkCount(`${path}.maxBufferedBytes`, settings.maxBufferedBytes)
  checkOneOf(`${path}.overflow`, settings.overflow, ["close", "drop-newest", "drop-oldest", "latest"])
  checkMs(`${path}.writeTimeoutMs`, settings.writeTimeoutMs, 1)
  checkOneOf(`${path}.flush`, settings.flush, ["tick", "immediate"])
}

/** Whose outbox it is: it hears what only the connection can decide. */
export interface OutboxOwner {
  /** The policy is `close` and there is no room. */
  overflowed(): void
  /** Messages were lost and there is room again. A frame that is returned goes where the gap is. */
  lagged(lag: Lag): Frame | undefined
  /** Nothing left for `writeTimeoutMs`. */
  stalled(): void
}

/** The limits, and what outboxes of one owner share at run time. */
export interface SharedSettings extends OutboxSettings {
  /** Writes all of them at the end of a turn. */
  readonly flusher: Flusher
  /** Where time comes from. */
  readonly clock: Clock
}

/** How often a sink that holds bytes is looked at within `writeTimeoutMs`. */
const LOOKS_PER_TIMEOUT = 4

/** The frames of one connection that have not been handed to its sink. */
export class Outbox implements Flushable {
  /** Bytes given to the sink so far. */
  writtenBytes = 0
  readonly #sink: Sink
  readonly #settings: SharedSettings
  readonly #owner: OutboxOwner
  #pending: Batch | undefined
  /** How much more the pending batch may grow, as far as is known. */
  #roomBytes = 0
  #backlog: Backlog | undefined
  #urgent: Frame | undefined
  #isBlocked = false
  #isClosed = false
  #leftBytes = 0
  #idleLooks = 0
  #stallTimer: Timer | undefined
  #drainWaiters: { resolve(): void; reject(error: Error): void }[] | undefined

  constructor(sink: Sink, settings: SharedSettings, owner: OutboxOwner) {
    this.#sink = sink
    this.#settings = settings
    this.#owner = owner
  }

  /** Whether a message sent now would leave at the end of this turn. */
  get isWritable(): boolean {
    return !this.#isClosed && !this.#isBlocked && this.#sink.isWritable
  }

  /** Bytes that wait here and in the socket. */
  get bufferedBytes(): number {
    return (this.#pending?.byteLength ?? 0) + (this.#backlog?.byteLength ?? 0) + this.#sink.bufferedBytes
  }

  /** Takes a frame, or says why not. Order of calls is order on the wire. */
  send(frame: Frame): SendResult {
    if (this.#isClosed || !this.#sink.isWritable) return refuse(frame)
    const size = this.#sink.sizeOf(frame)
    if (!this.#isBlocked && !this.#hasRoom(size)) {
      this.flush()
      if (!this.#isBlocked && !this.#hasRoom(size)) return this.#giveUp(frame, size)
    }
    if (this.#isBlocked) return this.#queue(frame, size)
    this.#gather(frame, size)
    return "sent"
  }

  /**
   * Sends a small frame ahead of everything that waits. While the sink is full at most one waits, the newest,
   * so a peer that asks for answers and never reads them costs nothing.
   */
  sendUrgent(frame: Frame): void {
    if (this.#isClosed || !this.#sink.isWritable) return
    if (this.#isBlocked) {
      this.#urgent = frame
      return
    }
    this.#writeOne(frame)
    if (!this.#sink.isFull) return
    this.flush()
    if (!this.#isBlocked) this.#block()
  }

  /** Writes what has gathered. Called by the flusher. */
  flush(): void {
    const batch = this.#pending
    if (!batch || !this.#sink.isWritable) return
    this.#pending = undefined
    this.#write(batch)
    if (this.#sink.isFull) this.#block()
  }

  /** Resolves when nothing waits for room; at once where nothing does. Rejects when the connection ends first. */
  drained(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new ConnectionLostError("the connection is closed"))
    if (!this.#isBlocked) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#drainWaiters ??= []
      this.#drainWaiters.push({ resolve, reject })
    })
  }

  /** Writes everything, whatever room there is, and takes no more: what was sent before a close goes before it. */
  finish(): void {
    if (this.#isClosed) return
    this.flush()
    if (this.#isBlocked && this.#sink.isWritable) this.#advance(() => true)
    this.#isClosed = true
  }

  /**
   * Gives up whatever has not been written, and takes no more. Returns what never left this outbox and has not been
   * told as lag. `isOrderly` says that the connection ended with a closing handshake, after all that was written.
   */
  abandon(error: Error, isOrderly = false): Lag {
    this.#isClosed = true
    const lag = this.#backlog?.takeLag()
    const bytes = (lag?.bytes ?? 0) + (this.#pending?.byteLength ?? 0) + (this.#backlog?.byteLength ?? 0)
    const frames = [...(this.#backlog?.clear() ?? []), ...(this.#pending?.frames() ?? [])]
    this.#pending = undefined
    this.#stallTimer?.stop()
    this.#sink.close(error, isOrderly)
    for (const frame of frames) frame.settle(error)
    for (const waiter of this.#drainWaiters ?? []) waiter.reject(error)
    this.#drainWaiters = undefined
    return { count: (lag?.count ?? 0) + frames.length, bytes }
  }

  #fits(size: number): boolean {
    return this.bufferedBytes + size <= this.#settings.maxBufferedBytes
  }

  /**
   * Whether the pending batch may grow so much. What the sink holds is counted when a batch begins, and again only when
   * the room of then seems used up: while a batch gathers, nothing but control frames is written beside it, so the sink
   * has rather lost bytes since.
   */
  #hasRoom(size: number): boolean {
    if (size <= this.#roomBytes && this.#pending !== undefined) return true
    this.#roomBytes = this.#settings.maxBufferedBytes - this.bufferedBytes
    return size <= this.#roomBytes
  }

  #gather(frame: Frame, size: number): void {
    const { flush, flusher } = this.#settings
    const isImmediate = flush === "immediate"
    if (this.#pending === undefined && !isImmediate) flusher.add(this)
    this.#pending = (this.#pending ?? flusher.root).append(frame, size)
    this.#roomBytes -= size
    if (isImmediate || this.#pending.byteLength >= CHUNK_BYTES) this.flush()
  }

  #write(batch: Batch): void {
    this.#roomBytes = 0
    this.writtenBytes += batch.byteLength
    if (batch.isAwaited) this.#sink.write(batch, (error) => settleAll(batch, lost(error)))
    else this.#sink.write(batch)
    if (this.#sink.bufferedBytes > 0) this.#watchForStall()
  }

  #writeOne(frame: Frame): void {
    this.#write(Batch.empty().append(frame, this.#sink.sizeOf(frame)))
  }

  #block(): void {
    this.#isBlocked = true
    this.#sink.whenRoom(() => this.#refill())
  }

  #queue(frame: Frame, size: number): SendResult {
    const backlog = this.#waiting
    // beside what the sink holds already it would never fit: giving up others cannot help it
    const isHopeless = this.#sink.bufferedBytes + size > this.#settings.maxBufferedBytes
    if (isHopeless || !backlog.makeRoom(frame.key, () => this.#fits(size))) return this.#giveUp(frame, size)
    if (!backlog.isGapAtHead) this.#reportLag((notice) => backlog.push(notice))
    backlog.push(frame)
    return "queued"
  }

  #giveUp(frame: Frame, size: number): SendResult {
    const { maxBufferedBytes, overflow } = this.#settings
    this.#waiting.lose(frame, `${this.bufferedBytes} + ${size} of ${maxBufferedBytes} bytes`)
    if (overflow === "close") this.#owner.overflowed()
    else if (!this.#isBlocked) this.#reportLag()
    return "dropped"
  }

  get #waiting(): Backlog {
    this.#backlog ??= new Backlog(this.#settings.overflow, (frame) => this.#sink.sizeOf(frame))
    return this.#backlog
  }

  /** There is room: what waited goes on, in order, until the sink is full again. */
  #refill(): void {
    if (this.#isClosed || !this.#sink.isWritable) return
    this.#advance(() => !this.#sink.isFull)
    // a listener that heard of lag may have closed the connection, or sent more than there was room for
    if (this.#isClosed) return
    if (this.#sink.isFull || this.#backlog?.length) {
      this.#block()
      return
    }
    this.#isBlocked = false
    for (const waiter of this.#drainWaiters ?? []) waiter.resolve()
    this.#drainWaiters = undefined
  }

  /** Writes what waited, in order, while there is room, with the word of what was lost where the gap is. */
  #advance(hasRoom: () => boolean): void {
    if (this.#urgent) this.#writeOne(this.#urgent)
    this.#urgent = undefined
    if (this.#backlog?.isGapAtHead) this.#reportLag()
    this.#writeBacklog(hasRoom)
    if (this.#backlog?.length) return
    this.#reportLag()
    // whoever heard of it may have sent something
    this.#writeBacklog(hasRoom)
  }

  #writeBacklog(hasRoom: () => boolean): void {
    while (this.#backlog?.length && hasRoom()) this.#write(this.#backlog.takeChunk())
  }

  /** Tells the owner about a gap, if there is one. What it wants to say in the stream is placed. */
  #reportLag(place = (notice: Frame) => this.#writeOne(notice)): void {
    const lag = this.#backlog?.takeLag()
    const notice = lag && this.#owner.lagged(lag)
    // whoever heard of it may have closed the connection
    if (notice && !this.#isClosed && this.#sink.isWritable) place(notice)
  }

  #watchForStall(): void {
    this.#stallTimer ??= new Timer(this.#settings.clock, () => this.#checkStall())
    if (this.#stallTimer.isArmed) return
    this.#idleLooks = 0
    this.#leftBytes = this.writtenBytes - this.#sink.bufferedBytes
    this.#lookLater()
  }

  #lookLater(): void {
    this.#stallTimer?.start(this.#settings.writeTimeoutMs / LOOKS_PER_TIMEOUT)
  }

  /** Counts looks, not time: while this process was stalled itself, nothing could leave, and it has had one look. */
  #checkStall(): void {
    const waiting = this.#sink.bufferedBytes
    if (waiting === 0) return
    const leftBytes = this.writtenBytes - waiting
    this.#idleLooks = leftBytes > this.#leftBytes ? 0 : this.#idleLooks + 1
    this.#leftBytes = leftBytes
    if (this.#idleLooks === LOOKS_PER_TIMEOUT) this.#owner.stalled()
    else this.#lookLater()
  }
}

function refuse(frame: Frame): "closed" {
  if (frame.isAwaited) frame.settle(new ConnectionLostError("the connection is closed"))
  return "closed"
}

function settleAll(batch: Batch, error?: Error): void {
  if (batch.isAwaited) for (const frame of batch.frames()) frame.settle(error)
}

function lost(cause?: Error | null): Error | undefined {
  return cause ? new ConnectionLostError("the connection ended before the bytes left", { cause }) : undefined
}
