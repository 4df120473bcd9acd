/**
 * A WebSocket that comes back. This file decides what follows what; dialling, watching, deciding about retries and
 * queueing are done by the parts it holds, none of which knows the others. `client-state` has the table of states.
 */

import { CloseCode, truncateReason } from "../core/close-codes.js"
import { Emitter, type ErrorEvent } from "../core/emitter.js"
import { ConnectError, ConnectionLostError } from "../core/errors.js"
import { resolveLogger } from "../core/logger.js"
import { checkCount, checkMs, type Given, reject } from "../core/options.js"
import { Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import { type PromiseWithResolvers, withResolvers } from "../wire/message-iterator.js"
import { SendQueue } from "../wire/send-queue.js"
import { byteLength } from "../wire/utf8.js"
import type { ClientEnd, ClientEvents } from "./client-events.js"
import { type ClientSettings, type ReconnectingClientOptions, resolveClient } from "./client-options.js"
import type { ClientState } from "./client-state.js"
import { Link, type LinkEnd, type LinkOwner, type PerAttempt } from "./link.js"
import { Liveness } from "./liveness.js"
import { ReaderSet } from "./reader-set.js"
import { type EndCause, ReconnectPolicy } from "./reconnect-policy.js"

/**
 * What became of a message that was given to `send`: handed to the socket, kept in the queue, or given up
 * (a `dropped` event says why).
 */
export type ClientSendResult = "sent" | "queued" | "dropped"

/** How one message may be treated. */
export interface ClientSendOptions {
  /** Send it now or not at all. @defaultValue false */
  readonly volatile?: boolean
  /** How long it is worth sending, in milliseconds. @defaultValue for ever */
  readonly ttlMs?: number
  /** Replaces the waiting message of the same key; the newer one takes its place at the end. @defaultValue none */
  readonly key?: string
  /** Takes it out of the queue. @defaultValue none */
  readonly signal?: AbortSignal
}

/** How one reader of `for await` is fed. */
export interface ClientIterateOptions {
  /**
   * How many messages may wait for this reader. Then reading from the socket pauses; in a browser, where that is
   * impossible, the loop ends with a `QueueFullError`.
   * @defaultValue 1_024
   */
  readonly maxMessages?: number
}

/** How often a full socket is looked at, in milliseconds. Browsers have no event for it. */
const PUMP_MS = 20

/**
 * A client that reconnects, queues what is sent meanwhile, and notices dead lines.
 *
 * Messages are sent in the order of the calls; what waited goes first. A message that the socket had taken when the
 * connection died may be lost: nothing is ever sent twice.
 *
 * @typeParam Incoming - Messages that come in, as the codec decodes them.
 * @typeParam Outgoing - Messages that go out, as the codec encodes them.
 *
 * @example
 * const client = new ReconnectingClient<Incoming, Outgoing>("wss://api.example/ws/lobby")
 * client.on("message", ({ data }) => render(data))
 * client.on("state", ({ to, retryAt }) => show(to, retryAt))
 * client.send({ type: "hello" })
 */
export class ReconnectingClient<Incoming = unknown, Outgoing = unknown>
  extends Emitter<ClientEvents<Incoming, Outgoing>>
  implements AsyncIterable<Incoming>
{
  readonly #settings: ClientSettings<Incoming, Outgoing>
  readonly #policy: ReconnectPolicy
  readonly #queue: SendQueue<Outgoing>
  readonly #retryTimer: Timer
  readonly #stableTimer: Timer
  readonly #pumpTimer: Timer
  readonly #readers = new ReaderSet<Incoming>(() => this.#pace())
  readonly #linkOwner: LinkOwner = this.#makeLinkOwner()
  readonly #aborted = () => this.#finish("aborted", this.#settings.signal?.reason)
  #state: ClientState = "idle"
  #link: Link | undefined
  #liveness: Liveness | undefined
  #lastClose: LinkEnd | undefined
  #retryAt: number | undefined
  #hasOpened = false
  #isFlowing = false
  #isReadingPaused = false
  #isLiteralKnown = false
  #opened: PromiseWithResolvers<void> | undefined
  #closed: PromiseWithResolvers<ClientEnd> | undefined
  #end: ClientEnd | undefined

  /**
   * @param url - Where to dial: a string, a `URL`, or a function that is asked once per attempt and may be async.
   * @param options - See {@link ReconnectingClientOptions}.
   * @throws InvalidOptionError with the value received.
   */
  constructor(url: PerAttempt<string | URL>, options: Given<ReconnectingClientOptions<Incoming, Outgoing>> = {}) {
    const settings = resolveClient(url, options)
    super(resolveLogger(options.logger))
    const { clock, signal } = settings
    this.#settings = settings
    this.#policy = new ReconnectPolicy(settings.policy)
    this.#queue = new SendQueue(settings.queue, clock, (message, reason) => void this.emit("dropped", { message, reason }))
    this.#retryTimer = new Timer(clock, () => this.#dial())
    this.#stableTimer = new Timer(clock, () => this.#policy.reset())
    this.#pumpTimer = new Timer(clock, () => this.#flush())
    signal?.addEventListener("abort", this.#aborted)
    // listeners that are added right after construction see everything
    clock.soon(() => {
      if (signal?.aborted) this.#aborted()
      else if (options.autoConnect !== false && this.#state === "idle") this.#dial()
    })
  }

  /** Where it stands. */
  get state(): ClientState {
    return this.#state
  }

  /** When it dials again, in milliseconds since 1970; only in `waiting`. */
  get retryAt(): number | undefined {
    return this.#retryAt
  }

  /** How many messages wait in the queue. */
  get queued(): number {
    return this.#queue.size
  }

  /** How many bytes of payload wait in the queue, text counted as UTF-8. */
  get queuedBytes(): number {
    return this.#queue.bytes
  }

  /** How many bytes the socket holds. */
  get bufferedBytes(): number {
    return this.#link?.bufferedBytes ?? 0
  }

  /** The subprotocol of the open connection; empty for none. */
  get protocol(): string {
    return this.#link?.protocol ?? ""
  }

  /** Round-trip time of the last heartbeat that was answered on this connection, in milliseconds. */
  get rttMs(): number | undefined {
    return this.#liveness?.rttMs
  }

  /** Resolves at the first open; rejects when the client ends before that. */
  get opened(): Promise<void> {
    if (!this.#opened) {
      this.#opened = withResolvers()
      this.#opened.promise.catch(() => {})
      if (this.#hasOpened) this.#opened.resolve()
      else if (this.#end) this.#opened.reject(endError(this.#end))
    }
    return this.#opened.promise
  }

  /** Resolves with how the client ended. Never rejects. */
  get closed(): Promise<ClientEnd> {
    if (!this.#closed) {
      this.#closed = withResolvers()
      if (this.#end) this.#closed.resolve(this.#end)
    }
    return this.#closed.promise
  }

  /** Dials, if it is idle or paused. */
  connect(): void {
    if (this.#state === "idle" || this.#state === "paused") this.#dial()
  }

  /** Dials at once, whatever it waits for, and counts attempts anew. An open connection is replaced, never doubled. */
  reconnect(): void {
    if (this.#state === "connecting" || this.#state === "closing" || this.#state === "closed") return
    this.#policy.reset()
    this.#detach()
    this.#dial()
  }

  /** Ends the connection and stays away until {@link connect} or {@link reconnect}. The queue is kept. */
  pause(): void {
    if (this.#state === "paused" || this.#state === "closing" || this.#state === "closed") return
    this.#detach()
    this.#to("paused")
  }

  /**
   * Sends a message, or keeps it until there is a connection. Never blocks.
   * @throws CodecError when the codec cannot encode it.
   * @throws InvalidOptionError for a `ttlMs` that is no time.
   */
  send(message: Outgoing, options: ClientSendOptions = {}): ClientSendResult {
    if (this.#state === "closing" || this.#state === "closed") return this.#drop(message, "closed")
    const payload = this.#settings.codec.encode(message)
    if (options.signal?.aborted) return this.#drop(message, "aborted")
    if (this.#queue.size === 0 && this.#hasRoom && this.#transmit(payload)) return "sent"
    if (options.volatile) return this.#drop(message, "volatile")
    return this.#enqueue(message, payload, options)
  }

  /** Takes everything out of the queue, oldest first, and returns it. Works after the end too. */
  drainQueue(): Outgoing[] {
    return this.#queue.clear()
  }

  /** Forgets everything in the queue. Returns how many messages that were. */
  clearQueue(): number {
    return this.#queue.clear().length
  }

  /**
   * Ends the client for good: the closing handshake, if there is a connection, and then the end.
   * Takes at most `closeTimeoutMs`. Calling it again changes nothing.
   *
   * @param code - 1000, or 3000–4999: what every platform can send (WHATWG WebSockets, section 3.1).
   * @param reason - Cut to 123 bytes of UTF-8, never through a character.
   * @throws InvalidOptionError for any other code.
   */
  close(code: number = CloseCode.NORMAL, reason = ""): Promise<ClientEnd> {
    if (code !== CloseCode.NORMAL && !(code >= 3_000 && code <= 4_999)) reject("close code", "1000 or 3000–4999", code)
    if (this.#state === "open") {
      this.#to("closing")
      this.#link?.close(code, truncateReason(reason))
    } else if (this.#state !== "closing") {
      this.#finish("closed")
    }
    return this.closed
  }

  /** The same as {@link close} with code 1000. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /**
   * Reads messages in a loop that goes on across reconnects. It ends with the client, and throws when the client
   * ended for another reason than `close()`. Several readers may run at once; `break` ends one.
   */
  iterate(options: ClientIterateOptions = {}): AsyncIterableIterator<Incoming> {
    const reader = this.#readers.add(checkCount("iterate.maxMessages", options.maxMessages ?? 1_024))
    if (this.#end) this.#endReaders(this.#end)
    return reader
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Incoming> {
    return this.iterate()
  }

  /** Faults of the network are told as events and otherwise only logged in detail: retrying is the answer to them. */
  protected override raise(event: ErrorEvent): void {
    if (event.stage === "listener" || event.stage === "open") super.raise(event)
    else if (!this.emit("error", event)) this.logger.debug({ err: event.error, stage: event.stage }, "client error")
  }

  // --- what follows what

  #to(to: ClientState, retryAt?: number): void {
    const from = this.#state
    this.#state = to
    this.#retryAt = retryAt
    this.emit("state", {
      from,
      to,
      attempt: this.#policy.attempt,
      retryAt,
      lastClose: this.#lastClose,
      isReconnect: this.#hasOpened,
    })
  }

  #dial(): void {
    this.#retryTimer.stop()
    const link = new Link(this.#settings.link, this.#linkOwner)
    this.#link = link
    this.#to("connecting")
    // a listener may have closed the client
    if (this.#link === link) link.dial(this.#policy.attempt, this.#lastClose)
  }

  #makeLinkOwner(): LinkOwner {
    // a link that was replaced may still report: it is not heard
    const isCurrent = (link: Link) => link === this.#link
    return {
      linkOpened: (link) => isCurrent(link) && this.#linkOpened(link),
      linkReceived: (link, data) => isCurrent(link) && this.#received(link, data),
      linkSeen: (link, pong) => isCurrent(link) && this.#liveness?.seen(pong),
      linkEnded: (link, end) => isCurrent(link) && this.#linkEnded(end),
    }
  }

  #linkOpened(link: Link): void {
    this.#to("open")
    if (this.#link !== link || this.#state !== "open") return
    const isReconnect = this.#hasOpened
    this.#hasOpened = true
    this.#opened?.resolve()
    this.#stableTimer.start(this.#settings.stableAfterMs)
    this.#watch(link)
    void this.#prepare(link, isReconnect)
  }

  #linkEnded(end: LinkEnd): void {
    this.#lastClose = end
    this.#forget()
    if (this.#state === "closing") return this.#finish("closed")
    if (end.error !== undefined) this.raise({ error: end.error, stage: end.wasOpen ? "socket" : "connect" })
    if (this.#isOver) return
    const verdict = this.#policy.decide(end)
    if (this.#isOver) return
    if ("stop" in verdict) this.#finish(verdict.stop, verdict.error)
    else this.#wait(verdict.delayMs)
  }

  /** A callback may have closed, paused or re-dialled while an end was being handled. */
  get #isOver(): boolean {
    return this.#link !== undefined || (this.#state !== "connecting" && this.#state !== "open")
  }

  #wait(delayMs: number): void {
    this.#retryTimer.start(delayMs)
    this.#to("waiting", this.#settings.clock.date() + delayMs)
  }

  #finish(cause: EndCause, error?: unknown): void {
    if (this.#state === "closed") return
    this.#detach()
    this.#settings.signal?.removeEventListener("abort", this.#aborted)
    const end: ClientEnd = { cause, error, lastClose: this.#lastClose, queued: this.#queue.size }
    this.#end = end
    this.#to("closed")
    this.emit("end", end)
    this.removeAllListeners()
    this.#opened?.reject(endError(end))
    this.#closed?.resolve(end)
    this.#endReaders(end)
  }

  #endReaders(end: ClientEnd): void {
    this.#readers.end(end.cause === "closed" ? undefined : endError(end))
  }

  /** Lets go of the connection: it closes by itself, and nobody listens. */
  #detach(): void {
    const link = this.#link
    this.#forget()
    link?.close(CloseCode.NORMAL, "")
  }

  #forget(): void {
    this.#link = undefined
    this.#liveness?.stop()
    this.#liveness = undefined
    this.#isFlowing = false
    this.#isReadingPaused = false
    this.#retryTimer.stop()
    this.#stableTimer.stop()
    this.#pumpTimer.stop()
  }

  // --- the life of one connection

  #watch(link: Link): void {
    const { heartbeat, literalPing, clock } = this.#settings
    if (heartbeat === false) return
    this.#liveness = new Liveness(link, {
      settings: heartbeat,
      literal: literalPing,
      clock,
      isLiteralKnown: this.#isLiteralKnown,
      onAnswer: (rttMs) => {
        this.#isLiteralKnown = true
        this.emit("pong", { rttMs })
      },
      onDead: () => link.fail(new ConnectionLostError(`no answer to a ping within ${heartbeat.timeoutMs} ms`)),
      onBlind: () => this.logger.warn({}, "the server answers no ping: a dead line cannot be noticed"),
    })
  }

  async #prepare(link: Link, isReconnect: boolean): Promise<void> {
    const { onOpen } = this.#settings
    if (onOpen && !(await this.#runOnOpen(link, isReconnect, onOpen))) return
    if (this.#link !== link) return
    this.#isFlowing = true
    this.#flush()
  }

  async #runOnOpen(
    link: Link,
    isReconnect: boolean,
    onOpen: NonNullable<ClientSettings<Incoming, Outgoing>["onOpen"]>,
  ): Promise<boolean> {
    const { clock, codec } = this.#settings
    const { connectTimeoutMs } = this.#settings.link
    const timer = new Timer(clock, () =>
      link.fail(new ConnectError(`onOpen took more than ${connectTimeoutMs} ms`, { code: "CONNECT_TIMEOUT" })),
    )
    timer.start(connectTimeoutMs)
    try {
      const sendNow = (message: Outgoing) => {
        if (!link.isOpen) throw new ConnectionLostError("the connection is not open any more")
        link.send(codec.encode(message))
      }
      await onOpen({ sendNow, isReconnect, protocol: link.protocol })
      return true
    } catch (error) {
      link.fail(error)
      return false
    } finally {
      timer.stop()
    }
  }

  #received(link: Link, data: Payload): void {
    if (this.#liveness?.received(data)) return
    let message: Incoming
    try {
      message = this.#settings.codec.decode(data)
    } catch (error) {
      return this.raise({ error, stage: "decode" })
    }
    this.emit("message", { data: message })
    this.#readers.push(message, link.canPause)
  }

  /** Reads only as fast as the slowest loop. */
  #pace(): void {
    const isFull = this.#readers.isFull
    if (isFull === this.#isReadingPaused || !this.#link?.canPause) return
    this.#isReadingPaused = isFull
    this.#liveness?.pause(isFull)
    this.#link.pauseReading(isFull)
  }

  // --- sending

  get #hasRoom(): boolean {
    return this.#isFlowing && this.#link?.isOpen === true && this.bufferedBytes < this.#settings.highWaterMarkBytes
  }

  #transmit(payload: Payload): boolean {
    const link = this.#link
    try {
      link?.send(payload)
      return true
    } catch (cause) {
      link?.fail(new ConnectionLostError("the socket does not take messages any more", { cause }))
      return false
    }
  }

  #enqueue(message: Outgoing, payload: Payload, { ttlMs, key, signal }: ClientSendOptions): ClientSendResult {
    const isTaken = this.#queue.push({
      message,
      payload: typeof payload === "string" ? payload : payload.slice(),
      size: byteLength(payload),
      key,
      expiresAt: ttlMs === undefined ? undefined : this.#settings.clock.now() + checkMs("send.ttlMs", ttlMs),
      signal,
    })
    this.#flush()
    return isTaken ? "queued" : "dropped"
  }

  /** Sends what waits, oldest first, as far as the socket has room. A message leaves the queue once it was taken. */
  #flush(): void {
    while (this.#hasRoom) {
      const item = this.#queue.peek()
      if (!item || !this.#transmit(item.payload)) return
      this.#queue.shift()
    }
    if (this.#isFlowing && this.#queue.size > 0) this.#pumpTimer.start(PUMP_MS)
  }

  #drop(message: Outgoing, reason: "aborted" | "closed" | "volatile"): "dropped" {
    this.emit("dropped", { message, reason })
    return "dropped"
  }
}

function endError({ cause, error }: ClientEnd): unknown {
  return error ?? new ConnectionLostError(`the client has ended: ${cause}`)
}
