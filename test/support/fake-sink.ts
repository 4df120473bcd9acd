/**
 * A sink whose kernel takes bytes only when told to, and that counts as full from a mark on.
 */

import type { Payload } from "../../src/core/types.js"
import type { Batch } from "../../src/wire/batch.js"
import type { Sink } from "../../src/wire/sink.js"
import { payloads } from "./frames.js"

type Left = (error?: Error | null) => void

/** Everything written leaves at once, until {@link FakeSink.stall}. */
export class FakeSink implements Sink {
  isWritable = true
  bufferedBytes = 0
  /** The messages of each write. */
  readonly writes: Payload[][] = []
  /** The batches as they came, to see which are shared. */
  readonly batches: Batch[] = []
  /** How the connection ended, once it has. */
  end: { readonly error: Error; readonly isOrderly: boolean } | undefined
  readonly #markBytes: number
  #isStalled = false
  #room: (() => void)[] = []
  #held: { bytes: number; readonly left: Left | undefined }[] = []

  constructor(markBytes = 100) {
    this.#markBytes = markBytes
  }

  /** Every message written, in order. */
  get messages(): Payload[] {
    return this.writes.flat()
  }

  /** How many callbacks wait for room. */
  get waiters(): number {
    return this.#room.length
  }

  get isFull(): boolean {
    return this.bufferedBytes >= this.#markBytes
  }

  write(batch: Batch, left?: Left): number {
    this.writes.push(payloads(batch))
    this.batches.push(batch)
    this.bufferedBytes += batch.byteLength
    this.#held.push({ bytes: batch.byteLength, left })
    if (!this.#isStalled) this.leave()
    return this.bufferedBytes
  }

  whenRoom(callback: () => void): void {
    this.#room.push(callback)
  }

  close(makeError: () => Error, isOrderly: boolean): void {
    this.end ??= { error: makeError(), isOrderly }
    this.#room = []
  }

  /** From now on the kernel takes nothing by itself. */
  stall(): void {
    this.#isStalled = true
  }

  /** The kernel takes everything from now on, beginning with what waits. */
  unstall(): void {
    this.#isStalled = false
    this.leave()
  }

  /** The kernel takes so many bytes. There is room again once it has taken all, as with a stream's `drain`. */
  leave(bytes = this.bufferedBytes): void {
    let budget = bytes
    while (this.#held[0] && budget > 0) {
      const taken = Math.min(budget, this.#held[0].bytes)
      this.#held[0].bytes -= taken
      this.bufferedBytes -= taken
      budget -= taken
      if (this.#held[0].bytes === 0) this.#held.shift()?.left?.()
    }
    if (this.bufferedBytes === 0) for (const tell of this.#room.splice(0)) tell()
  }

  /** Whatever waits is lost, as after a reset. */
  fail(error: Error): void {
    this.isWritable = false
    for (const { left } of this.#held.splice(0)) left?.(error)
  }
}
