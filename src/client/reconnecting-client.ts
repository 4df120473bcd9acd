/**
 * A WebSocket that comes back. This file is the door: dialling, waiting and ending are the {@link Course}'s business,
 * one open connection is a {@link Session}'s, and sending is the {@link Sender}'s. None of them knows the others.
 */

import { isSendableCloseCode, NORMAL, truncateReason } from "../core/close-codes.js"
import { Emitter, type ErrorEvent } from "../core/emitter.js"
import { ConnectionLostError, hasErrorCode } from "../core/errors.js"
import { resolveLogger } from "../core/logger.js"
import { checkCount, checkMs, type Given, reject } from "../core/options.js"
import type { Unsubscribe } from "../core/types.js"
import { withResolvers } from "../wire/message-iterator.js"
import type { ClientEnd, ClientEvents } from "./client-events.js"
import { type ReconnectingClientOptions, resolveClient } from "./client-options.js"
import type { ClientState } from "./client-state.js"
import { Course, type CourseOwner } from "./course.js"
import type { Link, PerAttempt } from "./link.js"
import { type PageEvent, watchPage } from "./page-life.js"
import { type ClientIterateOptions, ReaderSet } from "./reader-set.js"
import {
  type ClientSendAsyncOptions,
  type ClientSendOptions,
  type ClientSendResult,
  Sender,
} from "./sender.js"
import { Session, type SessionOwner } from "./session.js"

/** How a client looks whether its line is alive. */
export interface ClientProbeOptions {
  /** How long to wait for the answer, in milliseconds. @defaultValue 5_000 */
  readonly timeoutMs?: number
}

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
  readonly #course: Course
  readonly #hasPageEvents: boolean
  readonly #sender: Sender<Outgoing>
  readonly #readers = new ReaderSet<Incoming>(() => this.#session?.pace(this.#readers.isFull))
  readonly #opened = withResolvers<void>()
  readonly #closed = withResolvers<ClientEnd>()
  #session: Session<Incoming, Outgoing> | undefined
  #end: ClientEnd | undefined
  #unwatchPage: Unsubscribe | undefined
  /** Messages of connections that have ended, not told yet. */
  #unconfirmed = 0

  /**
   * @param url - Where to dial: a string, a `URL`, or a function that is asked once per attempt and may be async.
   * @param options - See {@link ReconnectingClientOptions}.
   * @throws InvalidOptionError with the value received.
   */
  constructor(
    url: PerAttempt<string | URL>,
    options: Given<ReconnectingClientOptions<Incoming, Outgoing>> = {},
  ) {
    const settings = resolveClient(url, options)
    super(resolveLogger(options.logger))
    // whoever does not ask when it opens does not miss that it never does
    this.#opened.promise.catch(() => {})
    this.#sender = new Sender(settings, (message, reason) => void this.emit("dropped", { message, reason }))
    const sessionOwner = this.#makeSessionOwner()
    this.#hasPageEvents = options.pageEvents !== false
    this.#course = new Course(
      settings,
      this.#makeCourseOwner((link) => new Session(link, settings, sessionOwner)),
    )
    // listeners that are added right after construction see everything
    settings.clock.soon(() => this.#course.begin(options.autoConnect !== false))
  }

  /** Where it stands. */
  get state(): ClientState {
    return this.#course.state
  }

  /** When it dials again, in milliseconds since 1970; only in `waiting`. */
  get retryAt(): number | undefined {
    return this.#course.retryAt
  }

  /** How many messages wait in the queue. */
  get queued(): number {
    return this.#sender.size
  }

  /** How many bytes of payload wait in the queue, text counted as UTF-8. */
  get queuedBytes(): number {
    return this.#sender.bytes
  }

  /** How many bytes the socket holds. */
  get bufferedBytes(): number {
    return this.#course.link?.bufferedBytes ?? 0
  }

  /** The subprotocol of the open connection; empty for none. */
  get protocol(): string {
    return this.#course.link?.protocol ?? ""
  }

  /** Round-trip time of the last heartbeat that was answered on this connection, in milliseconds. */
  get rttMs(): number | undefined {
    return this.#session?.rttMs
  }

  /** Resolves at the first open; rejects when the client ends before that. */
  get opened(): Promise<void> {
    return this.#opened.promise
  }

  /** Resolves with how the client ended. Never rejects. */
  get closed(): Promise<ClientEnd> {
    return this.#closed.promise
  }

  /** Dials, if it is idle or paused. */
  connect(): void {
    this.#course.connect()
  }

  /**
   * Counts attempts anew, and dials at once, whatever it waits for. An open connection is replaced, never doubled;
   * while it connects, the attempt goes on.
   */
  reconnect(): void {
    this.#course.reconnect()
  }

  /** Ends the connection and stays away until {@link connect} or {@link reconnect}. The queue is kept. */
  pause(): void {
    this.#course.pause()
  }

  /**
   * Sends a message, or keeps it until there is a connection. Never blocks.
   * @throws CodecError when the codec cannot encode it.
   * @throws InvalidOptionError for a `ttlMs` that is no time.
   */
  send(message: Outgoing, options: ClientSendOptions = {}): ClientSendResult {
    return this.#sender.send(message, options)
  }

  /**
   * Sends a message, or keeps it until there is a connection, and resolves when it is where it was wanted:
   * see {@link ClientSendAsyncOptions.until}. It may take as long as there is no connection; bound it with a `signal`
   * or `ttlMs`. One ping proves all fenced messages that are sent in one go.
   *
   * @throws UnconfirmedError when the connection died before the proof, or `signal` was aborted while it was awaited: the
   * message may have arrived.
   * @throws QueueFullError, SendTimeoutError (`ttlMs`), HoldfastError `ABORTED` (`signal`, a newer message of the same
   * `key`, `clearQueue`), ConnectionLostError (the client ended) when it was not sent.
   * @throws CodecError when the codec cannot encode it.
   */
  sendAsync(message: Outgoing, options: ClientSendAsyncOptions = {}): Promise<void> {
    return this.#sender.sendAsync(message, options)
  }

  /**
   * Sends a ping now and resolves with the round-trip time in milliseconds. It only tells: a caller who wants a new
   * connection instead of a silent one calls {@link reconnect}.
   *
   * @throws ConnectionLostError when there is no connection, or it ends before the answer.
   * @throws HoldfastError `PING_TIMEOUT` after `timeoutMs`.
   * @throws InvalidOptionError when there is nothing to ping with: no ping frames and no literal ping.
   */
  async probe(options: ClientProbeOptions = {}): Promise<number> {
    const timeoutMs = checkMs("probe.timeoutMs", options.timeoutMs ?? 5_000, 1)
    if (this.#session) return this.#session.probe(timeoutMs)
    throw new ConnectionLostError(`there is no connection to probe: the client is ${this.state}`)
  }

  /** Takes everything out of the queue, oldest first, and returns it. Works after the end too. */
  drainQueue(): Outgoing[] {
    return this.#sender.drain()
  }

  /** Forgets everything in the queue. Returns how many messages that were. */
  clearQueue(): number {
    return this.#sender.drain().length
  }

  /**
   * Ends the client for good: the closing handshake, if there is a connection, and then the end.
   * Takes at most `closeTimeoutMs`. Calling it again changes nothing.
   *
   * @param code - 1000, or 3000–4999: what every platform can send (WHATWG WebSockets, section 3.1).
   * @param reason - Cut to 123 bytes of UTF-8, never through a character.
   * @throws InvalidOptionError for any other code.
   */
  close(code: number = NORMAL, reason = ""): Promise<ClientEnd> {
    if (code !== NORMAL && !(code >= 3_000 && isSendableCloseCode(code))) {
      reject("close code", "1000 or 3000–4999", code)
    }
    this.#course.leave("closed", undefined, code, truncateReason(reason))
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

  /** The same as {@link iterate} without options. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Incoming> {
    return this.iterate()
  }

  /**
   * Faults of the network are told as events and otherwise only logged in detail: retrying is the answer to them.
   * `StopReconnecting` is final, whoever threw it.
   */
  protected override raise(event: ErrorEvent): void {
    if (event.stage === "listener" || event.stage === "open") super.raise(event)
    else if (!this.emit("error", event))
      this.logger.debug({ err: event.error, stage: event.stage }, "client error")
    if (hasErrorCode(event.error, "STOP_RECONNECTING")) this.#course.leave("stopped", event.error)
  }

  #makeCourseOwner(makeSession: (link: Link) => Session<Incoming, Outgoing>): CourseOwner {
    return {
      changed: (change) => {
        if (change.to === "closing" || change.to === "closed") this.#sender.end()
        if (change.from === "idle" && this.#hasPageEvents) {
          this.#unwatchPage = watchPage((event) => this.#pageChanged(event))
        }
        if (change.to === "open") this.#opened.resolve()
        this.emit("state", change)
        this.#tellUnconfirmed()
      },
      opened: (link, isReconnect) => {
        this.#session = makeSession(link)
        void this.#session.start(isReconnect)
      },
      released: (end, isClean) => {
        const session = this.#session
        this.#session = undefined
        this.#sender.stop()
        // last: it may report half a message, and whoever hears that may dial at once
        this.#unconfirmed += session?.stop(isClean, end?.error) ?? 0
      },
      failed: (event) => this.raise(event),
      ended: (end) => this.#ended({ ...end, queued: this.#sender.size }),
    }
  }

  #makeSessionOwner(): SessionOwner<Incoming> {
    return {
      memory: { isLiteralKnown: false, isBlindTold: false },
      ready: (link, ledger) => {
        if (link === this.#course.link) this.#sender.start(link, ledger)
      },
      refused: (link, error) => {
        if (hasErrorCode(error, "STOP_RECONNECTING")) this.#course.leave("stopped", error)
        else link.fail(error, "open")
      },
      received: (data, link) => {
        this.emit("message", { data })
        if (!this.#readers.isEmpty) this.#readers.push(data, link.canPause)
      },
      failed: (event) => this.raise(event),
      answered: (rttMs) => this.emit("pong", { rttMs }),
      blind: () => this.logger.warn({}, "the server answers no ping: a dead line cannot be noticed"),
    }
  }

  /** A page that comes back finds its connection proved or replaced, and does not sit out a long wait. */
  #pageChanged(event: PageEvent): void {
    if (event === "restored") this.#course.revive()
    else {
      if (event === "awake") this.#course.hurry()
      this.#session?.wake()
    }
  }

  #tellUnconfirmed(): void {
    const count = this.#unconfirmed
    this.#unconfirmed = 0
    if (count > 0) this.emit("unconfirmed", { count })
  }

  #ended(end: ClientEnd): void {
    this.#end = end
    this.#unwatchPage?.()
    this.emit("end", end)
    this.removeAllListeners()
    this.#opened.reject(endError(end))
    this.#closed.resolve(end)
    this.#endReaders(end)
  }

  #endReaders(end: ClientEnd): void {
    this.#readers.end(end.cause === "closed" ? undefined : endError(end))
  }
}

function endError({ cause, error }: ClientEnd): unknown {
  return error ?? new ConnectionLostError(`the client has ended: ${cause}`)
}
