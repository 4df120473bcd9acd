/**
 * Where an outbox's bytes go: a raw stream that takes frames, or a socket that makes its own.
 * It knows when the way is full and when there is room again; it keeps nothing itself.
 */

import { type Clock, Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { Batch } from "./batch.js"
import { OPEN, type SocketLike } from "./socket.js"
import { bareOf } from "./socket-guard.js"

/** The part of a Node stream that frames are written to: a TCP or TLS socket has it. */
export interface FrameStream {
  /** Bytes accepted that have not left for the kernel. */
  readonly writableLength: number
  /** From how many waiting bytes on the stream counts as full. */
  readonly writableHighWaterMark: number
  /** Whether it was ended by force. A write that was under way then calls back as if it had left. */
  readonly destroyed?: boolean
  /** Takes bytes; `callback` runs when they were handed to the kernel, or with what went wrong. */
  write(bytes: Uint8Array, callback?: (error?: Error | null) => void): boolean
  /** Listens to one `drain`. */
  once(event: "drain", listener: () => void): unknown
  /** Undoes {@link FrameStream.once}. */
  off(event: "drain", listener: () => void): unknown
}

/** Takes batches of frames and says when to stop. */
export interface Sink {
  /** Whether anything written now has a chance to leave. */
  readonly isWritable: boolean
  /** Bytes written that have not left this process. */
  readonly bufferedBytes: number
  /** Whether more should wait for room. */
  readonly isFull: boolean
  /**
   * Sends every frame of a batch, in order, and returns what {@link Sink.bufferedBytes} is then. `left` is called when all
   * of them were handed to the kernel.
   */
  write(batch: Batch, left?: (error?: Error | null) => void): number
  /** Calls back once, when there is room again. Only asked while {@link Sink.isFull}. */
  whenRoom(callback: () => void): void
  /**
   * The connection ends: nobody is called back any more, but for those who wait to hear how a write ended. In an
   * orderly end everything written has left; otherwise, what is not known to have left has not.
   */
  close(makeError: () => Error, isOrderly: boolean): void
}

type Left = (error?: Error | null) => void

/** The socket's own `send`, in the style of `ws`: kept, because a guard may take its place. */
type Send = (data: Payload, options: { readonly compress: false }, left?: Left) => void

/**
 * Writes encoded frames to the stream under a `ws` server socket: one write a batch, however many frames it has. While the
 * socket itself still has something to send, a blob or what it compresses, frames go behind that, through the socket.
 */
export class StreamSink implements Sink {
  readonly #socket: SocketLike
  readonly #stream: FrameStream
  readonly #send: Send
  #waiting: (() => void) | undefined

  constructor(socket: SocketLike, stream: FrameStream) {
    this.#socket = socket
    this.#stream = stream
    this.#send = bareOf(socket).send as Send
  }

  get isWritable(): boolean {
    // after the socket's close frame no data frame may follow (RFC 6455, section 5.5.1)
    return this.#socket.readyState === OPEN
  }

  get bufferedBytes(): number {
    // the socket counts the stream's bytes and its own; one that counts nothing has none
    return Math.max(this.#stream.writableLength, this.#socket.bufferedAmount)
  }

  get isFull(): boolean {
    return this.#stream.writableLength >= this.#stream.writableHighWaterMark
  }

  write(batch: Batch, left?: Left): number {
    const waiting = this.#socket.bufferedAmount
    if (waiting > 0 && waiting > this.#stream.writableLength) this.#sendAll(batch, left)
    else if (left) this.#writeAwaited(batch, left)
    else this.#stream.write(batch.bytes)
    // the usual case, in one look: nothing waited anywhere, and the kernel has taken this
    return waiting === 0 && this.#stream.writableLength === 0 ? 0 : this.bufferedBytes
  }

  whenRoom(callback: () => void): void {
    // asked again before there was room: who asked before has been answered by other means
    if (this.#waiting) this.#stream.off("drain", this.#waiting)
    this.#waiting = callback
    this.#stream.once("drain", callback)
  }

  close(): void {
    // the stream itself calls back for writes that did not leave
    if (this.#waiting) this.#stream.off("drain", this.#waiting)
    this.#waiting = undefined
  }

  #writeAwaited(batch: Batch, left: Left): void {
    this.#stream.write(batch.bytes, (error) => left(error ?? this.#loss))
  }

  #sendAll(batch: Batch, left: Left | undefined): void {
    const frames = batch.frames()
    const last = frames.pop()
    const options = { compress: false } as const
    for (const frame of frames) this.#send.call(this.#socket, frame.payload, options)
    if (last) this.#send.call(this.#socket, last.payload, options, (error) => left?.(error ?? this.#loss))
  }

  get #loss(): Error | undefined {
    return this.#stream.destroyed ? new Error("the stream was destroyed") : undefined
  }
}

/** How much a socket that makes its own frames may hold before it counts as full, in bytes. */
const SOCKET_MARK_BYTES = 65_536
/** A socket that will not tell when it has room is asked, this often in milliseconds. */
const SOCKET_POLL_MS = 20

/**
 * Sends payloads through a socket's own `send`: for sockets whose stream is not at hand.
 * Room is noticed from the callbacks of `send` where the socket is of Node's style. It is asked for elsewhere, and when
 * what fills the socket is not from here: the program's own fragments and blobs.
 */
export class SocketSink implements Sink {
  readonly #socket: SocketLike
  /** Kept, because a guard may take its place. */
  readonly #send: (data: Payload, left?: Left) => void
  readonly #poll: Timer
  readonly #callsBack: boolean
  /** Writes whose callback is still to come. */
  #underWay = 0
  #room: (() => void) | undefined
  /** Bytes by which sending has raised `bufferedAmount`; counted where only asking tells what has left. */
  #givenBytes = 0
  #leaving: { readonly position: number; readonly left: Left }[] = []

  constructor(socket: SocketLike, clock: Clock) {
    this.#socket = socket
    this.#send = bareOf(socket).send
    this.#callsBack = typeof socket.on === "function"
    this.#poll = new Timer(clock, () => this.#look())
  }

  get isWritable(): boolean {
    return this.#socket.readyState === OPEN
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  get isFull(): boolean {
    return this.#socket.bufferedAmount >= SOCKET_MARK_BYTES
  }

  write(batch: Batch, left?: Left): number {
    const frames = batch.frames()
    const last = frames.pop()
    const before = this.#socket.bufferedAmount
    for (const frame of frames) this.#send.call(this.#socket, frame.payload)
    if (last && this.#callsBack) this.#sendAwaited(last.payload, left)
    else if (last) this.#sendLast(last.payload, before, left)
    return this.bufferedBytes
  }

  whenRoom(callback: () => void): void {
    this.#room = callback
    this.#pollIfNeeded()
  }

  close(makeError: () => Error, isOrderly: boolean): void {
    this.#poll.stop()
    this.#room = undefined
    for (const { left } of this.#leaving.splice(0)) left(isOrderly ? undefined : makeError())
  }

  #sendAwaited(payload: Payload, left: Left | undefined): void {
    this.#underWay += 1
    this.#send.call(this.#socket, payload, (error) => {
      this.#underWay -= 1
      this.#called(left, error)
    })
  }

  /** Where the socket calls nobody back. `before` is what it held before the batch. */
  #sendLast(payload: Payload, before: number, left: Left | undefined): void {
    this.#send.call(this.#socket, payload)
    this.#givenBytes += this.#socket.bufferedAmount - before
    if (!left) return
    this.#leaving.push({ position: this.#givenBytes, left })
    this.#pollIfNeeded()
  }

  /** The socket says that a write has ended. While it ends itself it may say so of writes that were cut off. */
  #called(left: Left | undefined, error?: Error | null): void {
    if (left && !error && !this.isWritable) this.#leaving.push({ position: Number.POSITIVE_INFINITY, left })
    else left?.(error)
    this.#look()
  }

  #look(): void {
    const buffered = this.#socket.bufferedAmount
    while (this.#leaving[0] && this.#leaving[0].position <= this.#givenBytes - buffered)
      this.#leaving.shift()?.left()
    if (buffered <= SOCKET_MARK_BYTES / 2) this.#tellRoom()
    this.#pollIfNeeded()
  }

  /** Asks again later where somebody waits and no callback will come. */
  #pollIfNeeded(): void {
    const isAwaited = this.#room !== undefined || (!this.#callsBack && this.#leaving.length > 0)
    if (isAwaited && this.#underWay === 0) this.#poll.start(SOCKET_POLL_MS)
  }

  #tellRoom(): void {
    const room = this.#room
    this.#room = undefined
    room?.()
  }
}
