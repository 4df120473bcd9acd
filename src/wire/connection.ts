/**
 * One open socket with everything one wants of it: typed messages both ways, bounded sending, paused reading,
 * life signs, an orderly end. The same on both sides of the wire; it knows no rooms and never reconnects.
 */

import {
  ABNORMAL,
  isSendableCloseCode,
  NORMAL,
  OVERLOAD,
  POLICY,
  truncateReason,
} from "../core/close-codes.js"
import { Emitter } from "../core/emitter.js"
import { type CodecError, ConnectionLostError, SendTimeoutError } from "../core/errors.js"
import { checkCount, checkMs, reject } from "../core/options.js"
import { Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { Lag } from "./backlog.js"
import type {
  CloseCause,
  CloseInfo,
  ConnectionEvents,
  ConnectionState,
  IterateOptions,
  SendAsyncOptions,
} from "./connection-events.js"
import {
  type ConnectionIdentity,
  type ConnectionOptions,
  type ConnectionSettings,
  NO_PARAMS,
  randomId,
  resolveConnection,
} from "./connection-options.js"
import type { Deflater } from "./deflater.js"
import { Ending } from "./ending.js"
import { Frame, type FrameOptions, refuse } from "./frame.js"
import type { HeartbeatPeer } from "./heartbeat.js"
import { Inbox, type InboxOwner } from "./inbox.js"
import { Intake, type IntakeOwner } from "./intake.js"
import { withResolvers } from "./message-iterator.js"
import { Outbox } from "./outbox.js"
import type { OutboxOwner, SendResult } from "./outbox-options.js"
import { OwnedSocket, type SocketOwner } from "./owned-socket.js"
import { encodeWith } from "./payload.js"
import type { Pulse } from "./pulse.js"
import { guardReceiver } from "./receiver-guard.js"
import { SocketSink, StreamSink } from "./sink.js"
import { closeSocket, hasDeflate, type SocketLike, terminate } from "./socket.js"

/** How long reading stays paused for a first listener that does not come, in milliseconds. */
const UNHEARD_MS = 10_000

/**
 * Wraps one open socket. From then on the connection does all sending on it. Whoever still calls the socket's own `send`
 * or `close` goes through the connection: in the order of the calls, within its limits, and compressed as it says.
 *
 * @typeParam Incoming - Messages that come in, as the codec decodes them.
 * @typeParam Outgoing - Messages that go out, as the codec encodes them.
 * @typeParam Data - The application's own state of a connection.
 */
export class Connection<Incoming = unknown, Outgoing = unknown, Data = unknown>
  extends Emitter<ConnectionEvents<Incoming>>
  implements
    AsyncIterable<Incoming>,
    HeartbeatPeer,
    InboxOwner<Incoming>,
    IntakeOwner,
    OutboxOwner,
    SocketOwner
{
  /** Its name, unique in the cluster. */
  readonly id: string
  /** The application's own state; yours to change. */
  data: Data
  /** Path parameters of the upgrade request. */
  readonly params: Readonly<Record<string, string>>
  /** The peer's address, where it is known. */
  readonly remoteAddress: string | undefined
  /** When it was wrapped, in milliseconds since 1970. */
  readonly connectedAt: number
  /** How many messages were accepted for sending. */
  messagesOut = 0

  readonly #socket: SocketLike
  readonly #settings: ConnectionSettings<Incoming, Outgoing>
  readonly #outbox: Outbox
  readonly #inbox: Inbox<Incoming>
  readonly #intake: Intake<Incoming>
  readonly #owned: OwnedSocket
  #state: ConnectionState = "open"
  #end: Ending | undefined
  #unheardTimer: Timer | undefined

  /**
   * @param socket - An open socket.
   * @param identity - What is particular to this connection.
   * @param options - What it may share with others. Pass the same object for all of them: it is resolved once.
   * @throws InvalidOptionError with the value received.
   */
  constructor(
    socket: SocketLike,
    identity: ConnectionIdentity<Data> = {},
    options: ConnectionOptions<Incoming, Outgoing> = {},
  ) {
    const settings = resolveConnection(options)
    super(settings.logger)
    this.id = identity.id ?? randomId()
    this.data = identity.data as Data
    this.params = identity.params ?? NO_PARAMS
    this.remoteAddress = identity.remoteAddress
    this.connectedAt = settings.clock.date()
    this.#socket = socket
    this.#settings = settings
    const sink = identity.stream
      ? new StreamSink(socket, identity.stream)
      : new SocketSink(socket, settings.clock)
    this.#outbox = new Outbox(sink, settings, this, deflaterFor(socket, identity, settings.deflater))
    this.#inbox = new Inbox<Incoming>(this, settings.concurrency)
    this.#intake = new Intake<Incoming>(settings, identity.inboundLimits, this, this.#inbox)
    guardReceiver(socket)
    this.#owned = new OwnedSocket(socket, this, this.#outbox, settings.counters)
  }

  /** Where it stands. */
  get state(): ConnectionState {
    return this.#state
  }

  /** The subprotocol that was agreed on; empty for none. */
  get protocol(): string {
    return this.#socket.protocol ?? ""
  }

  /** Bytes that wait to leave: in the outbox and in the socket. */
  get bufferedBytes(): number {
    return this.#outbox.bufferedBytes
  }

  /** How many messages came in. */
  get messagesIn(): number {
    return this.#intake.messageCount
  }

  /** How many bytes of payload came in. Text that the socket hands over as a string counts in UTF-16 units. */
  get bytesIn(): number {
    return this.#intake.byteCount
  }

  /** Bytes written so far, frame headers included. */
  get bytesOut(): number {
    return this.#outbox.writtenBytes
  }

  /** Whether a message sent now leaves at the end of this turn of the event loop. */
  get writable(): boolean {
    return this.#outbox.isWritable
  }

  /** Round-trip time of the last heartbeat that was answered, in milliseconds; `undefined` before the first. */
  get rttMs(): number | undefined {
    return this.#intake.rttMs
  }

  /** Whether reading is paused, because listeners or iterators are busy, or because the peer sends too fast. */
  get isReadingPaused(): boolean {
    return this.#inbox.isPaused || this.#intake.isPaused
  }

  /** How long ago the last message came in, in milliseconds; before the first, how long ago it was wrapped. */
  get idleMs(): number {
    return this.#intake.idleMs
  }

  /** Resolves with how the connection ended. Never rejects. */
  get closed(): Promise<CloseInfo> {
    return this.#ending.closed
  }

  /**
   * Sends a message. Never blocks and never waits; the order of calls is the order on the wire.
   * @param options - `key` names the value it carries, for the overflow policy `latest`.
   * @throws CodecError when the codec cannot encode it.
   */
  send(message: Outgoing, options?: { readonly key?: string }): SendResult {
    return this.transmit(this.#frame(encodeWith(this.#settings.codec, message), options))
  }

  /**
   * Sends a message and resolves when the kernel has taken its bytes, which is not yet proof that the peer has them.
   * @throws SendTimeoutError after `timeoutMs`; the message may still leave later.
   * @throws ConnectionLostError when the connection ends first.
   * @throws QueueFullError when the overflow policy gives it up.
   */
  async sendAsync(message: Outgoing, options: SendAsyncOptions = {}): Promise<void> {
    const { clock, sendTimeoutMs } = this.#settings
    const timeoutMs = checkMs("sendAsync.timeoutMs", options.timeoutMs ?? sendTimeoutMs, 1)
    const payload = encodeWith(this.#settings.codec, message)
    const { promise, resolve, reject } = withResolvers<void>()
    const timer = new Timer(clock, () =>
      reject(new SendTimeoutError(`not sent within ${timeoutMs} ms; ${this.bufferedBytes} bytes wait`)),
    )
    const settled = (error?: Error) => (error ? reject(error) : resolve())
    this.transmit(this.#frame(payload, { settled }))
    // only now: had that thrown, nobody would be there to hear of the time
    timer.start(timeoutMs)
    return promise.finally(() => timer.stop())
  }

  /** Resolves when nothing waits for room any more; at once where nothing does. Rejects when the connection ends first. */
  drained(): Promise<void> {
    return this.#outbox.drained()
  }

  /** Sends a ping frame, where the socket can. Use a {@link Heartbeat} to find dead peers. */
  ping(payload = ""): void {
    if (this.#state === "open") this.#socket.ping?.(payload)
  }

  /**
   * Closes in an orderly way: what was sent before goes first, then the closing handshake, which may take
   * `closeTimeoutMs`. Calling it again changes nothing.
   *
   * @param code - 1000–1014 without the reserved ones, or 3000–4999 (RFC 6455, section 7.4).
   * @param reason - Cut to 123 bytes of UTF-8, never through a character.
   * @returns How it ended, once it has.
   * @throws InvalidOptionError for a code that may not be sent.
   */
  close(code: number = NORMAL, reason = ""): Promise<CloseInfo> {
    if (!isSendableCloseCode(code)) reject("close code", "1000–1014 but for 1004–1006, or 3000–4999", code)
    if (this.#state === "open") {
      this.#outbox.finish()
      this.#beginClose(code, reason, "local")
    }
    return this.closed
  }

  /** Ends the connection at once. The peer sees 1006; what had not left is lost and counted in `close.unsent`. */
  terminate(): void {
    this.#cut("local")
  }

  /** Reads messages in a loop that ends when the connection does. Several readers may run at once. */
  iterate(options: IterateOptions = {}): AsyncIterableIterator<Incoming> {
    return this.#inbox.iterate(checkCount("iterate.maxMessages", options.maxMessages ?? 64))
  }

  /** The same as {@link iterate} without options. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Incoming> {
    return this.iterate()
  }

  /** The same as {@link close} with code 1000. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  override on<Name extends keyof ConnectionEvents<Incoming>>(
    event: Name,
    listener: (payload: ConnectionEvents<Incoming>[Name]) => unknown,
  ): () => void {
    const undo = super.on(event, listener)
    if (event === "message") this.handOver()
    return undo
  }

  override once<Name extends keyof ConnectionEvents<Incoming>>(
    event: Name,
    listener: (payload: ConnectionEvents<Incoming>[Name]) => unknown,
  ): () => void {
    const undo = super.once(event, listener)
    if (event === "message") this.handOver()
    return undo
  }

  // --- for the parts that make a connection work; not for applications

  /** @internal Sends a frame that others may share. */
  transmit(frame: Frame): SendResult {
    const result = this.#state === "open" ? this.#outbox.send(frame) : refuse(frame, this.#state)
    if (result === "sent" || result === "queued") this.messagesOut += 1
    return result
  }

  /** @internal Somebody began to listen: what was held goes to everyone who listens by the end of this turn. */
  handOver(): void {
    if (this.#inbox.isHolding) this.#settings.clock.soon(() => this.#inbox.pump())
  }

  /** @internal */
  takePulse(pulse: Pulse | undefined): void {
    this.#intake.takePulse(pulse)
  }

  /** @internal */
  timedOut(): void {
    this.#cut("heartbeat")
  }

  /** @internal */
  stalled(): void {
    this.#cut("write-timeout")
  }

  /** @internal */
  overflowed(): void {
    if (this.#state !== "open") return
    this.#ending.lose(this.#outbox.abandon(() => new ConnectionLostError("the outbox overflowed")))
    this.#beginClose(OVERLOAD, "messages are read too slowly", "overflow")
  }

  /** @internal */
  overloaded(): void {
    if (this.#state !== "open") return
    const makeError = () => new ConnectionLostError("the outboxes of all connections overflowed")
    this.#ending.lose(this.#outbox.abandon(makeError))
    this.#beginClose(OVERLOAD, "too much waits for slow readers", "overload")
  }

  /** @internal */
  flooded(waiting: number): void {
    this.#beginClose(OVERLOAD, `${waiting} messages wait to be handled`, "overflow")
  }

  /** @internal */
  unheard(): void {
    this.#unheardTimer ??= new Timer(this.#settings.clock, () => {
      if (this.#inbox.discard())
        this.logger.warn(
          { event: "connection.unheard", connectionId: this.id },
          "nobody listens: messages are discarded",
        )
    })
    this.#unheardTimer.start(UNHEARD_MS)
  }

  /** @internal */
  lagged(lag: Lag): Frame | undefined {
    this.emit("lagged", lag)
    return this.#guarded(() => {
      const notice = this.#settings.onLag?.(lag)
      if (notice === undefined) return undefined
      return this.#frame(encodeWith(this.#settings.codec, notice), { isNotice: true })
    })
  }

  /** @internal */
  hasListeners(): boolean {
    return this.listenerCount("message") > 0
  }

  /** @internal */
  deliver(data: Incoming): void {
    this.emit("message", { data })
  }

  /** @internal */
  pauseReading(): boolean {
    this.#socket.pause?.()
    return this.#socket.pause !== undefined
  }

  /** @internal */
  resumeReading(): void {
    if (this.#state !== "closed" && !this.isReadingPaused) this.#socket.resume?.()
  }

  /** @internal */
  throttled(): void {}

  /** @internal */
  unruly(): void {
    this.#beginClose(POLICY, "messages are sent too fast", "rate-limit")
  }

  /** The connection has ended. For subclasses; call `super`. */
  protected ended(info: CloseInfo): void {
    this.emit("close", info)
  }

  /** A ping was answered. For subclasses; call `super`. */
  protected ponged(rttMs: number): void {
    if (this.listenerCount("pong") > 0) this.emit("pong", { rttMs })
  }

  protected override listenerPending(event: PropertyKey): (() => void) | undefined {
    return event === "message" ? this.busy() : undefined
  }

  /** @internal A handler of one of this connection's messages is at work until the function returned is called. */
  busy(): () => void {
    this.#inbox.handling()
    return this.#inbox.handled
  }

  #frame(payload: Payload, options?: FrameOptions): Frame {
    return new Frame(payload, this.#settings.counters, options)
  }

  /** @internal */
  callbackFailed(error: unknown): void {
    this.raise({ error, stage: "listener" })
  }

  /** @internal */
  socketMessage(raw: Payload, isText: boolean): void {
    this.#intake.message(raw, isText)
  }

  /** @internal */
  literalPinged(answer: string): void {
    this.#outbox.sendUrgent(this.#frame(answer))
  }

  /** @internal */
  undecodable(error: CodecError): void {
    this.raise({ error, stage: "decode" })
    this.#guarded(() => {
      const reply = this.#settings.onDecodeError?.(error)
      if (reply !== undefined) this.send(reply)
    })
  }

  /** Calls the application from where a throw would reach nobody but the process. */
  #guarded<T>(call: () => T): T | undefined {
    try {
      return call()
    } catch (error) {
      this.raise({ error, stage: "listener" })
      return undefined
    }
  }

  /** @internal */
  socketPing(): void {
    this.#intake.ping()
  }

  /** @internal */
  socketPong(payload: string): void {
    if (this.#intake.pong(payload)) this.ponged(this.#intake.rttMs as number)
  }

  /** @internal */
  socketError(error: unknown): void {
    this.raise({ error, stage: "socket" })
  }

  #beginClose(code: number, reason: string, cause: CloseCause): void {
    if (this.#state !== "open") return
    this.#state = "closing"
    this.#ending.because(cause)
    closeSocket(this.#socket, code, truncateReason(reason))
    const { clock, closeTimeoutMs } = this.#settings
    this.#ending.allow(closeTimeoutMs, clock, () => this.#cut("close-timeout"))
    this.#inbox.closing()
  }

  #cut(cause: CloseCause): void {
    if (this.#state === "closed") return
    if (this.#state === "open") this.#ending.because(cause)
    this.#state = "closing"
    terminate(this.#socket)
    // a socket that cannot be terminated may take minutes to see that its peer is gone
    if (!this.#socket.terminate) this.socketClose(ABNORMAL, "")
  }

  get #ending(): Ending {
    this.#end ??= new Ending()
    return this.#end
  }

  /** @internal */
  socketClose(code: number, reason: string): void {
    if (this.#state === "closed") return
    this.#unheardTimer?.stop()
    this.#intake.stop()
    this.#owned.release()
    this.#state = "closed"
    const makeError = () => new ConnectionLostError(`the connection ended with ${code}`)
    this.#ending.lose(this.#outbox.abandon(makeError, code !== ABNORMAL))
    const info = this.#ending.end(code, reason)
    this.#intake.end()
    this.#inbox.end()
    this.ended(info)
    this.#ending.tell()
  }
}

function deflaterFor(
  socket: SocketLike,
  { stream, canInflate }: ConnectionIdentity,
  deflater: Deflater | undefined,
): Deflater | undefined {
  return deflater && stream && (canInflate ?? hasDeflate(socket)) ? deflater : undefined
}
