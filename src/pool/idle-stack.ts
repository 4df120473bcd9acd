/**
 * What is idle, the last to come on top: what was used last is used next, and what a quiet hour does not need grows old
 * at the bottom. It has one timer, for the oldest, and knows nothing of what it holds.
 */

import { type Clock, Timer } from "../core/timer.js"

/** Items that leave when they are taken, or when nobody has taken them for too long. */
export class IdleStack<Item> {
  readonly #clock: Clock
  readonly #timeoutMs: number | false
  readonly #onExpired: (item: Item) => void
  readonly #timer: Timer
  #entries: { readonly item: Item; readonly expiresAt: number }[] = []

  /** @param timeoutMs - How long an item may wait, in milliseconds; `false` for any time. */
  constructor(clock: Clock, timeoutMs: number | false, onExpired: (item: Item) => void) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#onExpired = onExpired
    this.#timer = new Timer(clock, () => this.#expire())
  }

  /** How many there are. */
  get size(): number {
    return this.#entries.length
  }

  /** Puts one on top. */
  push(item: Item): void {
    const timeoutMs = this.#timeoutMs === false ? Number.POSITIVE_INFINITY : this.#timeoutMs
    this.#entries.push({ item, expiresAt: this.#clock.now() + timeoutMs })
    if (!this.#timer.isArmed) this.#wait()
  }

  /** Takes the one on top. */
  pop(): Item | undefined {
    const entry = this.#entries.pop()
    if (this.size === 0) this.#timer.stop()
    return entry?.item
  }

  /** Takes one out, wherever it is, if it is here. */
  delete(item: Item): void {
    this.#entries = this.#entries.filter((it) => it.item !== item)
    if (this.size === 0) this.#timer.stop()
  }

  #expire(): void {
    const now = this.#clock.now()
    const expired: Item[] = []
    while (this.#entries[0] && this.#entries[0].expiresAt <= now) {
      expired.push((this.#entries.shift() as { item: Item }).item)
    }
    this.#wait()
    for (const item of expired) this.#onExpired(item)
  }

  #wait(): void {
    const oldest = this.#entries[0]
    if (oldest && this.#timeoutMs !== false) this.#timer.start(oldest.expiresAt - this.#clock.now())
  }
}
