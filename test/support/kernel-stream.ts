/**
 * A stream whose kernel takes as many bytes as it is told to, and that says `drain` when Node's streams do.
 */

import { EventEmitter } from "node:events"
import type { FrameStream } from "holdfast"

type Left = (error?: Error | null) => void

/** Takes everything at once, until {@link KernelStream.stall}. */
export class KernelStream extends EventEmitter implements FrameStream {
  writableLength = 0
  destroyed = false
  readonly writableHighWaterMark: number
  readonly writes: Uint8Array[] = []
  readonly #held: { bytes: number; readonly left: Left | undefined }[] = []
  #isStalled = false
  #needsDrain = false

  constructor(markBytes: number) {
    super()
    this.writableHighWaterMark = markBytes
  }

  write(bytes: Uint8Array, left?: Left): boolean {
    this.writes.push(bytes)
    this.writableLength += bytes.byteLength
    this.#held.push({ bytes: bytes.byteLength, left })
    if (this.writableLength >= this.writableHighWaterMark) this.#needsDrain = true
    if (!this.#isStalled) this.leave()
    return !this.#needsDrain
  }

  /** From now on nothing leaves by itself. */
  stall(): void {
    this.#isStalled = true
  }

  /** Everything leaves from now on, beginning with what waits. */
  unstall(): void {
    this.#isStalled = false
    this.leave()
  }

  /** So many bytes leave. */
  leave(bytes = this.writableLength): void {
    let budget = bytes
    for (let first = this.#held[0]; first && budget > 0; first = this.#held[0]) {
      const taken = Math.min(budget, first.bytes)
      first.bytes -= taken
      budget -= taken
      this.writableLength -= taken
      if (first.bytes > 0) return
      this.#held.shift()
      first.left?.()
    }
    if (this.writableLength > 0 || !this.#needsDrain) return
    this.#needsDrain = false
    this.emit("drain")
  }

  /** The end: whatever waits is lost where it was no orderly one. */
  end(isOrderly: boolean): void {
    if (isOrderly) this.leave()
    this.destroyed = true
    this.writableLength = 0
    for (const { left } of this.#held.splice(0)) left?.(new Error("the stream was destroyed"))
  }
}
