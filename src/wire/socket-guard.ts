/**
 * Stands before a socket's own `send` and `close`, for the program that still calls them on a socket which a connection
 * has taken over. Whole messages join the connection's outbox; what only the socket can send goes behind all that waits.
 * Pings and pongs need no guard: control frames may stand between any two frames.
 */

import { reject } from "../core/options.js"
import type { Payload } from "../core/types.js"
import type { FrameCounters } from "./frame.js"
import { Frame } from "./frame.js"
import type { Outbox } from "./outbox.js"
import type { SendResult } from "./outbox-options.js"
import { OPEN, type SocketLike } from "./socket.js"

/** Whose socket it is. */
export interface GuardedOwner {
  /** Sends a frame. */
  transmit(frame: Frame): SendResult
}

/** What `ws` takes beside a message. */
interface DirectOptions {
  readonly binary?: boolean
  readonly fin?: boolean
  readonly mask?: boolean
}

type Callback = (error?: Error) => void
type Guarded = SocketLike & { [GUARD]?: SocketGuard }

const GUARD = Symbol("guard")

/** The guard of one socket, from its making to {@link SocketGuard.release}. */
export class SocketGuard {
  readonly #socket: Guarded
  readonly #owner: GuardedOwner
  readonly #outbox: Outbox
  readonly #counters: FrameCounters
  readonly #send: (...args: unknown[]) => void
  readonly #close: (...args: unknown[]) => void
  /** The last thing sent was a fragment that is to be continued. */
  #isFragmented = false

  /**
   * Makes a guard, unless the socket is one that cannot be changed.
   * @throws InvalidOptionError for a socket that has one.
   */
  static over(
    socket: SocketLike,
    owner: GuardedOwner,
    outbox: Outbox,
    counters: FrameCounters,
  ): SocketGuard | undefined {
    if ((socket as Guarded)[GUARD]) reject("socket", "one that no other connection has taken over", socket)
    return Object.isExtensible(socket) ? new SocketGuard(socket, owner, outbox, counters) : undefined
  }

  private constructor(socket: Guarded, owner: GuardedOwner, outbox: Outbox, counters: FrameCounters) {
    this.#socket = socket
    this.#owner = owner
    this.#outbox = outbox
    this.#counters = counters
    this.#send = socket.send as (...args: unknown[]) => void
    this.#close = socket.close as (...args: unknown[]) => void
    // one function for all sockets: they find their guard by the socket they are called on
    define(socket, GUARD, this)
    define(socket, "send", guardedSend)
    define(socket, "close", guardedClose)
  }

  /** The socket's methods are its own again. */
  release(): void {
    const socket = this.#socket
    if (socket[GUARD] !== this) return
    delete socket[GUARD]
    if (isOwn(socket, "send", guardedSend)) restore(socket, "send", this.#send)
    if (isOwn(socket, "close", guardedClose)) restore(socket, "close", this.#close)
  }

  /** The socket's own `send` was called. */
  send(args: unknown[]): void {
    const [data, options, callback] = typeof args[1] === "function" ? [args[0], undefined, args[1]] : args
    const wishes = (options ?? {}) as DirectOptions
    const payload = this.#isFragmented ? undefined : payloadOf(data, wishes)
    // a socket that is not open has its own way of saying so
    if (this.#socket.readyState !== OPEN) this.#send.apply(this.#socket, args)
    else if (payload === undefined) this.#pass(data, wishes, callback)
    else this.#transmit(payload, callback as Callback | undefined)
  }

  /** The socket's own `close` was called, by the program, by the connection, or by `ws` when the peer closes. */
  close(args: unknown[]): void {
    this.#outbox.finish()
    this.#close.apply(this.#socket, args)
  }

  #transmit(payload: Payload, settled: Callback | undefined): void {
    this.#owner.transmit(new Frame(payload, this.#counters, settled && { settled }))
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

function guardedSend(this: Guarded, ...args: unknown[]): void {
  if (this[GUARD]) this[GUARD].send(args)
  // somebody kept this method beyond the connection's end
  else Object.getPrototypeOf(this).send.apply(this, args)
}

function guardedClose(this: Guarded, ...args: unknown[]): void {
  if (this[GUARD]) this[GUARD].close(args)
  else Object.getPrototypeOf(this).close.apply(this, args)
}

/** A message that a frame can be made of at once; `undefined` for everything else. */
function payloadOf(data: unknown, { binary, fin = true, mask = false }: DirectOptions): Payload | undefined {
  if (!fin || mask) return undefined
  if (typeof data === "string" || typeof data === "number") return binary ? bytesOf(`${data}`) : `${data}`
  const bytes = viewOf(data)
  return bytes && binary === false ? new TextDecoder().decode(bytes) : bytes
}

function viewOf(data: unknown): Uint8Array | undefined {
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : undefined
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** An own property that is not listed among those of the socket. */
function define(socket: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(socket, name, { value, configurable: true, writable: true })
}

/** Whether nobody has replaced a method since; a proxy may show another than there is. */
function isOwn(socket: Guarded, name: "send" | "close", method: unknown): boolean {
  return Object.getOwnPropertyDescriptor(socket, name)?.value === method
}

/** A method that was inherited is inherited again. */
function restore(socket: Guarded, name: "send" | "close", method: unknown): void {
  delete (socket as Partial<SocketLike>)[name]
  if (socket[name] !== method) define(socket, name, method)
}
