/**
 * A connection that belongs to a hub: it can join rooms and may carry a user. Everything else is `Connection`.
 */

import { CloseCode } from "../core/close-codes.js"
import type { ErrorEvent } from "../core/emitter.js"
import { checkMoment } from "../core/options.js"
import type { Clock } from "../core/timer.js"
import type { Lag } from "../wire/backlog.js"
import { Connection } from "../wire/connection.js"
import type { CloseInfo } from "../wire/connection-events.js"
import type { ConnectionIdentity, ConnectionOptions } from "../wire/connection-options.js"
import type { Frame } from "../wire/frame.js"
import type { SocketLike } from "../wire/socket.js"
import { Expiry } from "./expiry.js"
import type { HubCounters } from "./hub-counters.js"

/** What is particular to one connection of a hub. */
export interface HubConnectionIdentity<Data = unknown> extends ConnectionIdentity<Data> {
  /** Whose connection it is: `hub.user(userId)` means all connections with this id. @defaultValue undefined */
  readonly userId?: string | undefined
  /**
   * When its login ends, as a `Date` or in milliseconds since 1970: an `expiring` event comes 30 s before, and unless
   * `connection.renew` was called the connection is then closed with 4401.
   * @defaultValue never
   */
  readonly expiresAt?: number | Date | undefined
  /**
   * What its log lines are found by, together with those of everything else the request passed through.
   * @defaultValue the trace id of the request's `traceparent`, or its `x-request-id`, or the connection's own id
   */
  readonly correlationId?: string | undefined
}

/** What a connection needs of its hub. */
export interface ConnectionHost<Incoming, Outgoing, Data> {
  /** Where time comes from. */
  readonly clock: Clock
  /** @internal What counts. */
  readonly counters: HubCounters
  /** Adds to rooms. */
  join(connection: HubConnection<Incoming, Outgoing, Data>, rooms: string | Iterable<string>): Promise<void>
  /** Takes out of rooms. */
  leave(connection: HubConnection<Incoming, Outgoing, Data>, rooms: string | Iterable<string>): void
  /** The rooms of a connection. */
  roomsOf(connection: HubConnection<Incoming, Outgoing, Data>): ReadonlySet<string>
  /** Whether the hub itself takes messages. */
  listens(): boolean
  /** A message came in. */
  received(connection: HubConnection<Incoming, Outgoing, Data>, data: Incoming): void
  /** A connection lost messages. */
  lost(connection: HubConnection<Incoming, Outgoing, Data>, lag: Lag): void
  /** An error that nobody heard on the connection. */
  failed(connection: HubConnection<Incoming, Outgoing, Data>, event: ErrorEvent): void
  /** A login ends soon. */
  expiring(connection: HubConnection<Incoming, Outgoing, Data>, expiresAt: number): void
  /** A connection has ended. */
  left(connection: HubConnection<Incoming, Outgoing, Data>, info: CloseInfo): void
}

/** One connection of a hub. */
export class HubConnection<Incoming = unknown, Outgoing = unknown, Data = unknown> extends Connection<
  Incoming,
  Outgoing,
  Data
> {
  /** Whose connection it is, where the application said so. */
  readonly userId: string | undefined
  /** What its log lines are found by. Put it into your own. */
  readonly correlationId: string
  readonly #host: ConnectionHost<Incoming, Outgoing, Data>
  #expiry: Expiry | undefined
  /** When the message was handed over that is being handled in this turn. */
  #handedAt = 0
  #isHandledLater = false

  /** @internal Made by `hub.add`. */
  constructor(
    host: ConnectionHost<Incoming, Outgoing, Data>,
    socket: SocketLike,
    identity: HubConnectionIdentity<Data>,
    options: ConnectionOptions<Incoming, Outgoing>,
  ) {
    super(socket, identity, options)
    this.#host = host
    this.userId = identity.userId
    this.correlationId = identity.correlationId ?? this.id
    if (identity.expiresAt !== undefined) this.renew(identity.expiresAt)
  }

  /** When its login ends, in milliseconds since 1970; `undefined` for never. */
  get expiresAt(): number | undefined {
    return this.#expiry?.expiresAt
  }

  /**
   * Puts the end of its login off, or sets one: from now on it is closed with 4401 at that moment, and `expiring` comes
   * 30 s before. After the end of the connection it does nothing.
   *
   * @param until - A `Date`, or milliseconds since 1970. One that has passed ends the connection.
   * @throws InvalidOptionError with the value received.
   */
  renew(until: number | Date): void {
    const expiresAt = checkMoment("renew until", until)
    if (this.state !== "open") return
    this.#expiry ??= new Expiry(this.#host.clock, {
      expiring: (at) => {
        this.emit("expiring", { expiresAt: at })
        this.#host.expiring(this, at)
      },
      expired: () => void this.close(CloseCode.EXPIRED, "the login has expired"),
    })
    this.#expiry.set(expiresAt)
  }

  /** The rooms it is in, at this moment. */
  get rooms(): ReadonlySet<string> {
    return this.#host.roomsOf(this)
  }

  /**
   * Joins rooms. From this call on, sends of this node reach it; when the promise resolves, sends from any node do.
   * After the end of the connection it does nothing. The promise may be ignored: a failure is also an `error` event.
   * @throws InvalidOptionError at once, for a room name that is empty or above 512 bytes.
   */
  join(rooms: string | Iterable<string>): Promise<void> {
    return this.#host.join(this, rooms)
  }

  /** Leaves rooms; those it is not in are ignored. What was sent before is still delivered. */
  leave(rooms: string | Iterable<string>): void {
    this.#host.leave(this, rooms)
  }

  /** @internal */
  override hasListeners(): boolean {
    return super.hasListeners() || this.#host.listens()
  }

  /** @internal */
  override deliver(data: Incoming): void {
    const { clock, counters } = this.#host
    const handedAt = clock.now()
    this.#handedAt = handedAt
    this.#isHandledLater = false
    super.deliver(data)
    this.#host.received(this, data)
    if (!this.#isHandledLater) counters.handlerMs.observe(clock.now() - handedAt)
  }

  /** @internal */
  override busy(): () => void {
    const { clock, counters } = this.#host
    const handedAt = this.#handedAt
    const done = super.busy()
    this.#isHandledLater = true
    return () => {
      counters.handlerMs.observe(clock.now() - handedAt)
      done()
    }
  }

  /** @internal */
  override throttled(): void {
    this.#host.counters.throttles += 1
  }

  protected override ponged(rttMs: number): void {
    this.#host.counters.pingMs.observe(rttMs)
    super.ponged(rttMs)
  }

  /** @internal */
  override lagged(lag: Lag): Frame | undefined {
    this.#host.lost(this, lag)
    return super.lagged(lag)
  }

  protected override raise(event: ErrorEvent): void {
    if (!this.emit("error", event)) this.#host.failed(this, event)
  }

  protected override ended(info: CloseInfo): void {
    this.#expiry?.stop()
    // rooms are left only after the listeners have seen which they were
    super.ended(info)
    this.#host.left(this, info)
  }
}
