/**
 * One socket of a reconnecting client, from the first question for its address to its end. It reports its end
 * exactly once, whatever order a platform's `error` and `close` come in, and never after that.
 */

import { ConnectError, hasErrorCode } from "../core/errors.js"
import { type Clock, Timer } from "../core/timer.js"
import type { MaybePromise, Payload } from "../core/types.js"
import {
  closeSocket,
  findWebSocket,
  listen,
  OPEN,
  type SocketLike,
  terminate,
  type WebSocketConstructor,
} from "../wire/socket.js"
import { handshakeOptions, type NodeOptions } from "./node-options.js"

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
export type PerAttempt<T> = T | ((context: AttemptContext) => MaybePromise<T>)

/** Where and how to dial. */
export interface LinkRequest {
  /** The address. */
  readonly url: PerAttempt<string | URL>
  /** Subprotocols to offer. */
  readonly protocols: PerAttempt<string | readonly string[]> | undefined
  /** See {@link NodeOptions}. */
  readonly node: NodeOptions | undefined
  /** The constructor to use instead of the platform's. */
  readonly WebSocket: WebSocketConstructor | undefined
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

  /** Whether the socket can send ping frames. */
  get canPing(): boolean {
    return this.#socket?.ping !== undefined
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

  /** `onOpen` is done: the connect timeout is over. */
  ready(): void {
    this.#timer.stop()
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

  /** Starts the closing handshake; a link that is not open yet ends at once. */
  close(code: number, reason: string): void {
    if (this.isOpen && this.#socket) {
      closeSocket(this.#socket, code, reason)
      this.#timer.start(this.#request.closeTimeoutMs)
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
    const { url, protocols, node, WebSocket } = this.#request
    // all at once: none is asked on behalf of an attempt that has ended meanwhile
    const [address, offered, headers] = await Promise.all([
      ask(url, context),
      ask(protocols, context),
      ask(node?.headers, context),
    ])
    if (this.#isEnded) return
    const Socket = findWebSocket(WebSocket)
    if (!Socket) throw new ConnectError("this platform has no WebSocket: pass one", { code: "NO_WEBSOCKET" })
    this.address = String(address)
    const socket = this.#construct(Socket, this.address, offered, node && handshakeOptions(node, headers))
    this.#socket = socket
    this.#unlisten = listen(socket, {
      open: () => this.#opened(),
      message: (data, isText) => this.receiver?.received(isText ? String(data) : data),
      ping: () => this.receiver?.seen(),
      pong: (payload) => this.receiver?.seen(String(payload)),
      close: (code, reason) => this.#end(code, reason),
      error: (error) => this.#failed(error),
      refused: (status, header) => this.fail(refusal(status, header("retry-after"), this.#request.clock)),
    })
  }

  #construct(
    Socket: WebSocketConstructor,
    url: string,
    offered: string | readonly string[] | undefined,
    options: object | undefined,
  ): SocketLike {
    try {
      return new Socket(url, typeof offered === "object" ? [...offered] : offered, options)
    } catch (cause) {
      // what is fixed will be as wrong the next time; what is asked for may be right then
      const { url: asked, protocols, node } = this.#request
      const isFixed = [asked, protocols, node?.headers].every((it) => typeof it !== "function")
      const code = isFixed ? "INVALID_ADDRESS" : "CONNECT_FAILED"
      throw new ConnectError(`cannot dial ${JSON.stringify(url)}: ${reasonOf(cause)}`, { code, cause })
    }
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
    } else this.fail(connectError(error))
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
    this.#unlisten?.()
    if (this.#socket) terminate(this.#socket)
    this.#abort.abort(this.#error)
    const end = { code, reason, wasOpen: this.#wasOpen, error: this.#error }
    this.#owner.linkEnded(this, end, this.#stage)
  }
}

async function ask<T>(value: PerAttempt<T>, context: AttemptContext): Promise<T> {
  return typeof value === "function"
    ? (value as (context: AttemptContext) => MaybePromise<T>)(context)
    : value
}

function connectError(error: unknown): unknown {
  if (error instanceof ConnectError || hasErrorCode(error, "STOP_RECONNECTING")) return error
  return new ConnectError(`connect failed: ${reasonOf(error)}`, { cause: error })
}

function refusal(status: number, retryAfter: string | undefined, clock: Clock): ConnectError {
  // seconds, or a date (RFC 9110, section 10.2.3)
  const ms = Number(retryAfter) * 1_000 || Date.parse(retryAfter ?? "") - clock.date()
  return new ConnectError(`the server answered ${status}`, { status, ...(ms > 0 && { retryAfterMs: ms }) })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "the platform does not say why"
}
