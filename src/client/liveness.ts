/**
 * Watches one link of a client: has pings sent when it is silent, and fails it when the line is dead. What a ping is,
 * the {@link Ledger} knows.
 */

import { ConnectionLostError } from "../core/errors.js"
import { type Clock, Timer } from "../core/timer.js"
import type { LiteralPing } from "../wire/codec.js"
import { type HeartbeatOptions, type HeartbeatSettings, Pulse } from "../wire/pulse.js"
import type { Ledger } from "./ledger.js"
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
  /**
   * Silence, in milliseconds, after which the line counts as dead, whatever becomes of pings: for servers that answer none
   * but have something to say more often than that.
   * @defaultValue any silence is fine
   */
  readonly idleTimeoutMs?: number
}

/** A client's heartbeat with everything decided, but for its words. */
export interface ClientHeartbeatSettings extends HeartbeatSettings {
  /** See {@link ClientHeartbeatOptions.idleTimeoutMs}. */
  readonly idleTimeoutMs: number | undefined
}

/** What a liveness watch needs. */
export interface LivenessOptions {
  /** When to ping, and how long to wait. */
  readonly settings: ClientHeartbeatSettings
  /** Where time comes from. */
  readonly clock: Clock
  /** There is no way to see whether the line is dead. Called once per link. */
  readonly onBlind: () => void
}

/** How long a page that woke up waits for a sign of life, in milliseconds. */
const PROBE_MS = 5_000

/** The life of one link. */
export class Liveness {
  readonly #link: Link
  readonly #ledger: Ledger
  readonly #options: LivenessOptions
  readonly #pulse: Pulse
  readonly #timer: Timer
  readonly #probeTimer: Timer
  readonly #idleTimer: Timer
  #dueAt = 0
  #idleAt = 0
  #probedAt = 0

  /** @param link - An open link. */
  constructor(link: Link, ledger: Ledger, options: LivenessOptions) {
    this.#link = link
    this.#ledger = ledger
    this.#options = options
    this.#pulse = new Pulse(options.settings, options.clock.now())
    this.#timer = new Timer(options.clock, () => this.#look())
    this.#probeTimer = new Timer(options.clock, () => this.#judge())
    this.#idleTimer = new Timer(options.clock, () => this.#judgeIdle())
  }

  /** Sends the first ping at once: it tells the round-trip time, and whether a literal ping is answered at all. */
  start(): void {
    const { idleTimeoutMs } = this.#options.settings
    if (idleTimeoutMs) this.#waitForSign(idleTimeoutMs)
    if (this.#ledger.canPing) this.#ping()
    else this.#options.onBlind()
  }

  /** Something came in. */
  seen(): void {
    this.#pulse.seen(this.#options.clock.now())
  }

  /** Looks now whether the line is alive, and fails the link if nothing comes in for 5 s. Once at a time. */
  probe(): void {
    if (this.#probeTimer.isArmed || !this.#ledger.isAnswered) return
    this.#probedAt = this.#options.clock.now()
    this.#probeTimer.start(PROBE_MS)
    this.#ledger.ping()
  }

  /** Ends the watch. */
  stop(): void {
    this.#timer.stop()
    this.#probeTimer.stop()
    this.#idleTimer.stop()
  }

  #look(): void {
    const { clock, settings, onBlind } = this.#options
    const now = clock.now()
    // while reading is paused nothing can be heard, so nothing is judged
    if (this.#link.isReadingPaused) this.#pulse.seen(now)
    const verdict = this.#pulse.check(now, now - this.#dueAt > settings.intervalMs)
    if (verdict === "ping") this.#ping()
    else if (verdict !== "dead") this.#wait(verdict)
    else if (this.#ledger.isAnswered) this.#dead("no answer to a ping", settings.timeoutMs)
    else onBlind()
  }

  #judge(): void {
    if (this.#link.isReadingPaused || this.#pulse.seenAt >= this.#probedAt) return
    // the page slept again meanwhile: answers may lie unread
    const lateMs = this.#options.clock.now() - this.#probedAt - PROBE_MS
    if (lateMs > PROBE_MS) this.probe()
    else this.#dead("no answer to a ping", PROBE_MS)
  }

  #judgeIdle(): void {
    const { clock, settings } = this.#options
    const { idleTimeoutMs = 0 } = settings
    const now = clock.now()
    if (this.#link.isReadingPaused) this.#pulse.seen(now)
    // the page slept: what came in meanwhile may lie unread
    const graceMs = now - this.#idleAt > PROBE_MS ? PROBE_MS : 0
    const leftMs = Math.max(this.#pulse.seenAt + idleTimeoutMs - now, graceMs)
    if (leftMs > 0) this.#waitForSign(leftMs)
    else this.#dead("nothing came in", idleTimeoutMs)
  }

  #waitForSign(ms: number): void {
    this.#idleAt = this.#options.clock.now() + ms
    this.#idleTimer.start(ms)
  }

  #ping(): void {
    const { clock, settings } = this.#options
    // a patient timeout must not slow the pings of a line that answers
    this.#wait(Math.min(settings.timeoutMs, settings.intervalMs))
    this.#pulse.pinged(clock.now())
    this.#ledger.ping()
  }

  #dead(why: string, withinMs: number): void {
    this.#link.fail(new ConnectionLostError(`${why} within ${withinMs} ms`))
  }

  #wait(ms: number): void {
    this.#dueAt = this.#options.clock.now() + ms
    this.#timer.start(ms)
  }
}
