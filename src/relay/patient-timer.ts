/**
 * A deadline for others that does not count this process's own stalls: what came in meanwhile is read before anybody is
 * found to be late.
 */

import { type Clock, Timer } from "../core/timer.js"

/** A timer that fires so much later than asked, in milliseconds, was held up by this process. */
const STALL_MS = 50

/** How often a deadline is put off: a process that is late all the time is no reason to wait for ever. */
const MAX_GRACES = 3

/** One deadline that can be armed, re-armed and disarmed. */
export class PatientTimer {
  readonly #clock: Clock
  readonly #timer: Timer
  readonly #callback: () => void
  #dueAt = 0
  /** Counts starts and stops: what an earlier one deferred is ignored. */
  #turn = 0
  #isArmed = false
  #graces = 0

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock
    this.#callback = callback
    this.#timer = new Timer(clock, () => this.#due())
  }

  /** Whether it will call back. */
  get isArmed(): boolean {
    return this.#isArmed
  }

  /** Starts the wait, in milliseconds; one that is pending is replaced. */
  start(ms: number): void {
    this.#graces = MAX_GRACES
    this.#arm(ms)
  }

  /** Ends the wait, if there is one. */
  stop(): void {
    this.#turn += 1
    this.#isArmed = false
    this.#timer.stop()
  }

  #arm(ms: number): void {
    this.#turn += 1
    this.#isArmed = true
    this.#dueAt = this.#clock.now() + ms
    this.#timer.start(ms)
  }

  #due(): void {
    const lateMs = this.#clock.now() - this.#dueAt
    if (lateMs > STALL_MS && this.#graces > 0) {
      this.#graces -= 1
      this.#arm(Math.min(lateMs, 1_000))
      return
    }
    const turn = this.#turn
    this.#clock.defer(() => {
      if (this.#turn !== turn) return
      this.#isArmed = false
      this.#callback()
    })
  }
}
