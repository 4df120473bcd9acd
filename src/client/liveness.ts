/**
 * Watches one link of a client: sends pings of whatever kind the platform has, and fails the link when the line is dead.
 */

import { ConnectionLostError } from "../core/errors.js"
import { type Clock, Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { LiteralPing } from "../wire/codec.js"
import { type HeartbeatOptions, type HeartbeatSettings, Pulse } from "../wire/pulse.js"
import type { Link } from "./link.js"

/** Settings of a client's heartbeat. */
export interface ClientHeartbeatOptions extends HeartbeatOptions {
  /** How long to wait for the answer, in milliseconds, before the line counts as dead. @defaultValue 5_000 */
  readonly timeoutMs?: number
  /**
   * Text messages that serve as ping and pong where the platform has no ping frames (browsers); `false` for none.
   * @defaultValue what the codec offers: "ping" and "pong" with `json()`, which a hub answers by itself
   */
  readonly literalPing?: LiteralPing | false
}

/** What outlives one link: how this server treats pings. */
export interface PingMemory {
  /** It has answered a literal ping. A server that never did is not held to it. */
  isLiteralKnown: boolean
  /** It was said that a dead line cannot be noticed. */
  isBlindTold: boolean
}

/** What a liveness watch needs. */
export interface LivenessOptions {
  /** When to ping, and how long to wait. */
  readonly settings: HeartbeatSettings
  /** Words for ping and pong, where there are any. */
  readonly literal: LiteralPing | false
  /** Where time comes from. */
  readonly clock: Clock
  /** See {@link PingMemory}. */
  readonly memory: PingMemory
  /** A ping was answered. */
  readonly onAnswer: (rttMs: number) => void
  /** There is no way to see whether the line is dead. Called once per memory. */
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

  /** @param link - An open link. */
  constructor(link: Link, options: LivenessOptions) {
    this.#link = link
    this.#options = options
    this.#usesFrames = link.canPing
    this.#pulse = new Pulse(options.settings, options.clock.now())
    this.#timer = new Timer(options.clock, () => this.#look())
  }

  /** Round-trip time of the last ping that was answered, in milliseconds. */
  get rttMs(): number | undefined {
    return this.#pulse.rttMs
  }

  /** Sends the first ping at once: it tells the round-trip time, and whether a literal ping is answered at all. */
  start(): void {
    if (this.#usesFrames || this.#options.literal) this.#ping()
    else this.#blind()
  }

  /** Something came in. Returns whether it was a literal pong, which is not for the application. */
  received(data: Payload): boolean {
    if (this.#usesFrames || !this.#isPong(data)) {
      this.seen()
      return false
    }
    this.#options.memory.isLiteralKnown = true
    this.#answered()
    return true
  }

  /** A frame came in that is no message; `pong` is the payload of a pong frame. */
  seen(pong?: string): void {
    if (pong === undefined) this.#pulse.seen(this.#options.clock.now())
    else this.#answered(pong)
  }

  /** Ends the watch. */
  stop(): void {
    this.#timer.stop()
  }

  #isPong(data: Payload): boolean {
    const { literal } = this.#options
    return literal !== false && data === literal.pong
  }

  #answered(payload?: string): void {
    const { clock, onAnswer } = this.#options
    if (this.#pulse.answered(clock.now(), payload)) onAnswer(this.#pulse.rttMs as number)
  }

  #look(): void {
    const { clock, settings, memory } = this.#options
    const now = clock.now()
    // while reading is paused nothing can be heard, so nothing is judged
    if (this.#link.isReadingPaused) this.#pulse.seen(now)
    const verdict = this.#pulse.check(now, now - this.#dueAt > settings.intervalMs)
    if (verdict === "ping") this.#ping()
    else if (verdict !== "dead") this.#wait(verdict)
    else if (this.#usesFrames || memory.isLiteralKnown) this.#dead()
    else this.#blind()
  }

  #ping(): void {
    const { clock, literal, settings } = this.#options
    // a patient timeout must not slow the pings of a line that answers
    this.#wait(Math.min(settings.timeoutMs, settings.intervalMs))
    const payload = this.#pulse.pinged(clock.now())
    try {
      if (this.#usesFrames) this.#link.ping(payload)
      else if (literal) this.#link.send(literal.ping)
    } catch (error) {
      this.#link.fail(error)
    }
  }

  #dead(): void {
    const { timeoutMs } = this.#options.settings
    this.#link.fail(new ConnectionLostError(`no answer to a ping within ${timeoutMs} ms`))
  }

  #blind(): void {
    const { memory, onBlind } = this.#options
    if (memory.isBlindTold) return
    memory.isBlindTold = true
    onBlind()
  }

  #wait(ms: number): void {
    this.#dueAt = this.#options.clock.now() + ms
    this.#timer.start(ms)
  }
}
