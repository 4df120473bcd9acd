/**
 * One message on its way out, encoded at most once for any number of receivers. Frames are the server's side of
 * RFC 6455, section 5.2: whole messages in single frames, FIN set, no mask.
 */

import { ConnectionLostError } from "../core/errors.js"
import type { Payload } from "../core/types.js"
import { byteLength } from "./utf8.js"

const FIN_AND_TEXT = 0x81
const FIN_AND_BINARY = 0x82
/** The bit that marks a compressed message (RFC 7692, section 6). */
const RSV1 = 0x40

/** Browsers have none, and need none: their sockets make the frames. */
const hasBuffer = typeof globalThis.Buffer === "function"

/** Counts the work of encoding, to show that a broadcast does it once. */
export interface FrameCounters {
  /** Frames encoded so far, compressed ones included. */
  framesEncoded: number
  /** Messages compressed so far. */
  framesDeflated: number
}

/** What a sender may say about a message beyond its content. */
export interface FrameOptions {
  /** Names the value this message carries: under the `latest` policy a newer one replaces one that still waits. */
  readonly key?: string | undefined
  /** It tells of messages that were lost, and is none of those that anybody sent. */
  readonly isNotice?: boolean
  /** Called once, when the frame was handed to the kernel or given up. For frames with a single receiver. */
  readonly settled?: (error?: Error) => void
}

/** Hears that a frame is ready. */
export interface FrameWaiter {
  /** Nothing is gained by waiting any longer. */
  ready(): void
}

/** A message and, once somebody asks, its frame. Neither changes after that, whatever the sender does to its bytes. */
export class Frame {
  /** The same message for those who take compressed ones: another frame, or this one. Set by whoever compresses. */
  deflated: Frame | undefined
  /** What counts encoding. */
  readonly counters: FrameCounters
  /** What the sender said about it. */
  readonly options: FrameOptions | undefined
  #payload: Payload
  #isOwned: boolean
  #bytes: Uint8Array | undefined
  #byteLength = 0

  constructor(payload: Payload, counters: FrameCounters, options?: FrameOptions) {
    this.counters = counters
    this.options = options
    this.#payload = payload
    this.#isOwned = typeof payload === "string"
  }

  /** See {@link FrameOptions.key}. */
  get key(): string | undefined {
    return this.options?.key
  }

  /** See {@link FrameOptions.isNotice}. */
  get isNotice(): boolean {
    return this.options?.isNotice === true
  }

  /** Whether somebody waits to hear how this frame ends. */
  get isAwaited(): boolean {
    return this.options?.settled !== undefined
  }

  /** The message for sockets that do their own framing: bytes are a copy of the sender's. */
  get payload(): Payload {
    if (!this.#isOwned) this.#own(this.#payload as Uint8Array)
    return this.#payload
  }

  /** The message as the sender gave it: bytes are the sender's own, to be read before `send` returns. */
  get source(): Payload {
    return this.#payload
  }

  /** Header and payload in one piece. Needs Node's `Buffer`, as do the streams it is written to. */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) {
      this.#bytes = encodeFrame(this.#payload, isText(this.#payload))
      this.counters.framesEncoded += 1
    }
    return this.#bytes
  }

  /**
   * What it counts for, in bytes: header and payload, wherever it goes. Afterwards the sender may change its own bytes.
   * Text is not encoded for it: what waits for a slow reader may never be written.
   */
  get byteLength(): number {
    if (this.#byteLength === 0) this.#byteLength = this.#measure()
    return this.#byteLength
  }

  /** Whether nothing is gained by waiting before it is written. */
  get isReady(): boolean {
    return true
  }

  /** What is written where it is written now. */
  get written(): Frame {
    return this
  }

  /** Tells `waiter` once {@link Frame.isReady} has become true. */
  whenReady(waiter: FrameWaiter): void {
    waiter.ready()
  }

  /** Reports the end of the frame's way. */
  settle(error?: Error): void {
    this.options?.settled?.(error)
  }

  /** The same message in a compressed frame, where that is shorter; otherwise this one. */
  deflatedTo(content: Uint8Array, plainLength: number): Frame {
    this.counters.framesDeflated += 1
    if (content.length >= plainLength) return this
    const frame = new Frame(this.payload, this.counters, this.options)
    frame.#isOwned = true
    frame.#bytes = encodeFrame(content, isText(this.#payload), RSV1)
    this.counters.framesEncoded += 1
    return frame
  }

  #measure(): number {
    const payload = this.#payload
    if (this.#bytes === undefined && (typeof payload === "string" || !hasBuffer)) {
      return framedLength(lengthOf(this.payload))
    }
    return this.bytes.length
  }

  /** Takes a copy of the sender's bytes: the part of a frame that is made already, or one of its own. */
  #own(payload: Uint8Array): void {
    // not `slice()`: a Buffer's shares its memory
    this.#payload = this.#bytes?.subarray(headerLength(payload.byteLength)) ?? new Uint8Array(payload)
    this.#isOwned = true
  }
}

/** The bytes of a frame with so many bytes of payload. */
export function framedLength(payloadLength: number): number {
  return headerLength(payloadLength) + payloadLength
}

/** The bytes of a payload on the wire, without encoding it. */
export function lengthOf(payload: Payload): number {
  // where there is a Buffer, native code counts
  return typeof payload === "string" && hasBuffer ? Buffer.byteLength(payload) : byteLength(payload)
}

function isText(payload: Payload): boolean {
  return typeof payload === "string"
}

/** What becomes of a frame for which there is no way out any more: whoever waits for it is told. */
export function refuse(frame: Frame, state = "closed"): "closed" {
  if (frame.isAwaited) frame.settle(new ConnectionLostError(`the connection is ${state}`))
  return "closed"
}

function headerLength(length: number): number {
  if (length < 126) return 2
  return length < 65_536 ? 4 : 10
}

function encodeFrame(content: Payload, isText: boolean, reserved = 0): Uint8Array {
  const isString = typeof content === "string"
  const length = isString ? Buffer.byteLength(content) : content.byteLength
  const start = headerLength(length)
  const frame = Buffer.allocUnsafe(start + length)
  frame[0] = (isText ? FIN_AND_TEXT : FIN_AND_BINARY) | reserved
  writeLength(frame, length)
  if (isString) frame.write(content, start)
  else frame.set(content, start)
  return frame
}

function writeLength(frame: Buffer, length: number): void {
  if (length < 126) {
    frame[1] = length
  } else if (length < 65_536) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
}
