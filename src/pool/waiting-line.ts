/**
 * Those who wait for something, in the order they came. Each leaves once: served, refused, too late, or because he
 * called it off. What they wait for is not known here.
 */

import { HoldfastError } from "../core/errors.js"
import { type Clock, Timer } from "../core/timer.js"

/** How long one may wait. */
export interface WaitOptions {
  /** Calls the wait off when aborted. */
  readonly signal: AbortSignal | undefined
  /** The longest wait in milliseconds; `false` for any time. */
  readonly timeoutMs: number | false
  /** Makes the error of a wait that took too long. */
  readonly late: () => Error
}

/** First come, first served. */
export class WaitingLine<Item> {
  readonly #clock: Clock
  readonly #onLeft: () => void
  readonly #waiters = new Set<Waiter<Item>>()

  /** @param onLeft - Called when somebody has left without having got anything by {@link serve} or {@link refuse}. */
  constructor(clock: Clock, onLeft: () => void) {
    this.#clock = clock
    this.#onLeft = onLeft
  }

  /** How many wait. */
  get size(): number {
    return this.#waiters.size
  }

  /**
   * Takes a place at the end. Rejects with what {@link serve} and {@link refuse} do not decide: `ABORTED`, or too late.
   */
  join({ signal, timeoutMs, late }: WaitOptions): Promise<Item> {
    if (signal?.aborted) return Promise.reject(aborted(signal))
    return new Promise((resolve, reject) => {
      const gone = (error: Error) => {
        this.#leave(waiter)
        reject(error)
        this.#onLeft()
      }
      const onAbort = () => gone(aborted(signal as AbortSignal))
      const timer = new Timer(this.#clock, () => gone(late()))
      const unwatch = () => {
        timer.stop()
        signal?.removeEventListener("abort", onAbort)
      }
      const waiter: Waiter<Item> = { resolve, reject, unwatch }
      this.#waiters.add(waiter)
      signal?.addEventListener("abort", onAbort)
      if (timeoutMs !== false) timer.start(timeoutMs)
    })
  }

  /** Gives the first one what `make` makes. Returns whether there was one. */
  serve(make: () => Item): boolean {
    const waiter = this.#next()
    waiter?.resolve(make())
    return waiter !== undefined
  }

  /** Turns the first one away. Returns whether there was one. */
  refuse(error: unknown): boolean {
    const waiter = this.#next()
    waiter?.reject(error)
    return waiter !== undefined
  }

  #next(): Waiter<Item> | undefined {
    const [first] = this.#waiters
    if (first) this.#leave(first)
    return first
  }

  #leave(waiter: Waiter<Item>): void {
    this.#waiters.delete(waiter)
    waiter.unwatch()
  }
}

interface Waiter<Item> {
  readonly resolve: (item: Item) => void
  readonly reject: (error: unknown) => void
  readonly unwatch: () => void
}

function aborted({ reason }: AbortSignal): HoldfastError {
  return new HoldfastError("ABORTED", "the wait for a connection was aborted", { cause: reason })
}
