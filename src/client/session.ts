/**
 * One open connection of a client: `onOpen` comes first, then the heartbeat starts and messages may flow; whatever
 * comes in is decoded. It knows no states, no queue and no retries.
 */

import type { ErrorEvent } from "../core/emitter.js"
import { ConnectionLostError, HoldfastError } from "../core/errors.js"
import { reject } from "../core/options.js"
import { Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { FrameReader } from "../wire/codec.js"
import { withResolvers } from "../wire/message-iterator.js"
import type { ClientSettings } from "./client-options.js"
import { Ledger, type PingMemory } from "./ledger.js"
import type { Link, LinkReceiver } from "./link.js"
import { Liveness } from "./liveness.js"

/** Whom a session reports to. */
export interface SessionOwner<Incoming> {
  /** What is known about the server's answers to pings. */
  readonly memory: PingMemory
  /** Messages may flow, and are to be noted in the ledger. */
  ready(link: Link, ledger: Ledger): void
  /** `onOpen` failed. */
  refused(link: Link, error: unknown): void
  /** One message came in. */
  received(message: Incoming, link: Link): void
  /** Something failed, and the connection lives on. */
  failed(event: ErrorEvent): void
  /** A ping was answered. */
  answered(rttMs: number): void
  /** There is no way to see whether the line is dead. Said once. */
  blind(): void
}

/** How long messages may go without a ping after them that proves their arrival, in milliseconds. */
const CONFIRM_AFTER_MS = 1_000

/** The life of one link from its opening on. */
export class Session<Incoming, Outgoing> implements LinkReceiver {
  readonly #link: Link
  readonly #settings: ClientSettings<Incoming, Outgoing>
  readonly #owner: SessionOwner<Incoming>
  readonly #ledger: Ledger
  #reader: FrameReader<Incoming> | undefined
  #liveness: Liveness | undefined
  /** That something came in has been noted already: a burst is one sign of life. */
  #isSeen = false
  #isPaused = false

  /** @param link - An open link. */
  constructor(link: Link, settings: ClientSettings<Incoming, Outgoing>, owner: SessionOwner<Incoming>) {
    this.#link = link
    this.#settings = settings
    this.#owner = owner
    const { heartbeat, literalPing, clock } = settings
    this.#ledger = new Ledger(link, {
      literal: literalPing,
      confirmAfterMs: heartbeat !== false && CONFIRM_AFTER_MS,
      clock,
      memory: owner.memory,
      onAnswer: (rttMs) => owner.answered(rttMs),
    })
  }

  /** Round-trip time of the last ping that was answered, in milliseconds. */
  get rttMs(): number | undefined {
    return this.#ledger.rttMs
  }

  /** Runs `onOpen`, if there is one, and then lets messages flow. */
  async start(isReconnect: boolean): Promise<void> {
    const link = this.#link
    const { codec, onOpen } = this.#settings
    link.receiver = this
    try {
      this.#reader = codec.reader?.()
      // a promise would let what comes in meanwhile overtake the queue
      if (onOpen) await onOpen({ sendNow: this.#sendNow, isReconnect, protocol: link.protocol })
    } catch (error) {
      this.#owner.refused(link, error)
      return
    }
    // it may have ended meanwhile, or begun to
    if (!link.isOpen) return
    link.ready()
    this.#watch()
    this.#owner.ready(link, this.#ledger)
  }

  received(data: Payload): void {
    if (!this.#isSeen) this.#see()
    if (this.#ledger.takePong(data)) return
    try {
      if (this.#reader) this.#reader.read(data, this.#take, this.#fail)
      else this.#take(this.#settings.codec.decode(data))
    } catch (error) {
      this.#fail(error)
    }
  }

  seen(pong?: string): void {
    this.#see()
    if (pong !== undefined) this.#ledger.pong(pong)
  }

  /** The page woke up: looks whether the line is alive, where a heartbeat is wanted and there is a way to see it. */
  wake(): void {
    this.#liveness?.probe()
  }

  /**
   * Resolves with the round-trip time of a ping that is sent now.
   * @throws InvalidOptionError where there is nothing to ping with.
   * @throws HoldfastError `PING_TIMEOUT`, ConnectionLostError.
   */
  async probe(timeoutMs: number): Promise<number> {
    if (!this.#ledger.canPing)
      reject("heartbeat.literalPing", "given: this platform has no ping frames", false)
    const answer = withResolvers<number>()
    const late = () => new HoldfastError("PING_TIMEOUT", `no answer to a ping within ${timeoutMs} ms`)
    const timer = new Timer(this.#settings.clock, () => answer.reject(late()))
    timer.start(timeoutMs)
    this.#ledger.ping(answer)
    return answer.promise.finally(() => timer.stop())
  }

  /** Stops or resumes reading, where the socket can. */
  pace(isPaused: boolean): void {
    if (isPaused === this.#isPaused || !this.#link.canPause) return
    this.#isPaused = isPaused
    this.#link.pauseReading(isPaused)
    // what came in meanwhile lies unread: it says nothing about the line
    this.#liveness?.seen()
  }

  /**
   * Hears nothing any more.
   * @param isClean - Whether the closing handshake that this side began was completed.
   * @returns how many messages went out that nothing proves to have arrived.
   */
  stop(isClean: boolean, cause: unknown): number {
    this.#link.receiver = undefined
    this.#liveness?.stop()
    try {
      this.#reader?.end()
    } catch (error) {
      this.#fail(error)
    }
    if (isClean) this.#ledger.confirmAll()
    this.#ledger.end("the connection ended before the answer", cause)
    return this.#ledger.unconfirmed
  }

  readonly #take = (message: Incoming): void => {
    // one frame may hold many messages, and whoever heard the first may have closed or re-dialled
    if (this.#link.receiver === this) this.#owner.received(message, this.#link)
  }

  readonly #fail = (error: unknown): void => this.#owner.failed({ error, stage: "decode" })

  #see(): void {
    if (!this.#liveness) return
    this.#liveness.seen()
    this.#isSeen = true
    this.#settings.clock.soon(this.#forget)
  }

  readonly #forget = (): void => {
    this.#isSeen = false
  }

  readonly #sendNow = (message: Outgoing): void => {
    if (!this.#link.isOpen) throw new ConnectionLostError("the connection is not open any more")
    this.#link.send(this.#settings.codec.encode(message))
  }

  #watch(): void {
    const { heartbeat, clock } = this.#settings
    if (heartbeat === false) return
    const onBlind = () => {
      this.#ledger.end("the server answers no ping")
      const { memory } = this.#owner
      if (!memory.isBlindTold && !heartbeat.idleTimeoutMs) this.#owner.blind()
      memory.isBlindTold = true
    }
    this.#liveness = new Liveness(this.#link, this.#ledger, { settings: heartbeat, clock, onBlind })
    this.#liveness.start()
  }
}
