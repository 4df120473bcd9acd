/**
 * How fast one peer may send. The first time it is faster, reading pauses until the rate is kept again, and TCP slows
 * the peer down; a peer that stays at it is given up. It knows no socket: its owner pauses and closes.
 */

import { checkNumber, MAX_TIMER_MS } from "../core/options.js"
import { type Clock, Timer } from "../core/timer.js"
import { type Rate, TokenBucket } from "./token-bucket.js"

/** How fast a peer may send. A ping counts as a message without bytes. */
export interface InboundLimits {
  /** Messages; `undefined` for any number. */
  readonly messages?: Rate | undefined
  /** Bytes of payload; `undefined` for any number. */
  readonly bytes?: Rate | undefined
}

/** How long a peer may go on breaching its limits, in milliseconds. Half a bucket of tokens is a fresh start. */
const PATIENCE_MS = 10_000
/** What share of a bucket may be spent before it is asked: exact to that much, and next to no work for each message. */
const SLACK = 1 / 16
/** Small bursts are counted to the last token. */
const EXACT_BELOW = 1_000
/** See {@link Throttle.isGivenUp}, where messages have no rate. */
const GRACE_MESSAGES = 1_000

/** Whose peer it is. */
export interface ThrottleOwner {
  /** Stops reading; returns whether the socket can. */
  pauseReading(): boolean
  /** Reads on, unless something else keeps it from that. */
  resumeReading(): void
  /** Reading was paused because of the rate. */
  throttled(): void
  /** The peer will not slow down. Called once. */
  unruly(): void
}

/** Watches the rate of one peer. */
export class Throttle {
  readonly #limits: InboundLimits
  readonly #clock: Clock
  readonly #owner: ThrottleOwner
  /** Made when they are first asked; until then they are full. Most peers never send so much. */
  #buckets: Buckets | undefined
  #timer: Timer | undefined
  #unpaidMessages = 0
  #unpaidBytes = 0
  #breachedAt: number | undefined
  #isGivenUp = false
  /** How many messages of a peer that was given up are read, so that its half of the closing handshake is seen. */
  #grace: number

  constructor(limits: InboundLimits, clock: Clock, owner: ThrottleOwner) {
    this.#limits = limits
    this.#clock = clock
    this.#owner = owner
    checkRate(limits.messages)
    checkRate(limits.bytes)
    this.#grace = Math.ceil(limits.messages?.burst ?? GRACE_MESSAGES)
  }

  /** Whether reading is paused because of the rate. */
  get isPaused(): boolean {
    return this.#timer?.isArmed === true || this.#grace <= 0
  }

  /** Whether the peer was given up: what it still sends is read for a while, and worth nothing. */
  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  /** A message or a ping of so many bytes came in. */
  received(now: number, byteLength: number): void {
    this.#unpaidMessages += 1
    this.#unpaidBytes += byteLength
    const { messages, bytes } = this.#limits
    // so much may come in before the buckets are asked, which is then paid for at once
    const isWithin = this.#unpaidMessages <= slackOf(messages) && this.#unpaidBytes <= slackOf(bytes)
    if (!isWithin || this.#breachedAt !== undefined) this.#settle(now)
  }

  #settle(now: number): void {
    if (this.#isGivenUp) {
      this.#discarded()
      return
    }
    const messages = this.#unpaidMessages
    const bytes = this.#unpaidBytes
    this.#unpaidMessages = 0
    this.#unpaidBytes = 0
    this.#buckets ??= new Buckets(this.#limits, now)
    if (this.#breachedAt !== undefined && this.#buckets.areCalm(now)) this.#breachedAt = undefined
    if (!this.#buckets.take(now, messages, bytes)) this.#breach(now, this.#buckets)
  }

  /** The connection has ended. */
  stop(): void {
    this.#timer?.stop()
  }

  #breach(now: number, buckets: Buckets): void {
    this.#breachedAt ??= now
    const canPause = this.isPaused || this.#pause(now, buckets)
    const isUnruly = canPause ? now - this.#breachedAt >= PATIENCE_MS : buckets.areDeepInDebt
    if (!isUnruly) return
    this.#isGivenUp = true
    this.#timer?.stop()
    this.#owner.unruly()
    this.#owner.resumeReading()
  }

  /** Whoever does not close when told to is not read any more, and costs nothing until he is cut. */
  #discarded(): void {
    this.#grace -= 1
    if (this.#grace === 0) this.#owner.pauseReading()
  }

  #pause(now: number, buckets: Buckets): boolean {
    if (!this.#owner.pauseReading()) return false
    this.#timer ??= new Timer(this.#clock, () => this.#look(buckets))
    this.#timer.start(buckets.debtMs(now))
    this.#owner.throttled()
    return true
  }

  /** What was read before the pause took hold may have made the debt greater. */
  #look(buckets: Buckets): void {
    const debtMs = buckets.debtMs(this.#clock.now())
    if (debtMs > 0) this.#timer?.start(debtMs)
    else this.#owner.resumeReading()
  }
}

/** The buckets of one peer, for messages and for bytes. */
class Buckets {
  readonly #messages: TokenBucket | undefined
  readonly #bytes: TokenBucket | undefined
  readonly #all: readonly TokenBucket[]

  constructor({ messages, bytes }: InboundLimits, now: number) {
    this.#messages = messages && new TokenBucket(messages, now)
    this.#bytes = bytes && new TokenBucket(bytes, now)
    this.#all = [this.#messages, this.#bytes].filter((it) => it !== undefined)
  }

  /** Takes tokens of both kinds. Returns whether there were enough. */
  take(now: number, messages: number, bytes: number): boolean {
    const isWithin = this.#messages?.take(now, messages) !== false
    return this.#bytes?.take(now, bytes) !== false && isWithin
  }

  areCalm(now: number): boolean {
    return this.#all.every((it) => it.isCalm(now))
  }

  get areDeepInDebt(): boolean {
    return this.#all.some((it) => it.isDeepInDebt)
  }

  debtMs(now: number): number {
    // what is still owed then is waited for anew
    return Math.min(MAX_TIMER_MS, Math.max(0, ...this.#all.map((it) => it.debtMs(now))))
  }
}

/** A rate that cannot be kept would be waited for in a timer that fires at once, again and again. */
function checkRate(rate: Rate | undefined): void {
  if (!rate) return
  checkNumber("inboundLimits perSecond", rate.perSecond, 0.001)
  checkNumber("inboundLimits burst", rate.burst, 1)
}

function slackOf(rate: Rate | undefined): number {
  if (!rate) return Number.POSITIVE_INFINITY
  return rate.burst < EXACT_BELOW ? 0 : rate.burst * SLACK
}
