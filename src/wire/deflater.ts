/**
 * Compresses messages, each once for all its receivers and independently of every other, so that no connection needs
 * a context of its own (RFC 7692, section 7.2.1). It decides who does the work; it knows no receivers.
 */

import { type CompressionSettings, findZlib, type Zlib, type ZlibOptions } from "./compression.js"
import { DeflatingFrame } from "./deflating-frame.js"
import { type Frame, framedLength, lengthOf } from "./frame.js"

/** The end of a flushed block, which is not sent (RFC 7692, section 7.2.1). */
const TAIL_BYTES = 4
/** How many messages are compressed at a time: Node has four threads for this, files and names together. */
const THREADS = 2
/** How many messages wait for a thread; while so many do, more go uncompressed. */
const MAX_WAITING = 64
/** The smallest and the largest pieces of output that are asked for, in bytes; `zlib` takes none below 64. */
const [MIN_CHUNK_BYTES, MAX_CHUNK_BYTES] = [64, 65_536]

interface Job {
  readonly frame: Frame
  readonly length: number
  readonly deflating: DeflatingFrame
}

/** Makes the compressed variants of frames. One deflater serves a whole hub. */
export class Deflater {
  readonly #settings: CompressionSettings
  readonly #zlib: Zlib
  readonly #waiting: Job[] = []
  #running = 0

  constructor(settings: CompressionSettings) {
    this.#settings = settings
    this.#zlib = findZlib() as Zlib
  }

  /** The frame for those who take compressed ones: made at the first call, and the frame itself where that is best. */
  variantOf(frame: Frame): Frame {
    frame.deflated ??= this.#deflate(frame)
    return frame.deflated
  }

  #deflate(frame: Frame): Frame {
    const { thresholdBytes, offloadBytes } = this.#settings
    const length = lengthOf(frame.source)
    if (length < thresholdBytes) return frame
    if (length > offloadBytes) return this.#offload(frame, length)
    const bytes = this.#zlib.deflateRawSync(frame.source, this.#options(length))
    return frame.deflatedTo(withoutTail(bytes), length)
  }

  #offload(frame: Frame, length: number): Frame {
    if (this.#waiting.length >= MAX_WAITING) return frame
    const deflating = new DeflatingFrame(frame, framedLength(length))
    this.#waiting.push({ frame, length, deflating })
    this.#start()
    return deflating
  }

  #start(): void {
    while (this.#running < THREADS) {
      const job = this.#waiting.shift()
      if (!job) return
      this.#running += 1
      this.#run(job)
    }
  }

  #run({ frame, length, deflating }: Job): void {
    this.#zlib.deflateRaw(frame.payload, this.#options(length), (error, bytes) => {
      this.#running -= 1
      this.#start()
      deflating.finish(error ? frame : frame.deflatedTo(withoutTail(bytes), length))
    })
  }

  #options(length: number): ZlibOptions {
    return {
      level: this.#settings.level,
      windowBits: this.#settings.maxWindowBits,
      chunkSize: Math.min(Math.max(length, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES),
      finishFlush: this.#zlib.constants.Z_SYNC_FLUSH,
    }
  }
}

function withoutTail(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length - TAIL_BYTES)
}
