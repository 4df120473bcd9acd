/**
 * One message on its way out, encoded at most once for any number of receivers. Frames are the server's side of
 * RFC 6455, section 5.2: whole messages in single frames, FIN set, no mask.
 */

import type { Payload } from "../core/types.js"
import { byteLength } from "./utf8.js"

const FIN_AND_TEXT = 0x81
const FIN_AND_BINARY = 0x82

/** Counts the work of encoding, to show that a broadcast does it once. */
export interface FrameCounters {
  /** Frames encoded so far. */
  framesEncoded: number
}

/** What a sender may say about a message beyond its content. */
export interface FrameOptions {
  /** Names the value this message carries: under the `latest` policy a newer one replaces one that still waits. */
  readonly key?: string | undefined
  /** Called once, when the frame was handed to the kernel or given up. For frames with a single receiver. */
  readonly settled?: (error?: Error) => void
}

/** A message and, once somebody asks, its frame. Neither changes after that, whatever the sender does to its bytes. */
export class Frame {
  readonly #counters: FrameCounters
  readonly #options: FrameOptions | undefined
  #payload: Payload
  #isOwned: boolean
  #bytes: Uint8Array | undefined

  constructor(payload: Payload, counters: FrameCounters, options?: FrameOptions) {
    this.#counters = counters
    this.#payload = payload
    this.#isOwned = typeof payload === "string"
    this.#options = options
  }

  /** See {@link FrameOptions.key}. */
  get key(): string | undefined {
    return this.#options?.key
  }

  /** Whether somebody waits to hear how this frame ends. */
  get isAwaited(): boolean {
    return this.#options?.settled !== undefined
  }

  /** The message for sockets that do their own framing: bytes are a copy of the sender's. */
  get payload(): Payload {
    if (!this.#isOwned) {
      // not `slice()`: a Buffer's shares its memory
      this.#payload = new Uint8Array(this.#payload as Uint8Array)
      this.#isOwned = true
    }
    return this.#payload
  }

  /** Header and payload in one piece. Needs Node's `Buffer`, as do the streams it is written to. */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) {
      this.#bytes = encodeFrame(this.#payload)
      this.#counters.framesEncoded += 1
    }
    return this.#bytes
  }

  /** Reports the end of the frame's way. */
  settle(error?: Error): void {
    this.#options?.settled?.(error)
  }
}

/**
 * The bytes of a frame, header included, for sockets that do their own framing. The same as `frame.bytes.byteLength`,
 * so that receivers of both kinds can share a batch.
 */
export function frameLength(frame: Frame): number {
  const length = byteLength(frame.payload)
  return headerLength(length) + length
}

function headerLength(length: number): number {
  if (length < 126) return 2
  return length < 65_536 ? 4 : 10
}

function encodeFrame(payload: Payload): Uint8Array {
  const isText = typeof payload === "string"
  const length = isText ? Buffer.byteLength(payload) : payload.byteLength
  const start = headerLength(length)
  const frame = Buffer.allocUnsafe(start + length)
  frame[0] = isText ? FIN_AND_TEXT : FIN_AND_BINARY
  writeLength(frame, length)
  if (isText) frame.write(payload, start)
  else frame.set(payload, start)
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
