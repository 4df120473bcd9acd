/**
 * Dials for a pool, as often as it is told and no more often than the server can bear: after a failure there is one
 * dial at a time, after a growing wait, until one succeeds. It does not know who wants the sockets, nor how many.
 */

import { type BackoffSettings, backoffDelay, steadyRandom } from "../core/backoff.js"
import { ConnectError, hasErrorCode } from "../core/errors.js"
import { Timer } from "../core/timer.js"
import { type OpeningRequest, openSocket } from "../wire/opening.js"
import type { SocketLike } from "../wire/socket.js"

/** What a dialler keeps to. */
export interface DiallerSettings {
  /** Where and how to dial. */
  readonly request: OpeningRequest
  /** How long to wait after failures. */
  readonly backoff: BackoffSettings
}

/** Whom a dialler works for. */
export interface DiallerOwner<Socket> {
  /** Takes a socket within its `open` event. */
  wrap(socket: SocketLike): Socket
  /** Does what has to be done before it is used; `undefined` when there is nothing. */
  prepare(socket: Socket): Promise<void> | undefined
  /** It was wrapped, and its dial has failed all the same. */
  drop(socket: Socket): void
  /** It can be used. */
  opened(socket: Socket, attempt: number): void
  /** A dial has failed. */
  failed(error: unknown): void
  /** The source of chance has. */
  erred(error: unknown): void
  /** It may be dialled again. Called when {@link Dialler.tellWhenReady} asked for it. */
  ready(): void
}

/** A server's `Retry-After` counts up to this, in milliseconds. */
const MAX_RETRY_AFTER_MS = 300_000

/** Opens sockets, and counts how that goes. */
export class Dialler<Socket> {
  /** What went wrong last, until a dial succeeds. */
  lastError: unknown
  readonly #settings: DiallerSettings
  readonly #owner: DiallerOwner<Socket>
  readonly #timer: Timer
  readonly #dials = new Set<AbortController>()
  #isFailing = false
  #failures = 0
  #delayMs: number | undefined
  #readyAt = 0

  constructor(settings: DiallerSettings, owner: DiallerOwner<Socket>) {
    const { backoff, request } = settings
    const random = steadyRandom(backoff.random, request.clock, (error) => owner.erred(error))
    this.#settings = { request, backoff: { ...backoff, random } }
    this.#owner = owner
    this.#timer = new Timer(settings.request.clock, () => owner.ready())
  }

  /** How many dials are under way. */
  get count(): number {
    return this.#dials.size
  }

  /** Whether it may be dialled now. */
  get isReady(): boolean {
    if (!this.#isFailing) return true
    return this.count === 0 && this.#settings.request.clock.now() >= this.#readyAt
  }

  /** Dials. Only asked while it {@link isReady}. */
  dial(): void {
    const abort = new AbortController()
    const attempt = this.#failures
    this.#dials.add(abort)
    let wrapped: Socket | undefined
    const isOver = () => !this.#dials.delete(abort)
    const succeed = (socket: Socket) => {
      if (isOver()) return
      this.#isFailing = false
      this.lastError = undefined
      this.#owner.opened(socket, attempt)
    }
    openSocket(this.#settings.request, { attempt, signal: abort.signal }, (raw) => {
      const socket = this.#owner.wrap(raw)
      wrapped = socket
      const prepared = this.#owner.prepare(socket)
      return prepared ? prepared.then(() => succeed(socket)) : succeed(socket)
    }).catch((error: unknown) => {
      // a socket that cannot be terminated would go on being listened to
      if (wrapped) this.#owner.drop(wrapped)
      if (!isOver()) this.#failed(error, attempt)
    })
  }

  /** Has {@link DiallerOwner.ready} called when it may be dialled again; or not any more, when that is not wanted. */
  tellWhenReady(isWanted: boolean): void {
    // a timer that nobody waits for would keep a process alive
    if (!isWanted || !this.#isFailing) this.#timer.stop()
    else if (this.count === 0 && !this.#timer.isArmed) {
      this.#timer.start(Math.max(0, this.#readyAt - this.#settings.request.clock.now()))
    }
  }

  /** A socket of that attempt has proved good: waits begin anew with the shortest. An older one proves nothing. */
  proved(attempt: number): void {
    if (attempt !== this.#failures) return
    this.#failures = 0
    this.#delayMs = undefined
  }

  /** A socket of that attempt was good for nothing. However many of one time fail, it is one failure. */
  setBack(attempt: number, retryAfterMs = 0): void {
    this.#isFailing = true
    if (attempt !== this.#failures) return
    const { backoff, request } = this.#settings
    this.#delayMs = backoffDelay(backoff, this.#failures, this.#delayMs)
    this.#failures += 1
    this.#readyAt = request.clock.now() + Math.max(this.#delayMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS))
  }

  /** Gives up every dial, and whoever waits for the next. */
  close(): void {
    this.#timer.stop()
    const dials = [...this.#dials]
    this.#dials.clear()
    for (const dial of dials) dial.abort()
  }

  #failed(error: unknown, attempt: number): void {
    this.lastError = error
    // what can never succeed costs the server nothing
    if (!hasErrorCode(error, "INVALID_ADDRESS") && !hasErrorCode(error, "NO_WEBSOCKET")) {
      this.setBack(attempt, error instanceof ConnectError ? error.retryAfterMs : undefined)
    }
    this.#owner.failed(error)
  }
}
