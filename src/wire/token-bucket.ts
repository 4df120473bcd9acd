/**
 * A rate with room for bursts: a bucket that fills steadily and may be overdrawn, so that what has already happened
 * is paid for later. It owns no timer; whoever asks says what time it is.
 */

/** How a bucket fills. */
export interface Rate {
  /** Tokens that come in each second. */
  readonly perSecond: number
  /** Tokens that it holds at most, and at the beginning. */
  readonly burst: number
}

/** By how much sums of fractions may be off, in milliseconds. */
const ROUNDING_MS = 1e-6

/** One bucket. */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #filledAt: number

  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#filledAt = now
  }

  /** Takes tokens whether or not there are any. Returns whether there were enough. */
  take(now: number, count: number): boolean {
    this.#fill(now)
    this.#tokens -= count
    return this.#tokens >= 0
  }

  /** Takes tokens if there are enough. Returns whether there were. */
  tryTake(now: number, count: number): boolean {
    this.#fill(now)
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }

  /** How long until nothing is owed, in whole milliseconds: a rest too small to move a clock would be waited for forever. */
  debtMs(now: number): number {
    this.#fill(now)
    if (this.#tokens >= 0) return 0
    return Math.max(0, Math.ceil((-this.#tokens / this.#rate.perSecond) * 1_000 - ROUNDING_MS))
  }

  /** Whether it is at least half full. */
  isCalm(now: number): boolean {
    this.#fill(now)
    return this.#tokens >= this.#rate.burst / 2
  }

  /** How many more than it ever holds are owed. */
  get isDeepInDebt(): boolean {
    return this.#tokens < -this.#rate.burst
  }

  #fill(now: number): void {
    const came = ((now - this.#filledAt) / 1_000) * this.#rate.perSecond
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + came)
    this.#filledAt = now
  }
}
