/**
 * A socket that a connection has taken over: what happens on it is told to the connection, and its own `send` and `close`
 * go through the connection, for the program that still calls them. Whole messages join the outbox; what only the socket
 * can send goes behind all that waits. Pings and pongs need no care: control frames may stand between any two frames.
 */

import { afterPromises } from "../core/timer.js"
import type { Payload, Unsubscribe } from "../core/types.js"
import { Frame, type FrameCounters } from "./frame.js"
import type { Outbox } from "./outbox.js"
import type { SendResult } from "./outbox-options.js"
import { viewOf } from "./payload.js"
import { OPEN, type SocketLike } from "./socket.js"
import { bareOf, giveBack, type SocketKeeper, takeOver } from "./socket-guard.js"

/** Whose socket it is. */
export interface SocketOwner {
  /** One whole message came in. Text may come as bytes of UTF-8 that the socket has already validated. */
  socketMessage(data: Payload, isText: boolean): void
  /** A ping frame came in; the socket answers it itself. */
  socketPing(): void
  /** A pong frame came in. */
  socketPong(payload: string): void
  /** The socket has ended. */
  socketClose(code: number, reason: string): void
  /** Something failed. */
  socketError(error: unknown): void
  /** Sends a frame. */
  transmit(frame: Frame): SendResult
  /** What the program gave to be called back has thrown. */
  callbackFailed(error: unknown): void
}

/** What `ws` takes beside a message. */
interface DirectOptions {
  readonly binary?: boolean
  readonly fin?: boolean
  readonly mask?: boolean
}

type Callback = (error?: Error) => void
type Method = (...args: unknown[]) => void
type Closing = SocketLike & {
  /** How a `ws` socket remembers that the peer has closed. Without it, the peer is answered at once. */
  readonly _closeFrameReceived?: boolean
}

/** One socket, from its taking over to {@link OwnedSocket.release}. */
export class OwnedSocket implements SocketKeeper {
  readonly #socket: Closing
  readonly #owner: SocketOwner
  readonly #outbox: Outbox
  readonly #counters: FrameCounters
  readonly #send: Method
  readonly #close: Method
  readonly #unlisten: Unsubscribe | undefined
  /** The last thing sent was a fragment that is to be continued. */
  #isFragmented = false
  /** The peer's close frame waits for its answer. */
  #isAnswering = false

  /** @throws InvalidOptionError for a socket that has been taken over before. */
  constructor(socket: SocketLike, owner: SocketOwner, outbox: Outbox, counters: FrameCounters) {
    const { send, close } = bareOf(socket)
    this.#socket = socket
    this.#owner = owner
    this.#outbox = outbox
    this.#counters = counters
    this.#send = send as Method
    this.#close = close as Method
    this.#unlisten = takeOver(socket, this)
  }

  /** The socket is its own again, and nobody listens to it. */
  release(): void {
    giveBack(this.#socket, this, { send: this.#send, close: this.#close }, this.#unlisten)
  }

  // --- what the socket tells

  message(data: Payload, isText: boolean): void {
    this.#owner.socketMessage(data, isText)
  }

  ping(): void {
    this.#owner.socketPing()
  }

  pong(payload: string): void {
    this.#owner.socketPong(payload)
  }

  close(code: number, reason: string): void {
    this.#owner.socketClose(code, reason)
  }

  error(error: unknown): void {
    this.#owner.socketError(error)
  }

  // --- what the program does to the socket

  /** The socket's own `send` was called. */
  calledSend(args: unknown[]): void {
    const [given, options, callback] = typeof args[1] === "function" ? [args[0], undefined, args[1]] : args
    const data = isEmptyBlob(given) ? NOTHING : given
    const wishes = (options ?? {}) as DirectOptions
    const payload = this.#isFragmented ? undefined : payloadOf(data, wishes)
    // a socket that is not open has its own way of saying so
    if (this.#socket.readyState !== OPEN) this.#send.apply(this.#socket, args)
    else if (payload === undefined) this.#pass(data, wishes, callback)
    else this.#transmit(payload, callback as Callback | undefined)
  }

  /** The socket's own `close` was called, by the program, by the connection, or by `ws` when the peer closes. */
  calledClose(args: unknown[]): void {
    const { readyState, _closeFrameReceived: isPeers } = this.#socket
    if (isPeers && readyState === OPEN && !this.#isAnswering) {
      this.#isAnswering = true
      // messages may have come in the same read: what async handlers and loops answer to them goes before the close
      afterPromises(() => this.#finish(args))
    } else this.#finish(args)
  }

  #finish(args: unknown[]): void {
    this.#outbox.finish()
    this.#close.apply(this.#socket, args)
  }

  #transmit(payload: Payload, callback: Callback | undefined): void {
    const settled = callback && ((error?: Error) => this.#callBack(callback, error))
    this.#owner.transmit(new Frame(payload, this.#counters, settled && { settled }))
  }

  /** One that throws, as many do with the error they are given, must not stop what is being written or ended. */
  #callBack(callback: Callback, error: Error | undefined): void {
    try {
      callback(error)
    } catch (thrown) {
      this.#owner.callbackFailed(thrown)
    }
  }

  /** Fragments and blobs. While a message is unfinished, the connection's own wait. */
  #pass(data: unknown, options: DirectOptions, callback: unknown): void {
    this.#outbox.lend()
    // compressed at once, it would refer to what was sent before, which the connection has compressed by itself
    const wishes = this.#socket.on ? [{ ...options, compress: false }, callback] : []
    try {
      this.#send.call(this.#socket, data, ...wishes)
      this.#isFragmented = options.fin === false
    } finally {
      if (!this.#isFragmented) this.#outbox.takeBack()
    }
  }
}

/** What an empty blob holds. While it is read, the socket counts no bytes, and nothing would be known to go behind it. */
const NOTHING = new Uint8Array(0)

function isEmptyBlob(data: unknown): boolean {
  return data instanceof Blob && data.size === 0
}

/** A message that a frame can be made of at once; `undefined` for everything else. */
function payloadOf(data: unknown, { binary, fin = true, mask = false }: DirectOptions): Payload | undefined {
  if (!fin || mask) return undefined
  if (typeof data === "string" || typeof data === "number") return binary ? bytesOf(`${data}`) : `${data}`
  const bytes = viewOf(data)
  return bytes && binary === false ? new TextDecoder().decode(bytes) : bytes
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
