/**
 * Sequences of frames, shared. Outboxes that were given the same frames in the same order hold the same batch,
 * so a burst to a thousand receivers is concatenated once. It knows no sockets.
 */

import type { Frame } from "./frame.js"

/**
 * A node in a tree whose edges are frames: the way from the root to a batch is the sequence it stands for.
 * Appending the frame that was appended here last finds the node that is already there, so keeping a crowd in step
 * costs one comparison a receiver.
 */
export class Batch {
  /** Bytes of all frames of the sequence. */
  readonly byteLength: number
  /** How many frames the sequence has. */
  readonly length: number
  /** Whether somebody waits to hear how one of the frames ends. */
  readonly isAwaited: boolean
  readonly #parent: Batch | undefined
  readonly #frame: Frame | undefined
  #latest: Batch | undefined
  #bytes: Uint8Array | undefined

  private constructor(parent: Batch | undefined, frame: Frame | undefined) {
    this.#parent = parent
    this.#frame = frame
    this.byteLength = (parent?.byteLength ?? 0) + (frame?.byteLength ?? 0)
    this.length = (parent?.length ?? -1) + 1
    this.isAwaited = parent?.isAwaited === true || frame?.isAwaited === true
  }

  /** The empty sequence, where a tree begins. */
  static empty(): Batch {
    return new Batch(undefined, undefined)
  }

  /** This sequence and one more frame. */
  append(frame: Frame): Batch {
    let latest = this.#latest
    if (latest === undefined || latest.#frame !== frame) {
      latest = new Batch(this, frame)
      this.#latest = latest
    }
    return latest
  }

  /** All frames in one piece, concatenated at the first call. */
  get bytes(): Uint8Array {
    this.#bytes ??= this.length === 1 && this.#frame ? this.#frame.bytes : this.#concat()
    return this.#bytes
  }

  /** The frames, oldest first. */
  frames(): Frame[] {
    const frames = new Array<Frame>(this.length)
    this.#forEach((frame, node) => {
      frames[node.length - 1] = frame
    })
    return frames
  }

  /** Reports the end of every frame's way. */
  settle(error?: Error): void {
    for (const frame of this.frames()) frame.settle(error)
  }

  #concat(): Uint8Array {
    const bytes = Buffer.allocUnsafe(this.byteLength)
    this.#forEach((frame, node) => bytes.set(frame.bytes, node.byteLength - frame.bytes.byteLength))
    return bytes
  }

  /** Newest first, as the tree is linked. */
  #forEach(visit: (frame: Frame, node: Batch) => void): void {
    let node: Batch | undefined = this
    while (node !== undefined && node.#frame !== undefined) {
      visit(node.#frame, node)
      node = node.#parent
    }
  }
}
