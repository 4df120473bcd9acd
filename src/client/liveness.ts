/**
 * Watches one link of a client: sends pings of whatever kind the platform has, and says when the line is dead.
 */

import { type Clock, Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { LiteralPing } from "../wire/codec.js"
import { type HeartbeatOptions, type HeartbeatSettings, Pulse } from "../wire/pulse.js"
import type { Link } from "./link.js"

/** Settings of a client's heartbeat. */
export interface ClientHeartbeatOptions extends HeartbeatOptions {
  /**
   * Text messages that serve as ping and pong where the platform has no ping frames (browsers).
   * @defaultValue what the codec offers: "ping" and "pong" with `json()`, which a hub answers by itself
   */
  readonly literalPing?: LiteralPing
}

/** What a liveness watch needs. */
export interface LivenessOptions {
  /** When to ping, and how long to wait. */
  readonly settings: HeartbeatSettings
  /** Words for ping and pong, where there are any. */
  readonly literal: LiteralPing | undefined
  /** Where time comes from. */
  readonly clock: Clock
  /** Whether this server has ever answered the literal ping. One that never did is not held to it. */
  readonly isLiteralKnown: boolean
  /** A ping was answered. */
  readonly onAnswer: (rttMs: number) => void
  /** The line is dead. */
  readonly onDead: () => void
  /** There is no way to see whether the line is dead. */
  readonly onBlind: () => void
}

/** The life of one link. */
export class Liveness {
  readonly #link: Link
  readonly #options: LivenessOptions
  readonly #pulse: Pulse
  readonly #timer: Timer
  readonly #usesFrames: boolean
  #dueAt = 0
  #isPaused = false
  #isLiteralKnown: boolean

  /** @param link - An open link. */
  constructor(link: Link, options: LivenessOptions) {
    this.#link = link
    this.#options = options
    this.#isLiteralKnown = options.isLiteralKnown
    this.#usesFrames = link.canPing
    this.#pulse = new Pulse(options.settings, options.clock.now())
    this.#timer = new Timer(options.clock, () => this.#look())
    if (!this.#usesFrames && !options.literal) options.onBlind()
    // the first ping at once: it tells the round-trip time, and whether a literal ping is answered at all
    else this.#ping()
  }

  /** Round-trip time of the last ping that was answered, in milliseconds. */
  get rttMs(): number | undefined {
    return this.#pulse.rttMs
  }

  /** Something came in. Returns whether it was a literal pong, which is not for the application. */
  received(data: Payload): boolean {
    if (data !== this.#options.literal?.pong || this.#usesFrames) {
      this.seen()
      return false
    }
    this.#isLiteralKnown = true
    this.#answered()
    return true
  }

  /** A frame came in that is no message; `pong` is the payload of a pong frame. */
  seen(pong?: string): void {
    if (pong === undefined) this.#pulse.seen(this.#options.clock.now())
    else this.#answered(pong)
  }

  /** Reading is paused: nothing can be heard, so nothing is judged. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
  }

  /** Ends the watch. */
  stop(): void {
    this.#timer.stop()
  }

  #answered(payload?: string): void {
    const { clock, onAnswer } = this.#options
    if (this.#pulse.answered(clock.now(), payload)) onAnswer(this.#pulse.rttMs as number)
  }

  #look(): void {
    const { clock, settings, onDead } = this.#options
    const now = clock.now()
    if (this.#isPaused) this.#pulse.seen(now)
    const verdict = this.#pulse.check(now, now - this.#dueAt > settings.intervalMs)
    if (verdict === "ping") this.#ping()
    else if (verdict !== "dead") this.#wait(verdict)
    else if (this.#usesFrames || this.#isLiteralKnown) onDead()
    else this.#options.onBlind()
  }

  #ping(): void {
    const { clock, literal, settings } = this.#options
    this.#wait(settings.timeoutMs)
    const payload = this.#pulse.pinged(clock.now())
    if (this.#usesFrames) this.#link.ping(payload)
    else if (literal) this.#link.send(literal.ping)
  }

  #wait(ms: number): void {
    this.#dueAt = this.#options.clock.now() + ms
    this.#timer.start(ms)
  }
}
