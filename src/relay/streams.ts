/**
 * The streams this node publishes: one for each subject, numbered from 1. Remembers which of them went quiet without
 * having told where they ended.
 */

import type { Position } from "./envelope.js"

/** Streams that are remembered; the one unused for longest is forgotten first, and begins anew when it is used. */
const MAX_STREAMS = 65_536

/** Streams that tell where they stand, at most. */
const MAX_MARKED = 1_024

/** How often a quiet stream tells where it ended: the telling can be lost too. */
const MARKS = 2

/** A stream that was quiet for longer than this is not marked again, in milliseconds. */
const RECENT_MS = 60_000

interface Stream {
  readonly number: number
  readonly firstAt: number
  sequence: number
  lastAt: number
  marksLeft: number
}

/** Streams begun in this process: an adapter that is closed and connected again goes on where it was. */
let begun = 0

/** One stream's end, ready to be told. */
export interface Mark extends Position {
  /** The subject it is told on. */
  readonly subject: string
  /** How long ago the first message was published, in milliseconds. */
  readonly ageMs: number
}

/** Numbers what this node publishes. */
export class Streams {
  /** Least recently used first. */
  readonly #streams = new Map<string, Stream>()
  /** Those with marks left; the oldest first. */
  readonly #unmarked = new Map<string, Stream>()

  /** Whether a stream has yet to tell where it ended. */
  get hasUnmarked(): boolean {
    return this.#unmarked.size > 0
  }

  /** The next position in a subject's stream. */
  next(subject: string, now: number, isMarked: boolean): Position {
    const stream = this.#take(subject, now)
    stream.sequence += 1
    stream.lastAt = now
    if (isMarked) this.#queue(subject, stream)
    return { stream: stream.number, sequence: stream.sequence }
  }

  /** The ends of streams that have been quiet for so long; each is counted as told. */
  takeMarks(now: number, quietMs: number): Mark[] {
    const marks: Mark[] = []
    for (const [subject, stream] of this.#unmarked) {
      if (now - stream.lastAt < quietMs) continue
      stream.marksLeft -= 1
      if (stream.marksLeft === 0) this.#unmarked.delete(subject)
      marks.push({
        subject,
        stream: stream.number,
        sequence: stream.sequence,
        ageMs: now - stream.firstAt,
      })
    }
    return marks
  }

  /** Has the streams of the last minute tell again: somebody may have missed it. */
  markAgain(now: number, isMarked: (subject: string) => boolean): void {
    for (const [subject, stream] of this.#streams) {
      if (now - stream.lastAt <= RECENT_MS && isMarked(subject)) this.#queue(subject, stream)
    }
  }

  /** Forgets everything. Streams that begin later have new numbers all the same. */
  clear(): void {
    this.#streams.clear()
    this.#unmarked.clear()
  }

  #take(subject: string, now: number): Stream {
    const known = this.#streams.get(subject)
    if (known) this.#streams.delete(subject)
    else begun += 1
    const stream = known ?? { number: begun, firstAt: now, sequence: 0, lastAt: now, marksLeft: 0 }
    this.#streams.set(subject, stream)
    forgetOldest(this.#streams, MAX_STREAMS)
    return stream
  }

  #queue(subject: string, stream: Stream): void {
    stream.marksLeft = MARKS
    this.#unmarked.set(subject, stream)
    forgetOldest(this.#unmarked, MAX_MARKED)
  }
}

function forgetOldest(map: Map<string, unknown>, max: number): void {
  if (map.size <= max) return
  for (const key of map.keys()) {
    map.delete(key)
    return
  }
}
