/**
 * Open connections that are lent out one by one. This file brings together those who wait, what is idle and what is
 * dialled; how each of these is done it does not know.
 */

import { Emitter } from "../core/emitter.js"
import { HoldfastError } from "../core/errors.js"
import { resolveLogger } from "../core/logger.js"
import { checkMs, type Given } from "../core/options.js"
import { Timer } from "../core/timer.js"
import type { MaybePromise } from "../core/types.js"
import { checkSignal } from "../wire/dial.js"
import type { PerDial } from "../wire/dial-request.js"
import { type PromiseWithResolvers, withResolvers } from "../wire/message-iterator.js"
import { Dialler, type DiallerOwner } from "./dialler.js"
import type { Lease } from "./lease.js"
import type { PoolEvents } from "./pool-events.js"
import { checkTimeout, type PoolOptions, type PoolSettings, resolvePool } from "./pool-options.js"
import type { PooledSocket } from "./pooled-socket.js"
import { Stock, type StockOwner } from "./stock.js"
import { WaitingLine } from "./waiting-line.js"

/** How one `acquire` waits. */
export interface AcquireOptions {
  /** Calls the wait off when aborted; a lease that was handed out does not hear it. @defaultValue none */
  readonly signal?: AbortSignal
  /** How long it may wait, in milliseconds; `false` for any time. @defaultValue the pool's `acquireTimeoutMs` */
  readonly timeoutMs?: number | false
}

/** How a pool is closed. */
export interface PoolCloseOptions {
  /** How long leases may be kept, in milliseconds, before they are closed under their holders. @defaultValue 0 */
  readonly graceMs?: number
}

/**
 * Lends out open connections to one address, each to one holder at a time.
 *
 * Whoever waits is served in the order of the calls. Connections belong to the line, and so do failures: a dial that
 * fails rejects whoever has waited longest at that moment, at once, unless enough others are under way; those behind
 * keep their place. After a failure there is one dial at a time, after a growing wait, until one succeeds.
 *
 * What was idle the shortest is lent first, so that a quiet pool shrinks.
 *
 * @typeParam Incoming - Messages that come in, as the codec decodes them.
 * @typeParam Outgoing - Messages that go out, as the codec encodes them.
 * @typeParam Data - What stays with a connection from holder to holder, as its `data`.
 *
 * @example
 * await using pool = new ConnectionPool<Answer, Question>("wss://api.example/ws", { max: 4 })
 * {
 *   using lease = await pool.acquire()
 *   lease.send({ type: "ask" })
 *   for await (const answer of lease) if (answer.isLast) break
 * } // given back here
 */
export class ConnectionPool<Incoming = unknown, Outgoing = unknown, Data = unknown>
  extends Emitter<PoolEvents>
  implements AsyncDisposable
{
  readonly #settings: PoolSettings<Incoming, Outgoing, Data>
  readonly #line: WaitingLine<Lease<Incoming, Outgoing, Data>>
  readonly #stock: Stock<Incoming, Outgoing, Data>
  readonly #dialler: Dialler<PooledSocket<Incoming, Outgoing, Data>>
  readonly #graceTimer: Timer
  #validating = 0
  #closing: PromiseWithResolvers<void> | undefined

  /**
   * Opens nothing: the first `acquire` does.
   *
   * @param url - Where to dial: a string, a `URL`, or a function that is asked once per dial and may be async.
   * @param options - See {@link PoolOptions}.
   * @throws InvalidOptionError with the value received.
   */
  constructor(url: PerDial<string | URL>, options: Given<PoolOptions<Incoming, Outgoing, Data>> = {}) {
    const settings = resolvePool(url, options)
    super(resolveLogger(options.logger))
    const { clock } = settings.socket
    this.#settings = settings
    this.#line = new WaitingLine(clock, () => this.#attend())
    this.#stock = new Stock(settings, this.#makeStockOwner())
    this.#dialler = new Dialler(settings.dialler, this.#makeDiallerOwner())
    this.#graceTimer = new Timer(clock, () => this.#stock.closeLeases())
  }

  /** How many sockets there are: connecting, idle, leased, and closing. Never above `max`. */
  get size(): number {
    return this.#stock.size + this.#dialler.count
  }

  /** How many connections wait to be leased. */
  get idle(): number {
    return this.#stock.idle
  }

  /** How many connections are leased. */
  get leased(): number {
    return this.#stock.leased
  }

  /** How many calls of `acquire` wait. */
  get waiting(): number {
    return this.#line.size
  }

  /** Whether `close` was called. */
  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  /**
   * Leases a connection: an idle one, a new one while there are less than `max`, or the next that is given back.
   *
   * @throws HoldfastError with code `ACQUIRE_TIMEOUT`, `ABORTED`, or `POOL_CLOSED`.
   * @throws ConnectError when a dial failed, with code `CONNECT_FAILED`, `CONNECT_TIMEOUT`, `INVALID_ADDRESS` or
   * `NO_WEBSOCKET`.
   * @throws InvalidOptionError with the value received.
   */
  async acquire(options: Given<AcquireOptions> = {}): Promise<Lease<Incoming, Outgoing, Data>> {
    const signal = checkSignal("acquire.signal", options.signal)
    const timeoutMs = checkTimeout("acquire.timeoutMs", options.timeoutMs ?? this.#settings.acquireTimeoutMs)
    if (this.#closing) throw closedError()
    const lease = this.#line.join({ signal, timeoutMs, late: () => this.#lateError(timeoutMs) })
    this.#attend()
    return lease
  }

  /**
   * Leases a connection for one piece of work, and returns what that returns. When it throws, the connection is closed:
   * nobody knows what is still under way on it.
   *
   * @throws Whatever {@link acquire} or the work throws.
   */
  async use<T>(
    work: (lease: Lease<Incoming, Outgoing, Data>) => MaybePromise<T>,
    options: Given<AcquireOptions> = {},
  ): Promise<T> {
    const lease = await this.acquire(options)
    try {
      return await work(lease)
    } catch (error) {
      void lease.close()
      throw error
    } finally {
      lease.release()
    }
  }

  /**
   * Ends the pool: who waits is rejected with `POOL_CLOSED`, dials are given up, and what is not leased is closed.
   * Leases are closed too, once `graceMs` is over. Calling it again sets the grace anew.
   *
   * @returns When all sockets have ended: at the latest `closeTimeoutMs` after the grace.
   * @throws InvalidOptionError with the value received.
   */
  async close({ graceMs = 0 }: Given<PoolCloseOptions> = {}): Promise<void> {
    checkMs("close.graceMs", graceMs)
    const closing = this.#closing ?? this.#beginClose()
    if (graceMs === 0) this.#stock.closeLeases()
    else if (this.size > 0) this.#graceTimer.start(graceMs)
    return closing.promise
  }

  /** The same as {@link close} without a grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Serves and dials, as far as there is anybody to serve and anything to do it with. */
  #attend(): void {
    while (this.#line.size > this.#validating) {
      const socket = this.#stock.take()
      if (!socket) break
      this.#offer(socket)
    }
    while (this.#isShort && this.#dialler.isReady) this.#dialler.dial()
    this.#dialler.tellWhenReady(this.#isShort)
  }

  /** Whether more are waited for than are under way, and there is room for one. */
  get #isShort(): boolean {
    return this.#isMissing && this.size < this.#settings.max
  }

  /** Whether more are waited for than are under way. */
  get #isMissing(): boolean {
    return this.#line.size > this.#validating + this.#dialler.count
  }

  #offer(socket: PooledSocket<Incoming, Outgoing, Data>): void {
    const { validate } = this.#settings
    if (!validate) {
      this.#serve(socket)
      return
    }
    this.#validating += 1
    void this.#stock.isValid(socket, validate).then((isValid) => {
      this.#validating -= 1
      if (isValid) this.#serve(socket)
      this.#attend()
    })
  }

  /** Gives it to whoever is first in the line, or keeps it. */
  #serve(socket: PooledSocket<Incoming, Outgoing, Data>): void {
    if (!this.#line.serve(() => this.#stock.lend(socket))) this.#stock.keep(socket)
  }

  #makeStockOwner(): StockOwner {
    return {
      returned: (attempt) => {
        this.#dialler.proved(attempt)
        this.#attend()
      },
      ended: (close, setBack) => {
        if (setBack !== undefined) this.#dialler.setBack(setBack)
        this.emit("close", close)
        this.#attend()
        this.#finishClose()
      },
      failed: (event) => this.raise(event),
      blind: () =>
        this.logger.warn({}, "this platform sends no pings: a dead connection of a pool goes unnoticed"),
    }
  }

  #makeDiallerOwner(): DiallerOwner<PooledSocket<Incoming, Outgoing, Data>> {
    const { onOpen } = this.#settings
    return {
      wrap: (socket) => this.#stock.wrap(socket),
      prepare: (socket) => onOpen && socket.borrow(onOpen),
      drop: (socket) => socket.terminate(),
      opened: (socket, attempt) => {
        this.#stock.add(socket, attempt)
        this.#serve(socket)
        this.emit("open", { id: socket.id })
        this.#attend()
      },
      failed: (error) => {
        if (this.#isMissing) this.#line.refuse(error)
        else this.raise({ error, stage: "connect" })
        this.#attend()
      },
      erred: (error) => this.raise({ error, stage: "listener" }),
      ready: () => this.#attend(),
    }
  }

  #beginClose(): PromiseWithResolvers<void> {
    this.#closing = withResolvers()
    while (this.#line.refuse(closedError())) {}
    this.#dialler.close()
    this.#stock.close()
    this.#finishClose()
    return this.#closing
  }

  #finishClose(): void {
    if (!this.#closing || this.size > 0) return
    this.#graceTimer.stop()
    this.#closing.resolve()
  }

  #lateError(timeoutMs: number | false): HoldfastError {
    const { size, leased } = this
    const cause = this.#dialler.lastError
    return new HoldfastError(
      "ACQUIRE_TIMEOUT",
      `no connection within ${timeoutMs} ms: ${size} of ${this.#settings.max} sockets, ${leased} leased`,
      cause === undefined ? undefined : { cause },
    )
  }
}

function closedError(): HoldfastError {
  return new HoldfastError("POOL_CLOSED", "the pool is closed")
}
