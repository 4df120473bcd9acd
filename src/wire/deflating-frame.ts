/**
 * A message that another thread is compressing. It holds up nobody who cannot wait: whoever must write it now writes it
 * as it is.
 */

import { Frame, type FrameWaiter } from "./frame.js"

/** Counts for as much as the uncompressed frame, from beginning to end: so much memory its message takes. */
export class DeflatingFrame extends Frame {
  readonly #plain: Frame
  readonly #byteLength: number
  #result: Frame | undefined
  #waiters: FrameWaiter[] = []

  constructor(plain: Frame, byteLength: number) {
    super(plain.payload, plain.counters, plain.options)
    this.#plain = plain
    this.#byteLength = byteLength
  }

  override get bytes(): Uint8Array {
    return this.written.bytes
  }

  override get byteLength(): number {
    return this.#byteLength
  }

  override get isReady(): boolean {
    return this.#result !== undefined
  }

  override get written(): Frame {
    return this.#result ?? this.#plain
  }

  override whenReady(waiter: FrameWaiter): void {
    this.#waiters.push(waiter)
  }

  /** The work is done, or was given up: `result` is what everybody writes who has waited. */
  finish(result: Frame): void {
    this.#result = result
    for (const waiter of this.#waiters.splice(0)) waiter.ready()
  }
}
