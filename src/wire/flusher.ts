/**
 * Writes many outboxes at the end of each turn of the event loop, in slices. One flusher serves a whole hub;
 * what it shares among its outboxes are the roots of their batches.
 */

import type { Clock } from "../core/timer.js"
import { Batch } from "./batch.js"

/** What a flusher writes. */
export interface Flushable {
  /** Writes what is pending. */
  flush(): void
}

/** When messages are written: joined once per turn of the event loop, or each at once. */
export type FlushMode = "tick" | "immediate"

/** How long a slice of a flush may hold the event loop, in milliseconds. */
const SLICE_MS = 10
/** How many outboxes are written between two looks at the clock. */
const SLICE_LENGTH = 64

/** Collects outboxes with something pending and writes each once, in the order they asked. */
export class Flusher {
  readonly #clock: Clock
  #waiting: Flushable[] = []
  #isScheduled = false
  #root = Batch.empty()
  #deflatedRoot = Batch.empty()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Where an outbox with nothing pending begins its next batch. */
  get root(): Batch {
    return this.#root
  }

  /** The same for outboxes whose peers take compressed messages: in a mixed room the two kinds would not stay in step. */
  get deflatedRoot(): Batch {
    return this.#deflatedRoot
  }

  /** Asks for a flush at the end of this turn. An outbox asks once, until it has been flushed. */
  add(outbox: Flushable): void {
    this.#waiting.push(outbox)
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#clock.defer(this.#run)
  }

  readonly #run = (): void => {
    const batch = this.#waiting
    this.#waiting = []
    this.#plantTrees()
    this.#slice(batch, 0)
  }

  /** Outboxes that ask while a sliced flush is on its way wait behind it, so nothing overtakes. */
  #slice(outboxes: readonly Flushable[], start: number): void {
    const until = this.#clock.now() + SLICE_MS
    for (let i = start; i < outboxes.length; i += 1) {
      if (i % SLICE_LENGTH === 0 && i > start && this.#clock.now() > until) {
        this.#clock.defer(() => this.#slice(outboxes, i))
        return
      }
      try {
        outboxes[i]?.flush()
      } catch (error) {
        this.#rethrow(error)
      }
    }
    this.#isScheduled = false
    if (this.#waiting.length > 0) {
      this.#isScheduled = true
      this.#clock.defer(this.#run)
    } else this.#plantTrees()
  }

  /** A socket that throws is somebody else's. It is not hidden, and those behind it are written all the same. */
  #rethrow(error: unknown): void {
    this.#clock.defer(() => {
      throw error
    })
  }

  /** What has been written is not to be kept by the trees it was gathered in. */
  #plantTrees(): void {
    this.#root = Batch.empty()
    this.#deflatedRoot = Batch.empty()
  }
}
