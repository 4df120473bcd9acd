/**
 * How late a message is, without a clock that nodes share: the way of the quickest message of late is the measure for
 * the others. Knows nodes by name, and when each was last heard.
 */

/** For how long the quickest message is the measure, in milliseconds. */
const SPAN_MS = 300_000

/** When everything of a node is late for so long, in milliseconds, it is its clock that jumped. */
const JUMP_MS = 3_000

/** A node that was silent for so long is forgotten, in milliseconds. */
const FORGET_MS = 600_000

interface Measure {
  /** The least difference between the two clocks in this span, and in the one before. */
  least: number
  leastBefore: number
  spanEndsAt: number
  lateSince: number | undefined
  heardAt: number
}

/** Measures every node against itself. */
export class Lateness {
  readonly #limitMs: number
  readonly #nodes = new Map<string, Measure>()

  /** @param limitMs - From which age on a message is late, in milliseconds. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  /** Whether a message of a node comes too late. */
  isLate(nodeId: string, sentAt: number, now: number): boolean {
    const difference = now - sentAt
    const measure = this.#nodes.get(nodeId)
    if (!measure) {
      this.#nodes.set(nodeId, begin(difference, now))
      return false
    }
    measure.heardAt = now
    if (difference - Math.min(measure.least, measure.leastBefore) <= this.#limitMs) {
      this.#note(measure, difference, now)
      return false
    }
    measure.lateSince ??= now
    if (now - measure.lateSince < JUMP_MS) return true
    this.#nodes.set(nodeId, begin(difference, now))
    return false
  }

  /** Forgets nodes that are silent for good, and returns their names. */
  sweep(now: number): string[] {
    const gone = [...this.#nodes].filter(([, { heardAt }]) => now - heardAt > FORGET_MS).map(([id]) => id)
    for (const nodeId of gone) this.#nodes.delete(nodeId)
    return gone
  }

  /** Forgets everything. */
  clear(): void {
    this.#nodes.clear()
  }

  #note(measure: Measure, difference: number, now: number): void {
    measure.lateSince = undefined
    if (now >= measure.spanEndsAt) {
      measure.leastBefore = measure.least
      measure.least = difference
      measure.spanEndsAt = now + SPAN_MS
    } else measure.least = Math.min(measure.least, difference)
  }
}

function begin(difference: number, now: number): Measure {
  return {
    least: difference,
    leastBefore: difference,
    spanEndsAt: now + SPAN_MS,
    lateSince: undefined,
    heardAt: now,
  }
}
