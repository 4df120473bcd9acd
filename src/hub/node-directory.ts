/**
 * Which other nodes there are: those that were heard lately. A node that says nothing for 6 seconds is down, and one that
 * says goodbye is gone at once. It sends nothing itself.
 */

import type { Clock } from "../core/timer.js"

/** How often a node says that it is there, in milliseconds. */
export const BEAT_MS = 2_000

/** How long a node may say nothing before it counts as down, in milliseconds. */
const DOWN_MS = 6_000

/** Hears of changes. */
export interface NodeDirectoryEvents {
  /** A node is there. */
  up(nodeId: string): void
  /** A node is down, or has said goodbye. */
  down(nodeId: string): void
}

/** The other nodes. */
export class NodeDirectory {
  readonly #clock: Clock
  readonly #events: NodeDirectoryEvents
  readonly #heardAt = new Map<string, number>()
  #sweptAt = 0

  constructor(clock: Clock, events: NodeDirectoryEvents) {
    this.#clock = clock
    this.#events = events
  }

  /** Begins: the first sweep is one beat from now. */
  start(): void {
    this.#sweptAt = this.#clock.now()
  }

  /** The names of all that are there, at this moment. */
  get nodeIds(): string[] {
    return [...this.#heardAt.keys()]
  }

  /** Whether a node is there. */
  has(nodeId: string): boolean {
    return this.#heardAt.has(nodeId)
  }

  /** A node was heard. Returns whether it is new. */
  heard(nodeId: string): boolean {
    const isNew = !this.#heardAt.has(nodeId)
    this.#heardAt.set(nodeId, this.#clock.now())
    if (isNew) this.#events.up(nodeId)
    return isNew
  }

  /** A node said goodbye. */
  left(nodeId: string): void {
    if (this.#heardAt.delete(nodeId)) this.#events.down(nodeId)
  }

  /**
   * Takes out whoever has said nothing for too long. Called with every beat: what is between two of them beyond that is
   * this node's own stall, in which it could hear nobody, and is held against none.
   */
  sweep(): void {
    const now = this.#clock.now()
    const stalledMs = Math.max(0, now - this.#sweptAt - BEAT_MS)
    this.#sweptAt = now
    for (const [nodeId, at] of this.#heardAt) {
      if (now - at - stalledMs >= DOWN_MS) this.left(nodeId)
      else if (stalledMs > 0) this.#heardAt.set(nodeId, Math.min(now, at + stalledMs))
    }
  }

  /** Forgets all, and tells nobody. */
  clear(): void {
    this.#heardAt.clear()
  }
}
