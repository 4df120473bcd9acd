/**
 * Time that moves only when told to. Hours of reconnecting run in milliseconds, and always the same way.
 */

import type { Clock, TimerHandle } from "../core/timer.js"

/**
 * The shortest wait there is, in milliseconds. What is left of a wait can be less than what fits beside the time itself,
 * and time has to move on, or whoever waits for the rest of it waits for ever.
 */
const RESOLUTION_MS = 0.001

interface Waiting {
  readonly at: number
  readonly serial: number
  readonly callback: () => void
}

/**
 * A {@link Clock} for tests. Pass it as the `clock` option; then {@link VirtualClock.advance} runs whatever is due, in
 * order, and lets promises settle in between.
 *
 * @example
 * const clock = new VirtualClock()
 * const client = new ReconnectingClient(url, { clock })
 * await clock.advance(30_000)
 */
export class VirtualClock implements Clock {
  readonly #startedAt: number
  readonly #waiting = new Map<number, Waiting>()
  #now = 0
  #serial = 0

  /** @param startedAt - What `date()` says at the beginning, in milliseconds since 1970. */
  constructor(startedAt = 1_700_000_000_000) {
    this.#startedAt = startedAt
  }

  /** How many callbacks wait. */
  get pending(): number {
    return this.#waiting.size
  }

  now(): number {
    return this.#now
  }

  date(): number {
    return this.#startedAt + this.#now
  }

  setTimer(callback: () => void, ms: number): TimerHandle {
    this.#serial += 1
    const at = ms > 0 ? this.#now + Math.max(ms, RESOLUTION_MS) : this.#now
    this.#waiting.set(this.#serial, { at, serial: this.#serial, callback })
    return this.#serial
  }

  clearTimer(handle: TimerHandle): void {
    this.#waiting.delete(handle as number)
  }

  defer(callback: () => void): void {
    this.setTimer(callback, 0)
  }

  soon(callback: () => void): void {
    void Promise.resolve().then(callback)
  }

  /** Moves time on by `ms`, running everything that falls due, and what that sets in motion, in order of time. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await settled()
    for (let next = this.#nextUntil(until); next; next = this.#nextUntil(until)) {
      this.#run(next)
      await settled()
    }
    // a callback may have stalled
    this.#now = Math.max(this.#now, until)
  }

  /** Moves time on without running anything: the process was stalled, the laptop slept. Timers are late then. */
  stall(ms: number): void {
    this.#now += ms
  }

  #run(next: Waiting): void {
    this.#waiting.delete(next.serial)
    this.#now = Math.max(this.#now, next.at)
    next.callback()
  }

  #nextUntil(until: number): Waiting | undefined {
    let next: Waiting | undefined
    for (const it of this.#waiting.values()) {
      if (it.at > until) continue
      if (!next || it.at < next.at || (it.at === next.at && it.serial < next.serial)) next = it
    }
    return next
  }
}

/** How many rounds of promise callbacks are run between two timers; a chain of that many `await`s gets through. */
const ROUNDS = 32

async function settled(): Promise<void> {
  for (let i = 0; i < ROUNDS; i += 1) await null
}
