/**
 * Where a client stands, and what follows what: dialling, waiting, replacing, ending. `client-state` has the table.
 * It knows no messages.
 */

import { steadyRandom } from "../core/backoff.js"
import { NORMAL } from "../core/close-codes.js"
import type { ErrorEvent } from "../core/emitter.js"
import { Timer } from "../core/timer.js"
import type { ClientEnd, StateChange } from "./client-events.js"
import type { ClientSettings } from "./client-options.js"
import type { ClientState } from "./client-state.js"
import { Link, type LinkEnd, type LinkOwner, type LinkStage } from "./link.js"
import { isLoopback, isOffline } from "./page-life.js"
import { type EndCause, ReconnectPolicy } from "./reconnect-policy.js"

/** What a course goes by. */
export type CourseSettings = Pick<
  ClientSettings<never, never>,
  "clock" | "link" | "policy" | "signal" | "stableAfterMs"
>

/** Whom a course tells. */
export interface CourseOwner {
  /** One step from state to state was taken. */
  changed(change: StateChange): void
  /** A link is open. */
  opened(link: Link, isReconnect: boolean): void
  /**
   * There is no link any more. `end` says how it ended, where it did so by itself; `isClean`, that the closing
   * handshake that this side began was completed.
   */
  released(end: LinkEnd | undefined, isClean: boolean): void
  /** Something failed, and the client goes on. */
  failed(event: ErrorEvent): void
  /** The end. Called once, and last. */
  ended(end: Omit<ClientEnd, "queued">): void
}

/** How soon a client dials that was told to hurry, in milliseconds at most: not all of them at once. */
const HURRY_MS = 1_000
/** How long after that a lost connection still counts as lost before, in milliseconds: a probe takes 5 s. */
const HURRIED_MS = 6_000
/** How long to wait where the platform says that there is no network, in milliseconds. It may be wrong. */
const OFFLINE_MS = 30_000

/** The one variable that says where a client stands, and every step of it. */
export class Course implements LinkOwner {
  /** Where it stands. */
  state: ClientState = "idle"
  /** When it dials again; only in `waiting`. */
  retryAt: number | undefined
  /** The link that counts; every other one is not heard. */
  link: Link | undefined
  /** Whether it was ever open. */
  hasOpened = false
  readonly #settings: CourseSettings
  readonly #owner: CourseOwner
  readonly #policy: ReconnectPolicy
  readonly #random: () => number
  readonly #retryTimer: Timer
  readonly #stableTimer: Timer
  readonly #aborted = () => this.leave("aborted", this.#settings.signal?.reason)
  /** Replaced or paused, and perhaps still closing. */
  #retired: Link | undefined
  #lastClose: LinkEnd | undefined
  /** What `closing` will end in. */
  #ending:
    | { readonly cause: EndCause; readonly error: unknown; readonly code: number | undefined }
    | undefined
  #isEnded = false
  /** The server or the application set the length of the wait. */
  #isWaitFirm = false
  #hurriedAt = Number.NEGATIVE_INFINITY
  /** When it dials again, on the clock that timers go by. */
  #dialsAt = 0

  constructor(settings: CourseSettings, owner: CourseOwner) {
    const { clock, policy, signal } = settings
    this.#settings = settings
    this.#owner = owner
    const onFault = (error: unknown) => owner.failed({ error, stage: "listener" })
    this.#random = steadyRandom(policy.backoff.random, clock, onFault)
    this.#policy = new ReconnectPolicy(
      { ...policy, backoff: { ...policy.backoff, random: this.#random } },
      onFault,
    )
    this.#retryTimer = new Timer(clock, () => this.#dial())
    this.#stableTimer = new Timer(clock, () => this.#policy.reset())
    signal?.addEventListener("abort", this.#aborted)
  }

  /** The first step, if nothing has happened yet. */
  begin(isDialling: boolean): void {
    if (this.#settings.signal?.aborted) this.#aborted()
    else if (isDialling && this.state === "idle") this.#dial()
  }

  connect(): void {
    if (this.state === "idle" || this.state === "paused") this.#dial()
  }

  reconnect(): void {
    if (this.#isEnding) return
    this.#policy.reset()
    if (this.state === "connecting") return
    this.#redial()
  }

  pause(): void {
    const { state } = this
    if (this.#isEnding || state === "paused") return
    this.#detach()
    if (!this.link && this.state === state) this.#to("paused")
  }

  /**
   * There may be a network again, or a person who looks: a wait that nobody asked for is cut short, and so is the one
   * that follows when the connection turns out to have been lost meanwhile.
   */
  hurry(): void {
    const now = this.#settings.clock.now()
    this.#hurriedAt = now
    if (this.state !== "waiting" || this.#isWaitFirm) return
    const delayMs = this.#shortDelay
    // not by the date: it goes on while a machine sleeps, and timers may not
    if (now + delayMs < this.#dialsAt) this.retryAt = this.#dialIn(delayMs)
  }

  /** Whatever was open or being dialled is gone without a sign: dials anew. */
  revive(): void {
    if (this.state === "open" || this.state === "connecting") this.#redial()
    else this.hurry()
  }

  /** Ends for that cause: after the closing handshake where there is a connection. */
  leave(cause: EndCause, error?: unknown, code: number = NORMAL, reason = ""): void {
    const { link } = this
    // while an end is being handled, an open client has no link any more
    if (this.state === "open" && link) {
      this.#ending = { cause, error, code: link.isOpen ? code : undefined }
      this.#to("closing")
      link.close(code, reason)
    } else if (this.state !== "closing") this.#finish(cause, error)
  }

  linkOpened(link: Link): void {
    if (link !== this.link) return
    const isReconnect = this.hasOpened
    this.#to("open")
    this.hasOpened = true
    // a listener may have closed, paused or re-dialled
    if (link !== this.link || this.#isEnding) return
    this.#stableTimer.start(this.#settings.stableAfterMs)
    this.#owner.opened(link, isReconnect)
  }

  linkEnded(link: Link, end: LinkEnd, stage: LinkStage): void {
    if (link !== this.link) return
    this.#lastClose = end
    this.#release(end)
    if (this.#ending) this.#finish(this.#ending.cause, this.#ending.error)
    else this.#goOn(link, end, stage)
  }

  #goOn(link: Link, end: LinkEnd, stage: LinkStage): void {
    if (end.error !== undefined) this.#owner.failed({ error: end.error, stage })
    if (this.#isElsewhere) return
    const verdict = this.#policy.decide(end)
    if (this.#isElsewhere) return
    if ("stop" in verdict) this.#finish(verdict.stop, verdict.error)
    else {
      this.#isWaitFirm = verdict.isFirm
      this.#wait(verdict.isFirm ? verdict.delayMs : this.#adjust(verdict.delayMs, link, end))
    }
  }

  /** A drawn delay, as far as the platform knows better. */
  #adjust(delayMs: number, link: Link, { wasOpen }: LinkEnd): number {
    const isHurried = this.#settings.clock.now() - this.#hurriedAt <= HURRIED_MS
    if (wasOpen) return isHurried ? Math.min(delayMs, this.#shortDelay) : delayMs
    const isPointless = isOffline() && link.address !== undefined && !isLoopback(link.address)
    return isPointless ? Math.max(delayMs, OFFLINE_MS) : delayMs
  }

  get #shortDelay(): number {
    return this.#random() * HURRY_MS
  }

  /** A callback may have closed, paused or re-dialled while an end was being handled. */
  get #isElsewhere(): boolean {
    return this.link !== undefined || (this.state !== "connecting" && this.state !== "open")
  }

  get #isEnding(): boolean {
    return this.#isEnded || this.state === "closing" || this.state === "closed"
  }

  #to(to: ClientState, retryAt?: number): void {
    const from = this.state
    this.state = to
    this.retryAt = retryAt
    this.#owner.changed({
      from,
      to,
      attempt: this.#policy.attempt,
      retryAt,
      lastClose: this.#lastClose,
      isReconnect: this.hasOpened,
    })
  }

  #dial(): void {
    // whoever hears of the end may try
    if (this.#isEnded) return
    this.#retryTimer.stop()
    const link = new Link(this.#settings.link, this)
    this.link = link
    // an attempt that a page takes out of its cache is replaced by another
    if (this.state !== "connecting") this.#to("connecting")
    if (link === this.link) link.dial(this.#policy.attempt, this.#lastClose)
  }

  #wait(delayMs: number): void {
    this.#to("waiting", this.#dialIn(delayMs))
  }

  /** Returns when that is, in milliseconds since 1970. */
  #dialIn(delayMs: number): number {
    const { clock } = this.#settings
    this.#dialsAt = clock.now() + delayMs
    this.#retryTimer.start(delayMs)
    return clock.date() + delayMs
  }

  #finish(cause: EndCause, error?: unknown): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#detach()
    this.#retired?.terminate()
    this.#settings.signal?.removeEventListener("abort", this.#aborted)
    this.#to("closed")
    this.#owner.ended({ cause, error, lastClose: this.#lastClose })
  }

  /** Leaves the link there is, if there is one, for a new one. */
  #redial(): void {
    const { state } = this
    this.#detach()
    if (!this.link && this.state === state) this.#dial()
  }

  /**
   * Lets go of the link: it closes by itself, and nobody listens. At most one does so at any time. The signals of both
   * are aborted on the way, and whoever listens to those may have dialled when this returns.
   */
  #detach(): void {
    const { link } = this
    const retired = this.#retired
    if (link) this.#retired = link
    this.#release()
    if (link) retired?.terminate()
    link?.close(NORMAL, "")
  }

  #release(end?: LinkEnd): void {
    this.link = undefined
    this.#retryTimer.stop()
    this.#stableTimer.stop()
    // an answer has the same code (RFC 6455, section 5.5.1); another one crossed ours on the way
    const isClean = end !== undefined && end.code === this.#ending?.code
    this.#owner.released(end, isClean)
  }
}
