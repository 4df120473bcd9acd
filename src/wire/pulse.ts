/**
 * Whether one peer is alive: the rule alone. It owns no timer and no socket; whoever does asks {@link Pulse.check}
 * when the time it was told has come.
 */

import { checkMs, type Given, resolveOptions } from "../core/options.js"

/** Settings of a heartbeat. */
export interface HeartbeatOptions {
  /**
   * Silence, in milliseconds, after which a ping is sent. Any inbound frame counts as life.
   * Keep it under your proxy's idle limit; many close at 60 s.
   * @defaultValue 15_000
   */
  readonly intervalMs?: number
  /** How long to wait for the answer, in milliseconds, before the peer counts as gone. @defaultValue 10_000 */
  readonly timeoutMs?: number
}

/** {@link HeartbeatOptions} with every field decided. */
export type HeartbeatSettings = Required<HeartbeatOptions>

/** The defaults of {@link HeartbeatOptions}. */
export const HEARTBEAT_DEFAULTS: HeartbeatSettings = Object.freeze({ intervalMs: 15_000, timeoutMs: 10_000 })

/** Checks options and fills in the defaults. */
export function resolveHeartbeat(given?: Given<HeartbeatOptions>, path = "heartbeat"): HeartbeatSettings {
  const settings = resolveOptions<HeartbeatSettings>(path, HEARTBEAT_DEFAULTS, given)
  checkMs(`${path}.intervalMs`, settings.intervalMs, 1)
  checkMs(`${path}.timeoutMs`, settings.timeoutMs, 1)
  return settings
}

/** What to do about a peer now: send a ping, give it up, or ask again after so many milliseconds. */
export type Verdict = "ping" | "dead" | number

/** The life signs of one peer on one socket. A successor of the socket gets a pulse of its own. */
export class Pulse {
  /** Round-trip time of the last ping that was answered, in milliseconds. */
  rttMs: number | undefined
  readonly #settings: HeartbeatSettings
  #seenAt: number
  #pingedAt: number | undefined
  #serial = 0
  #isProbe = false

  constructor(settings: HeartbeatSettings, now: number) {
    this.#settings = settings
    this.#seenAt = now
  }

  /** When the peer was last heard, on the clock of whoever calls {@link seen}. */
  get seenAt(): number {
    return this.#seenAt
  }

  /** Whether a ping is out that nothing has come in after. */
  get isAwaiting(): boolean {
    return this.#pingedAt !== undefined && this.#seenAt < this.#pingedAt
  }

  /** Something came in. */
  seen(now: number): void {
    this.#seenAt = now
  }

  /** A ping is sent. Returns what it should carry: a pong that carries it back is the answer to this ping. */
  pinged(now: number): string {
    this.#pingedAt = now
    this.#serial += 1
    return this.#token
  }

  /**
   * A pong came in. `payload` is what it carried, where the platform's pongs carry anything.
   * Returns whether it answers the last ping, so that {@link rttMs} is new.
   */
  answered(now: number, payload?: string): boolean {
    this.#seenAt = now
    if (this.#pingedAt === undefined || (payload ?? this.#token) !== this.#token) return false
    this.rttMs = now - this.#pingedAt
    return true
  }

  /**
   * What to do now.
   *
   * @param now - The time.
   * @param isLate - The timer that asks fired much later than it should have: this process was stalled, the tab was
   * throttled, the laptop slept. Answers may lie unread, so an unanswered ping is repeated once before it counts.
   * @param silentSince - A peer that was not heard after this moment is pinged even before `intervalMs` is over.
   */
  check(now: number, isLate = false, silentSince = Number.NEGATIVE_INFINITY): Verdict {
    const { intervalMs, timeoutMs } = this.#settings
    if (this.#pingedAt !== undefined) {
      if (this.isAwaiting) return this.#checkAnswer(now, timeoutMs, isLate)
      this.#pingedAt = undefined
      this.#isProbe = false
    }
    const wait = this.#seenAt + intervalMs - now
    return wait > 0 && this.#seenAt > silentSince ? wait : "ping"
  }

  get #token(): string {
    return this.#serial.toString(36)
  }

  #checkAnswer(now: number, timeoutMs: number, isLate: boolean): Verdict {
    const wait = (this.#pingedAt ?? now) + timeoutMs - now
    if (wait > 0) return wait
    if (!isLate || this.#isProbe) return "dead"
    this.#isProbe = true
    return "ping"
  }
}
