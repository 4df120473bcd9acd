/**
 * What comes in, in order and in slices: so many messages are handled in one turn of the event loop, the others wait
 * for the next ones, and what finds the buffer full is dropped. It knows not what it holds.
 */

import type { Clock } from "../core/timer.js"

/** How many are handled in one turn of the event loop. */
const PER_TURN = 256

/** A bounded buffer between a broker's socket and the work that its messages make. */
export class Inflow<Item> {
  readonly #clock: Clock
  readonly #max: number
  readonly #handle: (item: Item) => void
  #waiting: Item[] = []
  #handled = 0
  #isScheduled = false

  constructor(clock: Clock, max: number, handle: (item: Item) => void) {
    this.#clock = clock
    this.#max = max
    this.#handle = handle
  }

  /** Takes one, which is handled at once while this turn has time for it. Returns whether there was room. */
  push(item: Item): boolean {
    if (this.#waiting.length >= this.#max) return false
    this.#schedule()
    if (this.#waiting.length > 0 || this.#handled >= PER_TURN) this.#waiting.push(item)
    else {
      this.#handled += 1
      this.#handle(item)
    }
    return true
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = []
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#clock.defer(() => this.#turn())
  }

  #turn(): void {
    this.#isScheduled = false
    const slice = this.#waiting.splice(0, PER_TURN)
    this.#handled = slice.length
    if (this.#waiting.length > 0 || slice.length > 0) this.#schedule()
    for (const item of slice) this.#handle(item)
  }
}
