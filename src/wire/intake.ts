/**
 * The way of a frame from the socket to the inbox: it counts as a sign of life, is held to its rate, and decoded.
 * It knows no listeners, sends nothing and closes nothing.
 */

import { CodecError } from "../core/errors.js"
import type { Clock } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { FrameReader, LiteralPing } from "./codec.js"
import type { Inbox } from "./inbox.js"
import type { Pulse } from "./pulse.js"
import { type InboundLimits, Throttle, type ThrottleOwner } from "./throttle.js"

/** What is the same for many connections. */
export interface IntakeSettings<Incoming> {
  /** Reads messages. */
  readonly codec: { decode(data: Payload): Incoming; reader?(): FrameReader<Incoming> }
  /** A text that is answered and is no message; `false` for none. */
  readonly literalPing: LiteralPing | false
  /** Where time comes from. */
  readonly clock: Clock
}

/** Whose frames they are. */
export interface IntakeOwner extends ThrottleOwner {
  /** The literal ping came in, and is to be answered. */
  literalPinged(answer: string): void
  /** A frame, or what a frame held, is no message. */
  undecodable(error: CodecError): void
}

/** Takes the frames of one connection. */
export class Intake<Incoming> {
  /** How many messages came in. */
  messageCount = 0
  /** How many bytes of payload came in. */
  byteCount = 0
  readonly #settings: IntakeSettings<Incoming>
  readonly #owner: IntakeOwner
  readonly #inbox: Inbox<Incoming>
  readonly #throttle: Throttle | undefined
  readonly #reader: FrameReader<Incoming> | undefined
  #messageAt: number
  #pulse: Pulse | undefined

  constructor(
    settings: IntakeSettings<Incoming>,
    limits: InboundLimits | undefined,
    owner: IntakeOwner,
    inbox: Inbox<Incoming>,
  ) {
    this.#settings = settings
    this.#owner = owner
    this.#inbox = inbox
    this.#throttle = limits && new Throttle(limits, settings.clock, owner)
    this.#reader = settings.codec.reader?.()
    this.#messageAt = settings.clock.now()
  }

  /** Whether reading is paused, because the peer sends too fast. */
  get isPaused(): boolean {
    return this.#throttle?.isPaused === true
  }

  /** How long ago the last message came in, in milliseconds; before the first, how long ago this was made. */
  get idleMs(): number {
    return this.#settings.clock.now() - this.#messageAt
  }

  /** Round-trip time of the last ping that was answered, in milliseconds. */
  get rttMs(): number | undefined {
    return this.#pulse?.rttMs
  }

  /** From now on signs of life are reported to this pulse. */
  takePulse(pulse: Pulse | undefined): void {
    this.#pulse = pulse
  }

  /** A whole frame came in. Text may come as bytes of UTF-8 that the socket has already validated. */
  message(raw: Payload, isText: boolean): void {
    this.byteCount += raw.length
    this.#messageAt = this.#heard(raw.length)
    if (this.#throttle?.isGivenUp) return
    const data = isText && typeof raw !== "string" ? raw.toString() : raw
    const { literalPing } = this.#settings
    if (literalPing && data === literalPing.ping) this.#owner.literalPinged(literalPing.pong)
    else if (this.#reader) this.#readWith(this.#reader, data)
    else this.#decode(data)
  }

  /** A ping frame came in. */
  ping(): void {
    this.#heard(0)
  }

  /** A pong frame came in. Returns whether it answers the last ping, so that {@link rttMs} is new. */
  pong(payload: string): boolean {
    const now = this.#heard(0)
    return this.#pulse?.answered(now, payload) === true
  }

  /** Nothing comes any more, and the rate is watched no longer. */
  stop(): void {
    this.#throttle?.stop()
  }

  /** The peer may have ended in the middle of a message. */
  end(): void {
    try {
      this.#reader?.end()
    } catch (error) {
      this.#undecodable(error)
    }
  }

  /** A frame with so many bytes of payload came in. */
  #heard(byteLength: number): number {
    const now = this.#settings.clock.now()
    this.#pulse?.seen(now)
    this.#throttle?.received(now, byteLength)
    return now
  }

  #decode(data: Payload): void {
    this.messageCount += 1
    let message: Incoming
    try {
      message = this.#settings.codec.decode(data)
    } catch (error) {
      this.#undecodable(error)
      return
    }
    this.#inbox.push(message)
  }

  #readWith(reader: FrameReader<Incoming>, data: Payload): void {
    const take = (message: Incoming) => {
      this.messageCount += 1
      this.#inbox.push(message)
    }
    try {
      reader.read(data, take, (error) => this.#undecodable(error))
    } catch (error) {
      this.#undecodable(error)
    }
  }

  #undecodable(thrown: unknown): void {
    this.#owner.undecodable(
      thrown instanceof CodecError
        ? thrown
        : new CodecError("DECODE_FAILED", "the codec could not decode a frame", "", { cause: thrown }),
    )
  }
}
