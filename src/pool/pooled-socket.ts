/**
 * One open socket of a pool, for as long as it lives. Somebody holds it at any time: whoever leased it, or the pool's
 * own keeper, which answers what has to be answered and throws away the rest. It does not know when it is wanted.
 *
 * ```text
 * kept ─► leased ─► settling ─► kept ─► …      settling: the last holder's bytes have not left yet
 *                                 any ─► closing ─► ended
 * ```
 */

import { NORMAL } from "../core/close-codes.js"
import { ConnectionLostError } from "../core/errors.js"
import { type Clock, Timer } from "../core/timer.js"
import type { MaybePromise } from "../core/types.js"
import type { Connection } from "../wire/connection.js"
import type { CloseInfo } from "../wire/connection-events.js"
import { type ConnectionOptions, randomId } from "../wire/connection-options.js"
import type { HeartbeatPeer } from "../wire/heartbeat.js"
import type { Pulse } from "../wire/pulse.js"
import { OPEN, type SocketLike } from "../wire/socket.js"
import { Lease, type LeaseOwner } from "./lease.js"
import { LeasedSocket } from "./leased-socket.js"

/** What becomes of messages that nobody has leased the connection for. */
export type IdleMessages = "discard" | "evict"

/** What sockets of one pool share. */
export interface PooledSocketSettings<Incoming, Outgoing> {
  /** What every connection is made with. */
  readonly connection: ConnectionOptions<Incoming, Outgoing>
  /** See {@link IdleMessages}. */
  readonly idleMessages: IdleMessages
  /** How long bytes of the last holder may stay without any of them leaving, in milliseconds. */
  readonly writeTimeoutMs: number
  /** Where time comes from. */
  readonly clock: Clock
}

/** Whom a socket tells about itself. */
export interface PooledSocketOwner<Socket> {
  /** Its holder has let go of it. */
  released(socket: Socket): void
  /** It can be leased again. */
  returned(socket: Socket): void
  /** It has ended. Called once, and last. */
  ended(socket: Socket, info: CloseInfo): void
}

/** From how many bytes on a socket is left alone until they have left: to the next holder's limit they would count. */
const ROOM_BYTES = 65_536
/** How often that is looked at, in milliseconds. */
const LOOK_MS = 20

/** An open socket, and whoever holds it. */
export class PooledSocket<Incoming, Outgoing, Data> implements HeartbeatPeer {
  /** The name that the connection has for all its holders. */
  readonly id = randomId()
  /** When it was opened, on the clock. */
  readonly openedAt: number
  readonly #socket: SocketLike
  readonly #settings: PooledSocketSettings<Incoming, Outgoing>
  readonly #owner: PooledSocketOwner<PooledSocket<Incoming, Outgoing, Data>>
  readonly #settleTimer: Timer
  #held: Lease<Incoming, Outgoing, Data>
  #pulse: Pulse | undefined
  #heard = 0
  #waitingBytes = 0
  #stillMs = 0

  /** @param socket - An open socket. */
  constructor(
    socket: SocketLike,
    settings: PooledSocketSettings<Incoming, Outgoing>,
    owner: PooledSocketOwner<PooledSocket<Incoming, Outgoing, Data>>,
  ) {
    this.openedAt = settings.clock.now()
    this.#socket = socket
    this.#settings = settings
    this.#owner = owner
    this.#settleTimer = new Timer(settings.clock, () => this.#settle())
    this.#held = this.#keep()
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#socket.readyState === OPEN && this.#held.state === "open"
  }

  /** Whether the peer has ever sent a message. */
  get hasSpoken(): boolean {
    return this.#heard + this.#held.messagesIn > 0
  }

  /** Whether the socket can send ping frames. */
  get canPing(): boolean {
    return this.#socket.ping !== undefined
  }

  get isReadingPaused(): boolean {
    return this.#held.isReadingPaused
  }

  takePulse(pulse: Pulse | undefined): void {
    this.#pulse = pulse
    this.#held.takePulse(pulse)
  }

  ping(payload: string): void {
    this.#held.ping(payload)
  }

  timedOut(): void {
    this.#held.timedOut()
  }

  /** Hands it out. Only asked while it {@link isOpen} and nobody but the keeper holds it. */
  lease(): Lease<Incoming, Outgoing, Data> {
    this.#pass({
      leaseReleased: () => {
        this.#owner.released(this)
        this.#takeBack()
      },
      leaseEnded: (info) => this.#ended(info),
    })
    return this.#held
  }

  /**
   * Lets the pool itself do something on the connection, between two holders. Rejects when the connection ends first.
   */
  async borrow<T>(work: (connection: Connection<Incoming, Outgoing, Data>) => MaybePromise<T>): Promise<T> {
    this.#pass({ leaseReleased: () => {}, leaseEnded: (info) => this.#ended(info) })
    const lease = this.#held
    const lost = lease.closed.then(({ code }) => {
      throw new ConnectionLostError(`the connection ended with ${code}`)
    })
    try {
      // asked within the race: a throw would leave the other one unheard
      return await Promise.race([lost, (async () => work(lease))()])
    } finally {
      this.#keepAgain()
    }
  }

  /** Closes it, whoever holds it. */
  retire(reason: string): void {
    void this.#held.close(NORMAL, reason)
  }

  /** Ends it at once. */
  terminate(): void {
    this.#held.terminate()
  }

  #takeBack(): void {
    if (!this.#keepAgain()) return
    this.#waitingBytes = this.#socket.bufferedAmount
    this.#stillMs = 0
    this.#settle()
  }

  /** Returns whether the connection lives on. */
  #keepAgain(): boolean {
    const last = this.#held
    if (!this.#letGo()) return false
    this.#held = this.#keep(last.data)
    return true
  }

  #letGo(): boolean {
    // counted before: what ends in here is asked about
    const { messagesIn } = this.#held
    if (!this.#held.letGo()) return false
    this.#heard += messagesIn
    return true
  }

  #pass(owner: LeaseOwner): void {
    const { data } = this.#held
    this.#letGo()
    this.#held = this.#make(owner, data)
  }

  #keep(data?: Data): Lease<Incoming, Outgoing, Data> {
    const keeper = this.#make({ leaseReleased: () => {}, leaseEnded: (info) => this.#ended(info) }, data)
    const heard = () => {
      if (this.#settings.idleMessages === "evict") this.retire("spoke while idle")
    }
    keeper.on("message", heard)
    // of an idle connection only the end is news; but what cannot be decoded is a message all the same
    keeper.on("error", ({ stage }) => {
      if (stage === "decode") heard()
    })
    return keeper
  }

  #make(owner: LeaseOwner, data?: Data): Lease<Incoming, Outgoing, Data> {
    const identity = { id: this.id, data }
    const lease = new Lease<Incoming, Outgoing, Data>(
      new LeasedSocket(this.#socket),
      identity,
      this.#settings.connection,
      owner,
    )
    lease.takePulse(this.#pulse)
    return lease
  }

  /** Waits until the last holder's bytes have left. */
  #settle(): void {
    if (!this.isOpen) return
    const waiting = this.#socket.bufferedAmount
    this.#stillMs = waiting < this.#waitingBytes ? 0 : this.#stillMs + LOOK_MS
    this.#waitingBytes = waiting
    if (waiting <= ROOM_BYTES) this.#owner.returned(this)
    else if (this.#stillMs > this.#settings.writeTimeoutMs) this.#held.stalled()
    else this.#settleTimer.start(LOOK_MS)
  }

  #ended(info: CloseInfo): void {
    this.#settleTimer.stop()
    this.#owner.ended(this, info)
  }
}
