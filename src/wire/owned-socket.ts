/**
 * A socket that a connection has taken over: what happens on it is told to the connection, and its own `send` and `close`
 * go through the connection, for the program that still calls them. Whole messages join the outbox; what only the socket
 * can send goes behind all that waits. Pings and pongs need no care: control frames may stand between any two frames.
 *
 * There may be a hundred thousand of them, so none has functions of its own: they find it by the socket they are called on.
 */

import { reject } from "../core/options.js"
import { afterPromises } from "../core/timer.js"
import type { Payload, Unsubscribe } from "../core/types.js"
import { Frame, type FrameCounters } from "./frame.js"
import type { Outbox } from "./outbox.js"
import type { SendResult } from "./outbox-options.js"
import { viewOf } from "./payload.js"
import { listen, OPEN, type SocketEvents, type SocketLike } from "./socket.js"

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
type Owned = SocketLike & {
  [OWNED]?: OwnedSocket | undefined
  /** What the methods do that a guard has taken the place of, where the class of the socket has one. */
  readonly [BARE]?: Bare
  emit?(event: PropertyKey): unknown
  /** How a `ws` socket remembers that the peer has closed. Without it, the peer is answered at once. */
  readonly _closeFrameReceived?: boolean
}

/** A socket's own methods. */
type Bare = Pick<SocketLike, "send" | "close">

const OWNED = Symbol("owned")
const BARE = Symbol("bare")
const PROBE = Symbol("probe")

/** One socket, from its taking over to {@link OwnedSocket.release}. */
export class OwnedSocket implements SocketEvents {
  readonly #socket: Owned
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
    if ((socket as Owned)[OWNED]) reject("socket", "one that no other connection has taken over", socket)
    this.#socket = socket as Owned
    this.#owner = owner
    this.#outbox = outbox
    this.#counters = counters
    const bare = bareOf(socket)
    this.#send = bare.send as Method
    this.#close = bare.close as Method
    // one that cannot be changed is only listened to
    if (Object.isExtensible(socket)) this.#takeOver(this.#socket)
    this.#unlisten = isOwn(this.#socket) ? share(this.#socket) : listen(socket, this)
  }

  /** The socket is its own again, and nobody listens to it. */
  release(): void {
    const socket = this.#socket
    if (this.#unlisten) this.#unlisten()
    else unshare(socket)
    if (socket[OWNED] !== this) return
    if (socket[BARE]) {
      socket[OWNED] = undefined
      return
    }
    delete socket[OWNED]
    restore(socket, "send", calledSend, this.#send)
    restore(socket, "close", calledClose, this.#close)
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

  #takeOver(socket: Owned): void {
    if (socket[BARE]) {
      socket[OWNED] = this
      return
    }
    define(socket, OWNED, this)
    define(socket, "send", calledSend)
    define(socket, "close", calledClose)
  }
}

/**
 * Makes every socket of a class ask its owner first, where it has one. Taking one over is then a field that is set:
 * a socket of another class gets methods of its own, and giving those back makes it a slow object.
 */
export function guard(prototype: SocketLike): void {
  const bare: Bare = { send: prototype.send, close: prototype.close }
  define(prototype, BARE, bare)
  define(prototype, "send", calledSend)
  define(prototype, "close", calledClose)
}

/** The methods of a socket without their guard. */
export function bareOf(socket: SocketLike): Bare {
  return (socket as Owned)[BARE] ?? socket
}

// --- the functions that all sockets share

function calledSend(this: Owned, ...args: unknown[]): void {
  if (this[OWNED]) this[OWNED].calledSend(args)
  else (ownerless(this).send as Method).apply(this, args)
}

function calledClose(this: Owned, ...args: unknown[]): void {
  if (this[OWNED]) this[OWNED].calledClose(args)
  else (ownerless(this).close as Method).apply(this, args)
}

/** The methods of a socket whose connection has ended: its class has a guard, or somebody kept the one it had itself. */
function ownerless(socket: Owned): Bare {
  return socket[BARE] ?? Object.getPrototypeOf(socket)
}

function onMessage(this: Owned, data: Payload | ArrayBuffer, isBinary: boolean): void {
  this[OWNED]?.message(
    isBinary && data instanceof ArrayBuffer ? new Uint8Array(data) : (data as Payload),
    !isBinary,
  )
}

function onPing(this: Owned): void {
  this[OWNED]?.ping()
}

function onPong(this: Owned, payload: Uint8Array): void {
  this[OWNED]?.pong(String(payload))
}

function onClose(this: Owned, code: number, reason: Uint8Array | string): void {
  this[OWNED]?.close(code, String(reason))
}

function onError(this: Owned, error: unknown): void {
  this[OWNED]?.error(error)
}

/** A closing `ws` socket may still report an error; unheard, Node would make a crash of it. */
function ignore(): void {}

const LISTENERS = Object.entries({
  message: onMessage,
  ping: onPing,
  pong: onPong,
  close: onClose,
  error: onError,
}) as [string, Method][]

function share(socket: Owned): undefined {
  for (const [event, listener] of LISTENERS) socket.on?.(event, listener)
}

function unshare(socket: Owned): void {
  for (const [event, listener] of LISTENERS) socket.off?.(event, listener)
  socket.on?.("error", ignore)
}

let probed: unknown
/** The methods of the last socket that proved to be its own: those of all `ws` sockets are the same two functions. */
let proven: Pick<Owned, "on" | "emit"> = {}

function probe(this: unknown): void {
  probed = this
}

/** Whether an emitter calls its listeners with itself as `this`, as Node's do: a stand-in for another one does not. */
function isOwn(socket: Owned): boolean {
  const { on, emit } = socket
  if (!socket[OWNED] || typeof on !== "function" || typeof emit !== "function") return false
  if (on === proven.on && emit === proven.emit) return true
  on.call(socket, PROBE as never, probe)
  emit.call(socket, PROBE)
  socket.off?.(PROBE as never, probe)
  const isItself = probed === socket
  probed = undefined
  if (isItself) proven = { on, emit }
  return isItself
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

/** An own property that is not listed among those of the socket. */
function define(socket: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(socket, name, { value, configurable: true, writable: true })
}

/** A method that was inherited is inherited again; one that somebody has replaced since stays. */
function restore(socket: Owned, name: "send" | "close", ours: Method, original: Method): void {
  // asked in this way, because a proxy may show another method than there is
  if (Object.getOwnPropertyDescriptor(socket, name)?.value !== ours) return
  delete (socket as Partial<SocketLike>)[name]
  if (socket[name] !== original) define(socket, name, original)
}
