/**
 * Notices that nothing leaves a sink although bytes wait in it. It knows neither what waits nor what follows from it.
 */

import { type Clock, Timer } from "../core/timer.js"

/** What is watched. */
export interface Flow {
  /** Bytes given to the sink so far. */
  readonly writtenBytes: number
  /** Bytes that the sink holds. */
  readonly heldBytes: number
}

/** How often a sink that holds bytes is looked at within the timeout. */
const LOOKS_PER_TIMEOUT = 4

/** A timer that runs only while bytes wait. */
export class StallWatch {
  readonly #flow: Flow
  readonly #timeoutMs: number
  readonly #stalled: () => void
  readonly #timer: Timer
  #leftBytes = 0
  #idleLooks = 0

  /** @param stalled - Called once nothing has left for `timeoutMs` milliseconds. */
  constructor(flow: Flow, timeoutMs: number, clock: Clock, stalled: () => void) {
    this.#flow = flow
    this.#timeoutMs = timeoutMs
    this.#stalled = stalled
    this.#timer = new Timer(clock, () => this.#look())
  }

  /** Bytes wait: watches until they have left. */
  begin(): void {
    if (this.#timer.isArmed) return
    this.#idleLooks = 0
    this.#leftBytes = this.#flow.writtenBytes - this.#flow.heldBytes
    this.#lookLater()
  }

  /** Ends the watch. */
  stop(): void {
    this.#timer.stop()
  }

  #lookLater(): void {
    this.#timer.start(this.#timeoutMs / LOOKS_PER_TIMEOUT)
  }

  /** Counts looks, not time: while this process was stalled itself, nothing could leave, and it has had one look. */
  #look(): void {
    const { writtenBytes, heldBytes } = this.#flow
    if (heldBytes === 0) return
    const leftBytes = writtenBytes - heldBytes
    this.#idleLooks = leftBytes > this.#leftBytes ? 0 : this.#idleLooks + 1
    this.#leftBytes = leftBytes
    if (this.#idleLooks === LOOKS_PER_TIMEOUT) this.#stalled()
    else this.#lookLater()
  }
}
