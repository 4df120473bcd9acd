/**
 * Peers of a heartbeat on virtual time, which keep a record of what is done to them.
 */

import type { VirtualClock } from "../../src/testing/virtual-clock.js"
import type { HeartbeatPeer } from "../../src/wire/heartbeat.js"
import type { Pulse } from "../../src/wire/pulse.js"

/** How long an answer is under way, in milliseconds. */
export const LATENCY_MS = 50

/** Answers pings while it is alive. */
export class RecordingPeer implements HeartbeatPeer {
  isReadingPaused = false
  isAlive = true
  pulse: Pulse | undefined
  readonly pingedAt: number[] = []
  readonly payloads: string[] = []
  readonly diedAt: number[] = []
  heardAt: number
  onDeath: (() => void) | undefined
  readonly #clock: VirtualClock

  constructor(clock: VirtualClock) {
    this.#clock = clock
    this.heardAt = clock.now()
  }

  get isWatched(): boolean {
    return this.pulse !== undefined
  }

  takePulse(pulse: Pulse | undefined): void {
    this.pulse = pulse
  }

  ping(payload: string): void {
    this.pingedAt.push(this.#clock.now())
    this.payloads.push(payload)
    // an answer reaches the kernel in its time, and this process when it next polls: after the timers that are due
    if (this.isAlive) {
      this.#clock.setTimer(() => this.#clock.setTimer(() => this.#answer(payload), 0), LATENCY_MS)
    }
  }

  timedOut(): void {
    this.diedAt.push(this.#clock.now())
    this.onDeath?.()
  }

  /** A message of the peer comes in. */
  chat(): void {
    this.heardAt = this.#clock.now()
    this.pulse?.seen(this.heardAt)
  }

  #answer(payload: string): void {
    this.heardAt = this.#clock.now()
    this.pulse?.answered(this.heardAt, payload)
  }
}

/** The largest number of these moments within any span of so many milliseconds. */
export function mostWithin(spanMs: number, moments: readonly number[]): number {
  const sorted = [...moments].sort((a, b) => a - b)
  let first = 0
  let most = 0
  for (const [last, moment] of sorted.entries()) {
    while ((sorted[first] as number) <= moment - spanMs) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}
