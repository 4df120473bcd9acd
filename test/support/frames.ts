/**
 * Frames for tests, and what they say.
 */

import type { Payload } from "../../src/core/types.js"
import type { Batch } from "../../src/wire/batch.js"
import { Frame, type FrameOptions } from "../../src/wire/frame.js"

/** A frame whose counters nobody looks at. */
export function frame(payload: Payload, options?: FrameOptions): Frame {
  return new Frame(payload, { framesEncoded: 0, framesDeflated: 0 }, options)
}

/** The messages of frames. */
export function payloads(frames: readonly Frame[] | Batch): Payload[] {
  return (Array.isArray(frames) ? frames : (frames as Batch).frames()).map((it: Frame) => it.payload)
}
