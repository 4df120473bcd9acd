/**
 * The open sockets of a pool: which are idle, which are leased, and whether each is still good for anything. It dials
 * none, and does not know who waits for one.
 */

import { NORMAL } from "../core/close-codes.js"
import type { ErrorEvent } from "../core/emitter.js"
import { hasErrorCode } from "../core/errors.js"
import { Timer } from "../core/timer.js"
import type { CloseInfo } from "../wire/connection-events.js"
import { Heartbeat } from "../wire/heartbeat.js"
import type { SocketLike } from "../wire/socket.js"
import { IdleStack } from "./idle-stack.js"
import type { Lease } from "./lease.js"
import type { PoolClose } from "./pool-events.js"
import type { PoolSettings } from "./pool-options.js"
import { PooledSocket, type PooledSocketOwner } from "./pooled-socket.js"

/** Whom a stock tells about itself. */
export interface StockOwner {
  /** A holder has given a socket back that the dial with this number had opened. It is idle now. */
  returned(attempt: number): void
  /** A socket has ended. `setBack` is the number of the dial that opened it, where it was good for nothing. */
  ended(close: PoolClose, setBack: number | undefined): void
  /** The `validate` hook failed. */
  failed(event: ErrorEvent): void
  /** There is no way to see whether a connection is dead. Said once. */
  blind(): void
}

/**
 * A connection that the server drops this soon, in milliseconds, without having said anything, was no better than
 * none.
 */
const WORDLESS_MS = 5_000

/** Sockets that are open, or on their way to their end. */
export class Stock<Incoming, Outgoing, Data> {
  readonly #settings: PoolSettings<Incoming, Outgoing, Data>
  readonly #owner: StockOwner
  /** Every one, with the number of the dial that opened it. */
  readonly #attempts = new Map<PooledSocket<Incoming, Outgoing, Data>, number>()
  readonly #leased = new Set<PooledSocket<Incoming, Outgoing, Data>>()
  readonly #idle: IdleStack<PooledSocket<Incoming, Outgoing, Data>>
  readonly #heartbeat: Heartbeat | undefined
  readonly #socketOwner: PooledSocketOwner<PooledSocket<Incoming, Outgoing, Data>> = {
    released: (socket) => void this.#leased.delete(socket),
    returned: (socket) => this.#returned(socket),
    ended: (socket, info) => this.#ended(socket, info),
  }
  #isBlindTold = false
  #isClosed = false

  constructor(settings: PoolSettings<Incoming, Outgoing, Data>, owner: StockOwner) {
    const { clock } = settings.socket
    this.#settings = settings
    this.#owner = owner
    this.#idle = new IdleStack(clock, settings.idleTimeoutMs, (socket) => socket.retire("idle"))
    if (settings.heartbeat) this.#heartbeat = new Heartbeat(settings.heartbeat, clock)
  }

  /** How many there are. */
  get size(): number {
    return this.#attempts.size
  }

  /** How many are idle. */
  get idle(): number {
    return this.#idle.size
  }

  /** How many are leased. */
  get leased(): number {
    return this.#leased.size
  }

  /** Makes a socket one of the pool's, but not yet one of the stock. */
  wrap(socket: SocketLike): PooledSocket<Incoming, Outgoing, Data> {
    return new PooledSocket(socket, this.#settings.socket, this.#socketOwner)
  }

  /** Takes a socket in. It is neither idle nor leased. */
  add(socket: PooledSocket<Incoming, Outgoing, Data>, attempt: number): void {
    this.#attempts.set(socket, attempt)
    if (socket.canPing) this.#heartbeat?.watch(socket)
    else if (this.#heartbeat && !this.#isBlindTold) {
      this.#isBlindTold = true
      this.#owner.blind()
    }
  }

  /** An idle socket that is open, if there is one: the one that was used last. It is not idle any more. */
  take(): PooledSocket<Incoming, Outgoing, Data> | undefined {
    const { maxAgeMs, socket } = this.#settings
    for (let it = this.#idle.pop(); it; it = this.#idle.pop()) {
      const isOld = maxAgeMs !== false && socket.clock.now() - it.openedAt > maxAgeMs
      if (it.isOpen && !isOld) return it
      it.retire(isOld ? "old" : "dead")
    }
    return undefined
  }

  /** Leases a socket. */
  lend(socket: PooledSocket<Incoming, Outgoing, Data>): Lease<Incoming, Outgoing, Data> {
    this.#leased.add(socket)
    return socket.lease()
  }

  /** Makes a socket idle. */
  keep(socket: PooledSocket<Incoming, Outgoing, Data>): void {
    this.#idle.push(socket)
  }

  /** Asks the application about a socket that is neither idle nor leased. One that is not good is closed. */
  async isValid(
    socket: PooledSocket<Incoming, Outgoing, Data>,
    validate: NonNullable<PoolSettings<Incoming, Outgoing, Data>["validate"]>,
  ): Promise<boolean> {
    const { connectTimeoutMs, clock } = this.#settings.dialler.request
    const timer = new Timer(clock, () => socket.terminate())
    timer.start(connectTimeoutMs)
    const isGood = await socket.borrow(validate).catch((error: unknown) => {
      // the end of a connection is told as such
      if (!hasErrorCode(error, "CONNECTION_LOST")) this.#owner.failed({ error, stage: "validate" })
      return false
    })
    timer.stop()
    if (isGood && socket.isOpen) return true
    socket.retire("invalid")
    return false
  }

  /** Closes whatever is not leased, now and from now on. */
  close(): void {
    this.#isClosed = true
    for (const socket of this.#attempts.keys()) {
      this.#idle.delete(socket)
      if (!this.#leased.has(socket)) socket.retire("the pool is closed")
    }
  }

  /** Closes whatever is leased. */
  closeLeases(): void {
    for (const socket of this.#leased) socket.retire("the pool is closed")
  }

  #returned(socket: PooledSocket<Incoming, Outgoing, Data>): void {
    if (this.#isClosed) socket.retire("the pool is closed")
    else {
      this.#idle.push(socket)
      this.#owner.returned(this.#attempts.get(socket) ?? 0)
    }
  }

  #ended(socket: PooledSocket<Incoming, Outgoing, Data>, info: CloseInfo): void {
    const attempt = this.#attempts.get(socket)
    // one that was never taken in is a failed dial
    if (attempt === undefined) return
    const wasLeased = this.#leased.delete(socket)
    this.#attempts.delete(socket)
    this.#idle.delete(socket)
    this.#heartbeat?.unwatch(socket)
    const setBack = this.#isWordless(socket, info) ? attempt : undefined
    this.#owner.ended({ ...info, id: socket.id, wasLeased }, setBack)
  }

  /** Whether the server took the connection in only to drop it, as one does that is not well or wants nobody. */
  #isWordless(socket: PooledSocket<Incoming, Outgoing, Data>, { cause, code }: CloseInfo): boolean {
    const age = this.#settings.socket.clock.now() - socket.openedAt
    return cause === "peer" && code !== NORMAL && !socket.hasSpoken && age < WORDLESS_MS
  }
}
