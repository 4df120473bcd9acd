/**
 * An open connection that is one holder's alone until it is given back. It knows the socket and whom to tell; where the
 * socket goes next is not its business.
 */

import { Connection } from "../wire/connection.js"
import type { CloseInfo } from "../wire/connection-events.js"
import type { ConnectionIdentity, ConnectionOptions } from "../wire/connection-options.js"
import { OPEN } from "../wire/socket.js"
import type { LeasedSocket } from "./leased-socket.js"

/** Whom a lease tells about itself. */
export interface LeaseOwner {
  /** Its holder has given it back. */
  leaseReleased(): void
  /** The connection has ended under it. */
  leaseEnded(info: CloseInfo): void
}

/**
 * A connection on loan from a pool. It is a `Connection` in everything, and a new one for every holder: listeners,
 * loops and messages of one never reach the next. Once given back it is as a closed connection is: `send` returns
 * `closed`, `sendAsync` rejects with `CONNECTION_LOST`, loops end, and `close` and `terminate` do nothing.
 *
 * Close it instead when it should not be used again: after an error, or with an answer still to come.
 *
 * @typeParam Incoming - Messages that come in, as the codec decodes them.
 * @typeParam Outgoing - Messages that go out, as the codec encodes them.
 * @typeParam Data - What stays with the connection from holder to holder.
 *
 * @example
 * using lease = await pool.acquire()
 * await lease.sendAsync({ type: "job" })
 */
export class Lease<Incoming = unknown, Outgoing = unknown, Data = unknown> extends Connection<
  Incoming,
  Outgoing,
  Data
> {
  readonly #view: LeasedSocket
  readonly #owner: LeaseOwner
  #isReleased = false
  #isLettingGo = false

  /** @internal Made by `pool.acquire`. */
  constructor(
    view: LeasedSocket,
    identity: ConnectionIdentity<Data>,
    options: ConnectionOptions<Incoming, Outgoing>,
    owner: LeaseOwner,
  ) {
    super(view, identity, options)
    this.#view = view
    this.#owner = owner
  }

  /** Whether it was given back. */
  get isReleased(): boolean {
    return this.#isReleased
  }

  /**
   * Gives the connection back. What was sent before still leaves. Listeners are removed, so that none hears of this as
   * of a close; the promise `closed` resolves, with the reason `released`. Calling it again changes nothing, and
   * neither does calling it after the connection has ended.
   */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#owner.leaseReleased()
  }

  /** The same as {@link release}. */
  [Symbol.dispose](): void {
    this.release()
  }

  /** The same as {@link release}: the connection is not closed. */
  override async [Symbol.asyncDispose](): Promise<void> {
    this.release()
  }

  /**
   * @internal Ends this connection and leaves the socket open. Returns whether it could: a socket that has begun to
   * close goes on to its end, and {@link LeaseOwner.leaseEnded} tells of it.
   */
  letGo(): boolean {
    this.#isReleased = true
    const isOpen = this.state === "open" && this.#view.readyState === OPEN
    this.#isLettingGo = isOpen
    if (isOpen) this.#view.letGo(() => this.#finish())
    else this.#finish()
    return isOpen
  }

  protected override ended(info: CloseInfo): void {
    super.ended(info)
    if (!this.#isLettingGo) this.#owner.leaseEnded(info)
  }

  #finish(): void {
    void this.close()
    this.removeAllListeners()
    // nobody is there any more to whom an error would be news
    this.on("error", () => {})
  }
}
