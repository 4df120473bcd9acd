/**
 * One open connection of a client: `onOpen` comes first, then the heartbeat starts and messages may flow; whatever
 * comes in is decoded. It knows no states, no queue and no retries.
 */

import type { ErrorEvent } from "../core/emitter.js"
import { ConnectionLostError } from "../core/errors.js"
import type { Payload } from "../core/types.js"
import type { ClientSettings } from "./client-options.js"
import type { Link, LinkReceiver } from "./link.js"
import { Liveness, type PingMemory } from "./liveness.js"

/** Whom a session reports to. */
export interface SessionOwner<Incoming> {
  /** What is known about the server's answers to pings. */
  readonly memory: PingMemory
  /** Messages may flow. */
  ready(link: Link): void
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

/** The life of one link from its opening on. */
export class Session<Incoming, Outgoing> implements LinkReceiver {
  readonly #link: Link
  readonly #settings: ClientSettings<Incoming, Outgoing>
  readonly #owner: SessionOwner<Incoming>
  #liveness: Liveness | undefined
  #isPaused = false

  /** @param link - An open link. */
  constructor(link: Link, settings: ClientSettings<Incoming, Outgoing>, owner: SessionOwner<Incoming>) {
    this.#link = link
    this.#settings = settings
    this.#owner = owner
  }

  /** Round-trip time of the last ping that was answered, in milliseconds. */
  get rttMs(): number | undefined {
    return this.#liveness?.rttMs
  }

  /** Runs `onOpen`, if there is one, and then lets messages flow. */
  async start(isReconnect: boolean): Promise<void> {
    const link = this.#link
    link.receiver = this
    if (this.#settings.onOpen && !(await this.#prepare(this.#settings.onOpen, isReconnect))) return
    // it may have ended meanwhile, or begun to
    if (!link.isOpen) return
    link.ready()
    this.#watch()
    this.#owner.ready(link)
  }

  received(data: Payload): void {
    if (this.#liveness?.received(data)) return
    let message: Incoming
    try {
      message = this.#settings.codec.decode(data)
    } catch (error) {
      this.#owner.failed({ error, stage: "decode" })
      return
    }
    this.#owner.received(message, this.#link)
  }

  seen(pong?: string): void {
    this.#liveness?.seen(pong)
  }

  /** Stops or resumes reading, where the socket can. */
  pace(isPaused: boolean): void {
    if (isPaused === this.#isPaused || !this.#link.canPause) return
    this.#isPaused = isPaused
    this.#link.pauseReading(isPaused)
    // what came in meanwhile lies unread: it says nothing about the line
    this.#liveness?.seen()
  }

  /** Hears nothing any more. */
  stop(): void {
    this.#link.receiver = undefined
    this.#liveness?.stop()
  }

  async #prepare(
    onOpen: NonNullable<ClientSettings<Incoming, Outgoing>["onOpen"]>,
    isReconnect: boolean,
  ): Promise<boolean> {
    const link = this.#link
    const sendNow = (message: Outgoing) => {
      if (!link.isOpen) throw new ConnectionLostError("the connection is not open any more")
      link.send(this.#settings.codec.encode(message))
    }
    try {
      await onOpen({ sendNow, isReconnect, protocol: link.protocol })
      return true
    } catch (error) {
      this.#owner.refused(link, error)
      return false
    }
  }

  #watch(): void {
    const { heartbeat, literalPing, clock } = this.#settings
    if (heartbeat === false) return
    this.#liveness = new Liveness(this.#link, {
      settings: heartbeat,
      literal: literalPing,
      clock,
      memory: this.#owner.memory,
      onAnswer: (rttMs) => this.#owner.answered(rttMs),
      onBlind: () => this.#owner.blind(),
    })
    this.#liveness.start()
  }
}
