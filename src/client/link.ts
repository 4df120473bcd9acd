/**
 * One socket of a reconnecting client, from the first question for its address to its end. It reports its end
 * exactly once, whatever order a platform's `error` and `close` come in, and never after that.
 */

import { ConnectError, hasErrorCode } from "../core/errors.js"
import { type Clock, Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import {
  askDestination,
  connectError,
  type DialRequest,
  makeSocket,
  type PerDial,
  refusal,
} from "../wire/dial-request.js"
import { closeSocket, listen, OPEN, type SocketLike, terminate } from "../wire/socket.js"

/** How one connection, or one attempt at one, ended. */
export interface LinkEnd {
  /** The close code; 1006 when there was no close frame, or no connection at all. */
  readonly code: number
  /** The reason in the close frame. */
  readonly reason: string
  /** Whether it had been open. */
  readonly wasOpen: boolean
  /** What went wrong, where something did. An attempt that failed has a `ConnectError`. */
  readonly error?: unknown
}

/** What callbacks are told about the attempt they are asked for. */
export interface AttemptContext {
  /** How many attempts have failed since the last stable connection; 0 for the first. */
  readonly attempt: number
  /** How the attempt or connection before ended; `undefined` before the first. */
  readonly lastClose: LinkEnd | undefined
  /** Aborted when the attempt is given up: timed out, or the client closed. */
  readonly signal: AbortSignal
}

/** A value, or a function that is asked for it once per attempt. */
export type PerAttempt<T> = PerDial<T, AttemptContext>

/** Where and how to dial, and how long it may take. */
export interface LinkRequest extends DialRequest<AttemptContext> {
  /** How long all of it may take until messages may flow, in milliseconds. */
  readonly connectTimeoutMs: number
  /** How long the closing handshake may take, in milliseconds. */
  readonly closeTimeoutMs: number
  /** Where time comes from. */
  readonly clock: Clock
}

/** Whom a link reports to. */
export interface LinkOwner {
  /** It is open. */
  linkOpened(link: Link): void
  /** It has ended, in that stage. Called once, and last. */
  linkEnded(link: Link, end: LinkEnd, stage: LinkStage): void
}

/** Who takes what comes in. */
export interface LinkReceiver {
  /** One message came in. */
  received(data: Payload): void
  /** A sign of life that is no message: a ping, or a pong with its payload. */
  seen(pong?: string): void
}

/** What a link was at when it failed: dialling, running `onOpen`, or carrying messages. */
export type LinkStage = "connect" | "open" | "socket"

/** A socket being dialled, open, or closing. */
export class Link {
  /** Who takes what comes in; without one it is lost. */
  receiver: LinkReceiver | undefined
  /** Where it dials, once that is known. */
  address: string | undefined
  readonly #request: LinkRequest
  readonly #owner: LinkOwner
  readonly #abort = new AbortController()
  readonly #timer: Timer
  #socket: SocketLike | undefined
  #unlisten: (() => void) | undefined
  #wasOpen = false
  #isEnded = false
  #isReadingPaused = false
  #stage: LinkStage = "connect"
  #error: unknown

  constructor(request: LinkRequest, owner: LinkOwner) {
    this.#request = request
    this.#owner = owner
    this.#timer = new Timer(request.clock, () => this.#timedOut())
  }

  /** Bytes that the socket holds. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#wasOpen && !this.#isEnded && this.#socket?.readyState === OPEN
  }

  /** The subprotocol that was agreed on. */
  get protocol(): string {
    return this.#socket?.protocol ?? ""
  }

  /**
   * Whether the socket can send ping frames and tells of the pongs. React Native's can ping and never tells, which would
   * look like a dead line; it cannot terminate either, and whatever else can ping can.
   */
  get canPing(): boolean {
    return this.#socket?.ping !== undefined && this.#socket.terminate !== undefined
  }

  /** Whether reading can be paused. */
  get canPause(): boolean {
    return this.#socket?.pause !== undefined
  }

  /** Whether reading is paused. */
  get isReadingPaused(): boolean {
    return this.#isReadingPaused
  }

  /** Starts to dial. The connect timeout covers everything from here to {@link ready}. */
  dial(attempt: number, lastClose: LinkEnd | undefined): void {
    this.#timer.start(this.#request.connectTimeoutMs)
    this.#open({ attempt, lastClose, signal: this.#abort.signal }).catch((error: unknown) =>
      this.#failed(error),
    )
  }

  /** `onOpen` is done: the connect timeout is over, but where an error has been told that a `close` must follow. */
  ready(): void {
    if (this.#error === undefined) this.#timer.stop()
  }

  /** Sends one message. Throws whatever the socket throws. */
  send(payload: Payload): void {
    this.#socket?.send(payload)
  }

  /** Sends a ping frame. */
  ping(payload: string): void {
    this.#socket?.ping?.(payload)
  }

  /** Stops or resumes reading, where the socket can. */
  pauseReading(isPaused: boolean): void {
    this.#isReadingPaused = isPaused
    if (isPaused) this.#socket?.pause?.()
    else this.#socket?.resume?.()
  }

  /** Starts the closing handshake, or waits for the end of the peer's; a link that is not open yet ends at once. */
  close(code: number, reason: string): void {
    if (this.#wasOpen && this.#socket) {
      // a socket may end within its own `close`
      this.#timer.start(this.#request.closeTimeoutMs)
      closeSocket(this.#socket, code, reason)
    } else this.#end(code, reason)
  }

  /** Ends at once, for a reason. */
  fail(error: unknown, stage = this.#stage): void {
    this.#error ??= error
    this.#stage = stage
    this.#end(1006, "")
  }

  /** Ends at once, for no reason. */
  terminate(): void {
    this.#end(1006, "")
  }

  async #open(context: AttemptContext): Promise<void> {
    const destination = await askDestination(this.#request, context)
    if (this.#isEnded) return
    const socket = makeSocket(this.#request, destination)
    this.address = destination.url
    this.#socket = socket
    this.#unlisten = listen(socket, {
      open: () => this.#opened(),
      // not `String(data)`, which looks for other ways first
      message: (data, isText) => this.receiver?.received(isText ? data.toString() : data),
      ping: () => this.receiver?.seen(),
      pong: (payload) => this.receiver?.seen(String(payload)),
      close: (code, reason) => this.#end(code, reason),
      error: (error) => this.#failed(error),
      refused: (status, header) => this.fail(refusal(status, header("retry-after"), this.#request.clock)),
    })
    // a constructor that is not the platform's may run anything
    if (this.#isEnded) this.#abandon()
  }

  #opened(): void {
    this.#wasOpen = true
    this.#stage = "socket"
    this.#owner.linkOpened(this)
  }

  #failed(error: unknown): void {
    // an attempt may have no `close` at all; a connection that was open tells its close code in the one that follows
    if (this.#wasOpen) {
      this.#error ??= error
      if (!this.#timer.isArmed) this.#timer.start(this.#request.closeTimeoutMs)
    } else this.fail(hasErrorCode(error, "STOP_RECONNECTING") ? error : connectError(error))
  }

  #timedOut(): void {
    const { connectTimeoutMs } = this.#request
    const late = (what: string) =>
      new ConnectError(`${what} within ${connectTimeoutMs} ms`, { code: "CONNECT_TIMEOUT" })
    if (!this.#wasOpen) this.fail(late("not open"))
    else if (this.isOpen && this.#error === undefined) this.fail(late("onOpen is not done"), "open")
    // the peer does not answer the closing handshake, or no `close` has followed an error
    else this.terminate()
  }

  #end(code: number, reason: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#timer.stop()
    this.#abandon()
    this.#abort.abort(this.#error)
    const end = { code, reason, wasOpen: this.#wasOpen, error: this.#error }
    this.#owner.linkEnded(this, end, this.#stage)
  }

  #abandon(): void {
    this.#unlisten?.()
    if (this.#socket) terminate(this.#socket)
  }
}
