/**
 * Where an outbox's bytes go: a raw stream that takes frames, or a socket that makes its own.
 * It knows when the way is full and when there is room again; it keeps nothing itself.
 */

import { type Clock, Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { Batch } from "./batch.js"
import { type Frame, payloadLength } from "./frame.js"
import { OPEN, type SocketLike } from "./socket.js"

/** The part of a Node stream that frames are written to: a TCP or TLS socket has it. */
export interface FrameStream {
  /** Bytes accepted that have not left for the kernel. */
  readonly writableLength: number
  /** From how many waiting bytes on the stream counts as full. */
  readonly writableHighWaterMark: number
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
  /** Bytes that a frame will count for. Afterwards the sender may change its own bytes. */
  sizeOf(frame: Frame): number
  /** Sends every frame of a batch, in order. `left` is called when all of them were handed to the kernel. */
  write(batch: Batch, left?: (error?: Error | null) => void): void
  /** Calls back once, when there is room again. Only asked while {@link Sink.isFull}. */
  whenRoom(callback: () => void): void
  /** The connection ends: nobody is called back any more, but for those who wait to hear how a write ended. */
  close(error: Error): void
}

/** Writes encoded frames to the stream under a `ws` server socket: one write a batch, however many frames it has. */
export class StreamSink implements Sink {
  readonly #socket: SocketLike
  readonly #stream: FrameStream
  #waiting: (() => void) | undefined

  constructor(socket: SocketLike, stream: FrameStream) {
    this.#socket = socket
    this.#stream = stream
  }

  get isWritable(): boolean {
    // after the socket's close frame no data frame may follow (RFC 6455, section 5.5.1)
    return this.#socket.readyState === OPEN
  }

  get bufferedBytes(): number {
    return this.#stream.writableLength
  }

  get isFull(): boolean {
    return this.#stream.writableLength >= this.#stream.writableHighWaterMark
  }

  sizeOf(frame: Frame): number {
    return frame.bytes.byteLength
  }

  write(batch: Batch, left?: (error?: Error | null) => void): void {
    this.#stream.write(batch.bytes, left)
  }

  whenRoom(callback: () => void): void {
    this.#waiting = callback
    this.#stream.once("drain", callback)
  }

  close(): void {
    // the stream itself calls back for writes that did not leave
    if (this.#waiting) this.#stream.off("drain", this.#waiting)
    this.#waiting = undefined
  }
}

/** How much a socket that makes its own frames may hold before it counts as full, in bytes. */
const SOCKET_MARK_BYTES = 65_536
/** A browser-style socket tells nobody when it has room, so it is asked, this often in milliseconds. */
const SOCKET_POLL_MS = 20

/**
 * Sends payloads through a socket's own `send`: for sockets whose stream is not at hand.
 * Room is noticed from the callbacks of `send` where the socket is of Node's style, and by asking elsewhere.
 */
export class SocketSink implements Sink {
  readonly #socket: SocketLike & { send(data: Payload, left?: () => void): void }
  readonly #poll: Timer | undefined
  #waiting: { readonly mark: number; readonly callback: (error?: Error) => void }[] = []

  constructor(socket: SocketLike, clock: Clock) {
    this.#socket = socket
    if (typeof socket.on !== "function") this.#poll = new Timer(clock, () => this.#look())
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

  sizeOf(frame: Frame): number {
    return payloadLength(frame)
  }

  write(batch: Batch, left?: (error?: Error) => void): void {
    const frames = batch.frames()
    const last = frames.pop()
    for (const frame of frames) this.#socket.send(frame.payload)
    if (last) this.#sendLast(last.payload)
    if (left) this.#whenBelow(0, left)
  }

  whenRoom(callback: () => void): void {
    this.#whenBelow(SOCKET_MARK_BYTES / 2, callback)
  }

  close(error: Error): void {
    this.#poll?.stop()
    const awaited = this.#waiting.filter((it) => it.mark === 0)
    this.#waiting = []
    for (const { callback } of awaited) callback(error)
  }

  #sendLast(payload: Payload): void {
    if (this.#poll) this.#socket.send(payload)
    else this.#socket.send(payload, () => this.#look())
  }

  #whenBelow(mark: number, callback: (error?: Error) => void): void {
    this.#waiting.push({ mark, callback })
    this.#poll?.start(SOCKET_POLL_MS)
  }

  #look(): void {
    const buffered = this.#socket.bufferedAmount
    const ready = this.#waiting.filter((it) => buffered <= it.mark)
    this.#waiting = this.#waiting.filter((it) => buffered > it.mark)
    for (const { callback } of ready) callback()
    if (this.#waiting.length > 0) this.#poll?.start(SOCKET_POLL_MS)
  }
}
