/**
 * When a login ends: a word some time before, and the end unless it was renewed. It knows no connection, and closes none.
 */

import { type Clock, Timer } from "../core/timer.js"

/** Whose login it is. */
export interface ExpiryOwner {
  /** It ends soon. Called once for each time it is set. */
  expiring(expiresAt: number): void
  /** It has ended. */
  expired(): void
}

/** How long before the end there is a word, in milliseconds. */
const NOTICE_MS = 30_000
/** How often the calendar is asked, in milliseconds: timers do not move with it when a clock is set or a machine sleeps. */
const LOOK_MS = 60_000

/** One moment that may be put off. */
export class Expiry {
  readonly #clock: Clock
  readonly #owner: ExpiryOwner
  readonly #timer: Timer
  #expiresAt = Number.POSITIVE_INFINITY
  #isTold = false

  constructor(clock: Clock, owner: ExpiryOwner) {
    this.#clock = clock
    this.#owner = owner
    this.#timer = new Timer(clock, () => this.#look())
  }

  /** When it is, in milliseconds since 1970. */
  get expiresAt(): number {
    return this.#expiresAt
  }

  /** Sets the moment, in milliseconds since 1970. What is due at once is told in a turn of its own. */
  set(expiresAt: number): void {
    this.#expiresAt = expiresAt
    this.#isTold = false
    this.#wait()
  }

  /** Forgets the moment. */
  stop(): void {
    this.#expiresAt = Number.POSITIVE_INFINITY
    this.#timer.stop()
  }

  #wait(): void {
    if (this.#expiresAt === Number.POSITIVE_INFINITY) return
    const left = this.#expiresAt - this.#clock.date() - (this.#isTold ? 0 : NOTICE_MS)
    this.#timer.start(Math.min(LOOK_MS, Math.max(0, Math.ceil(left))))
  }

  /** Asks the calendar again. */
  #look(): void {
    const left = this.#expiresAt - this.#clock.date()
    if (left <= 0) {
      this.#owner.expired()
      return
    }
    if (!this.#isTold && left <= NOTICE_MS) {
      this.#isTold = true
      this.#owner.expiring(this.#expiresAt)
      // whoever heard of it may have renewed it already
      if (!this.#isTold) return
    }
    this.#wait()
  }
}
