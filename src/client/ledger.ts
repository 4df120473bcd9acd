/**
 * What went out over one link, messages and pings in their order: an answered ping proves that every message before
 * it has arrived. It sends the pings, of whatever kind the platform has; it judges nobody.
 */

import { ConnectionLostError, UnconfirmedError } from "../core/errors.js"
import { type Clock, Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { LiteralPing } from "../wire/codec.js"
import type { Link } from "./link.js"

/** What outlives one link: how this server treats pings. */
export interface PingMemory {
  /** It has answered a literal ping. A server that never did is not held to it. */
  isLiteralKnown: boolean
  /** It was said that a dead line cannot be noticed. */
  isBlindTold: boolean
}

/** Who waits for one message. */
export interface Receipt {
  /** Until when: the socket has the message, or the peer's own stack does. */
  readonly until: "handoff" | "fenced"
  /** It is so. */
  resolve(): void
  /** It will never be known. */
  reject(error: Error): void
}

/** What a ledger needs. */
export interface LedgerOptions {
  /** Words for ping and pong, where there are any. */
  readonly literal: LiteralPing | false
  /** How long messages may go without a ping after them, in milliseconds; `false` sends none on their account. */
  readonly confirmAfterMs: number | false
  /** Where time comes from. */
  readonly clock: Clock
  /** See {@link PingMemory}. */
  readonly memory: PingMemory
  /** A ping was answered. */
  readonly onAnswer: (rttMs: number) => void
}

/** Who waits for one pong. */
interface PingWaiter {
  resolve(rttMs: number): void
  reject(error: Error): void
}

/** One ping that is out. */
interface Ping {
  readonly token: string
  readonly sentAt: number
  /** How many messages went before it. */
  readonly messages: number
  readonly waiter: PingWaiter | undefined
}

/** A peer that leaves so many pings unanswered is sent no more. */
const MAX_PINGS = 1_024

/** The outgoing side of one link. */
export class Ledger {
  /** Whether pings are frames, not text. */
  readonly usesFrames: boolean
  /** Round-trip time of the last ping that was answered, in milliseconds. */
  rttMs: number | undefined
  readonly #link: Link
  readonly #options: LedgerOptions
  readonly #timer: Timer
  readonly #pings: Ping[] = []
  #serial = 0
  #sent = 0
  /** So many of them the socket took while it was open: one within which it was closed may be thrown away. */
  #taken = 0
  #confirmed = 0
  /** Messages that are waited for, each with its number, oldest first. */
  readonly #receipts: { readonly number: number; readonly receipt: Receipt }[] = []
  #isFenceDue = false
  #end: UnconfirmedError | undefined

  /** @param link - An open link. */
  constructor(link: Link, options: LedgerOptions) {
    this.#link = link
    this.#options = options
    this.usesFrames = link.canPing
    this.#timer = new Timer(options.clock, () => this.ping())
  }

  /** Whether there is anything to ping with. */
  get canPing(): boolean {
    return this.usesFrames || this.#options.literal !== false
  }

  /** Whether the peer is known to answer pings. */
  get isAnswered(): boolean {
    return this.usesFrames || this.#options.memory.isLiteralKnown
  }

  /** How many messages went out that nothing proves to have arrived. */
  get unconfirmed(): number {
    return this.#sent - this.#confirmed
  }

  /** A message is being handed to the socket; or was not taken, with -1. One within which the socket ends counts. */
  count(messages: 1 | -1): void {
    this.#sent += messages
  }

  /** The socket has taken the message that was counted last. */
  sent(receipt?: Receipt): void {
    if (this.#link.isOpen) this.#taken = this.#sent
    if (receipt?.until === "fenced") this.#await(receipt)
    else receipt?.resolve()
    this.#confirmLater()
  }

  /** Sends a ping. What was sent before it has arrived when it is answered. */
  ping(waiter?: PingWaiter): void {
    const { clock, literal } = this.#options
    this.#timer.stop()
    if (this.#pings.length === MAX_PINGS) {
      waiter?.reject(new UnconfirmedError(`${MAX_PINGS} pings are unanswered`))
      return
    }
    this.#serial += 1
    const token = this.#serial.toString(36)
    this.#pings.push({ token, sentAt: clock.now(), messages: this.#taken, waiter })
    try {
      if (this.usesFrames) this.#link.ping(token)
      else if (literal) this.#link.send(literal.ping)
    } catch (error) {
      this.#link.fail(error)
    }
  }

  /**
   * Takes a message that is a literal pong. Pongs come in the order of the pings, so each answers the oldest.
   * @returns whether it was one; then it is not for the application.
   */
  takePong(data: Payload): boolean {
    const { literal, memory } = this.#options
    if (literal === false || data !== literal.pong || this.usesFrames) return false
    memory.isLiteralKnown = true
    this.#answered(this.#pings.splice(0, 1))
    return true
  }

  /** A pong frame came in. It may answer several pings at once (RFC 6455, section 5.5.3). */
  pong(token: string): void {
    const index = this.#pings.findIndex((it) => it.token === token)
    if (index >= 0) this.#answered(this.#pings.splice(0, index + 1))
  }

  /** The closing handshake that this side began is done: the peer has read all that went before. */
  confirmAll(): void {
    this.#confirm(this.#taken)
  }

  /** No answer is expected any more. Whoever waits for one is told why. */
  end(reason: string, cause?: unknown): void {
    this.#timer.stop()
    this.#end = new UnconfirmedError(reason, { cause })
    for (const { receipt } of this.#receipts.splice(0)) receipt.reject(this.#end)
    for (const { waiter } of this.#pings) waiter?.reject(new ConnectionLostError(reason, { cause }))
  }

  #await(receipt: Receipt): void {
    if (this.#end || !this.canPing) {
      receipt.reject(
        this.#end ?? new UnconfirmedError("there is nothing to ping with: give heartbeat.literalPing"),
      )
      return
    }
    this.#receipts.push({ number: this.#sent, receipt })
    if (this.#isFenceDue) return
    this.#isFenceDue = true
    // one ping for all that is sent in one go
    this.#options.clock.soon(() => {
      this.#isFenceDue = false
      if (!this.#end) this.ping()
    })
  }

  #answered(pings: readonly Ping[]): void {
    const last = pings.at(-1)
    if (!last) return
    const now = this.#options.clock.now()
    this.rttMs = now - last.sentAt
    this.#confirm(last.messages)
    this.#confirmLater()
    for (const { waiter, sentAt } of pings) waiter?.resolve(now - sentAt)
    this.#options.onAnswer(this.rttMs)
  }

  #confirm(messages: number): void {
    this.#confirmed = messages
    const open = this.#receipts.findIndex((it) => it.number > messages)
    for (const { receipt } of this.#receipts.splice(0, open < 0 ? this.#receipts.length : open)) {
      receipt.resolve()
    }
  }

  /** A ping that is out already covers what went before it; the rest waits for its answer. */
  #confirmLater(): void {
    const { confirmAfterMs } = this.#options
    if (confirmAfterMs === false || this.#timer.isArmed || !this.isAnswered) return
    if (this.unconfirmed > 0 && this.#pings.length === 0) this.#timer.start(confirmAfterMs)
  }
}
