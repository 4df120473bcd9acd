/**
 * A clock that runs what was deferred turn by turn, as `setImmediate` does, when it is told to.
 */

import { VirtualClock } from "../../src/testing/virtual-clock.js"

/** Every look at it costs `costMs`. */
export class TurnClock extends VirtualClock {
  #deferred: (() => void)[] = []

  constructor(readonly costMs = 0) {
    super()
  }

  /** How many callbacks wait for the next turn. */
  get turnsToCome(): number {
    return this.#deferred.length
  }

  override now(): number {
    if (this.costMs > 0) this.stall(this.costMs)
    return super.now()
  }

  override defer(callback: () => void): void {
    this.#deferred.push(callback)
  }

  /** Runs what was deferred until now; what that defers waits for the next turn. */
  turn(): void {
    for (const callback of this.#deferred.splice(0)) callback()
  }
}
