/**
 * Who is asked first when a socket's `send` or `close` is called, and hears what happens on it. It decides nothing.
 *
 * There may be a hundred thousand of them, so none has functions of its own: they find their keeper by the socket they are
 * called on.
 */

import { reject } from "../core/options.js"
import type { Payload, Unsubscribe } from "../core/types.js"
import { listen, receivedPayload, type SocketEvents, type SocketLike } from "./socket.js"

/** Whom a socket has been given to. */
export interface SocketKeeper extends SocketEvents {
  /** Its own `send` was called. */
  calledSend(args: unknown[]): void
  /** Its own `close` was called. */
  calledClose(args: unknown[]): void
}

/** A socket's own methods. */
export type BareSocket = Pick<SocketLike, "send" | "close">

type Method = (...args: unknown[]) => void
type Kept = SocketLike & {
  [KEEPER]?: SocketKeeper | undefined
  /** What the methods do that a guard has taken the place of, where the class of the socket has one. */
  readonly [BARE]?: BareSocket
  emit?(event: PropertyKey): unknown
}

const KEEPER = Symbol("keeper")
const BARE = Symbol("bare")
const PROBE = Symbol("probe")

/**
 * Makes every socket of a class ask its keeper first, where it has one. Giving it to one is then a field that is set:
 * a socket of another class gets methods of its own, and giving those back makes it a slow object.
 */
export function guard(prototype: SocketLike): void {
  const bare: BareSocket = { send: prototype.send, close: prototype.close }
  define(prototype, BARE, bare)
  define(prototype, "send", calledSend)
  define(prototype, "close", calledClose)
}

/** The methods of a socket without their guard. */
export function bareOf(socket: SocketLike): BareSocket {
  return (socket as Kept)[BARE] ?? socket
}

/**
 * Gives a socket to a keeper. One that cannot be changed is only listened to.
 *
 * @returns how to listen no more, where the keeper has listeners of its own; for {@link giveBack}.
 * @throws InvalidOptionError for a socket that has a keeper.
 */
export function takeOver(socket: SocketLike, keeper: SocketKeeper): Unsubscribe | undefined {
  const kept: Kept = socket
  if (kept[KEEPER]) reject("socket", "one that no other connection has taken over", socket)
  if (kept[BARE]) kept[KEEPER] = keeper
  else if (Object.isExtensible(socket)) {
    define(socket, KEEPER, keeper)
    define(socket, "send", calledSend)
    define(socket, "close", calledClose)
  }
  return isOwn(kept) ? share(kept) : listen(socket, keeper)
}

/** The socket is its own again, with the methods it had, and nobody listens to it. */
export function giveBack(
  socket: SocketLike,
  keeper: SocketKeeper,
  bare: BareSocket,
  unlisten: Unsubscribe | undefined,
): void {
  const kept: Kept = socket
  if (unlisten) unlisten()
  else unshare(kept)
  if (kept[KEEPER] !== keeper) return
  if (kept[BARE]) {
    kept[KEEPER] = undefined
    return
  }
  delete kept[KEEPER]
  restore(kept, "send", calledSend, bare.send as Method)
  restore(kept, "close", calledClose, bare.close as Method)
}

// --- the functions that all sockets share

function calledSend(this: Kept, ...args: unknown[]): void {
  if (this[KEEPER]) this[KEEPER].calledSend(args)
  else (ownerless(this).send as Method).apply(this, args)
}

function calledClose(this: Kept, ...args: unknown[]): void {
  if (this[KEEPER]) this[KEEPER].calledClose(args)
  else (ownerless(this).close as Method).apply(this, args)
}

/** The methods of a socket whose connection has ended: its class has a guard, or somebody kept the one it had itself. */
function ownerless(socket: Kept): BareSocket {
  return socket[BARE] ?? Object.getPrototypeOf(socket)
}

function onMessage(this: Kept, data: Payload | ArrayBuffer, isBinary: boolean): void {
  this[KEEPER]?.message(receivedPayload(data, isBinary), !isBinary)
}

function onPing(this: Kept): void {
  this[KEEPER]?.ping?.()
}

function onPong(this: Kept, payload: Uint8Array): void {
  this[KEEPER]?.pong?.(String(payload))
}

function onClose(this: Kept, code: number, reason: Uint8Array | string): void {
  this[KEEPER]?.close(code, String(reason))
}

function onError(this: Kept, error: unknown): void {
  this[KEEPER]?.error(error)
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

function share(socket: Kept): undefined {
  for (const [event, listener] of LISTENERS) socket.on?.(event, listener)
}

function unshare(socket: Kept): void {
  for (const [event, listener] of LISTENERS) socket.off?.(event, listener)
  socket.on?.("error", ignore)
}

let probed: unknown
/** The methods of the last socket that proved to be its own: those of all `ws` sockets are the same two functions. */
let proven: Pick<Kept, "on" | "emit"> = {}

function probe(this: unknown): void {
  probed = this
}

/** Whether an emitter calls its listeners with itself as `this`, as Node's do: a stand-in for another one does not. */
function isOwn(socket: Kept): boolean {
  const { on, emit } = socket
  if (!socket[KEEPER] || typeof on !== "function" || typeof emit !== "function") return false
  if (on === proven.on && emit === proven.emit) return true
  on.call(socket, PROBE as never, probe)
  emit.call(socket, PROBE)
  socket.off?.(PROBE as never, probe)
  const isItself = probed === socket
  probed = undefined
  if (isItself) proven = { on, emit }
  return isItself
}

/** An own property that is not listed among those of the socket. */
function define(socket: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(socket, name, { value, configurable: true, writable: true })
}

/** A method that was inherited is inherited again; one that somebody has replaced since stays. */
function restore(socket: Kept, name: "send" | "close", ours: Method, original: Method): void {
  // asked in this way, because a proxy may show another method than there is
  if (Object.getOwnPropertyDescriptor(socket, name)?.value !== ours) return
  delete (socket as Partial<SocketLike>)[name]
  if (socket[name] !== original) define(socket, name, original)
}
