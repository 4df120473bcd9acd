/**
 * The frames of one connection that wait for room, what the overflow policy does to them, and the exact count of
 * what it cost. It writes nothing.
 */

import { QueueFullError } from "../core/errors.js"
import { Batch } from "./batch.js"
import type { Frame } from "./frame.js"
import { KeyedQueue } from "./keyed-queue.js"

/**
 * What happens to a message that a slow reader has no room for.
 *
 * - `close`: the connection is closed with 1013. The reader can come back and ask for the present state.
 * - `drop-newest`: the message is lost.
 * - `drop-oldest`: the oldest waiting messages are lost.
 * - `latest`: a message with a `key` replaces the waiting one of its key; beyond that like `drop-oldest`.
 */
export type OverflowPolicy = "close" | "drop-newest" | "drop-oldest" | "latest"

/** What a connection lost to its overflow policy since it was last told. Replaced messages of a key are not lost. */
export interface Lag {
  /** How many messages. */
  readonly count: number
  /** How many bytes of frames. */
  readonly bytes: number
}

/** As much as goes into one write while a backlog is worked off, in bytes. */
export const CHUNK_BYTES = 65_536

/** Waiting frames and their bytes. */
export class Backlog {
  readonly #policy: OverflowPolicy
  readonly #frames = new KeyedQueue<Frame>()
  #byteLength = 0
  #lostCount = 0
  #lostBytes = 0
  #isTelling = false

  constructor(policy: OverflowPolicy) {
    this.#policy = policy
  }

  /** How many frames wait. */
  get length(): number {
    return this.#frames.size
  }

  /** How many bytes wait. */
  get byteLength(): number {
    return this.#byteLength
  }

  /** Whether what was lost lies before the waiting frames, rather than behind them. */
  get isGapAtHead(): boolean {
    return this.#policy !== "drop-newest"
  }

  /** Adds a frame at the end. Under `latest`, one of the same key leaves. */
  push(frame: Frame): void {
    const key = this.#policy === "latest" ? frame.key : undefined
    if (key !== undefined) this.#supersede(key)
    this.#frames.push(frame, key)
    this.#byteLength += frame.byteLength
  }

  /** Gives up waiting frames, as far as the policy allows, until a test finds enough room. Returns whether it did. */
  makeRoom(key: string | undefined, hasRoom: () => boolean): boolean {
    if (this.#policy === "latest" && key !== undefined) this.#supersede(key)
    while (!hasRoom()) {
      if (this.#policy === "close" || this.#policy === "drop-newest") return false
      const oldest = this.#frames.shift()
      if (!oldest) return false
      this.#byteLength -= oldest.byteLength
      this.lose(oldest, "newer messages took its room")
    }
    return true
  }

  /** Counts a frame that is lost, and tells whoever waits for it. */
  lose(frame: Frame, why: string): void {
    this.#lostCount += 1
    this.#lostBytes += frame.byteLength
    if (frame.isAwaited) frame.settle(new QueueFullError(`outbox is full: ${why}`))
  }

  /**
   * Tells what was lost since the last time, if anything was. What is lost while it is told is told the next time: whoever
   * answers each loss with a message that is lost as well would never be done.
   */
  tellLag<Answer>(tell: (lag: Lag) => Answer): Answer | undefined {
    const lag = this.#isTelling ? undefined : this.takeLag()
    if (!lag) return undefined
    this.#isTelling = true
    try {
      return tell(lag)
    } finally {
      this.#isTelling = false
    }
  }

  /** What was lost since the last call; `undefined` when nothing was. */
  takeLag(): Lag | undefined {
    if (this.#lostCount === 0) return undefined
    const lag = { count: this.#lostCount, bytes: this.#lostBytes }
    this.#lostCount = 0
    this.#lostBytes = 0
    return lag
  }

  /** Whether frames wait, and the oldest is ready to be written. */
  get isReady(): boolean {
    return this.#frames.peek()?.isReady === true
  }

  /**
   * Takes out the oldest frames, as many as make one write, and appends them to a batch. It stops at a frame that is
   * not ready, unless none is waited for.
   */
  takeChunk(root = Batch.empty(), isHurried = false): Batch {
    let chunk = root
    for (let frame = this.#frames.peek(); frame; frame = this.#frames.peek()) {
      if (!isHurried && !frame.isReady) break
      this.#frames.shift()
      this.#byteLength -= frame.byteLength
      chunk = chunk.append(frame.written)
      if (chunk.byteLength >= CHUNK_BYTES) break
    }
    return chunk
  }

  /** Takes out everything, oldest first. */
  clear(): Frame[] {
    this.#byteLength = 0
    return this.#frames.clear()
  }

  #supersede(key: string): void {
    const old = this.#frames.take(key)
    if (!old) return
    this.#byteLength -= old.byteLength
    if (old.isAwaited) old.settle(new QueueFullError(`a newer message of key "${key}" replaced this one`))
  }
}
