/**
 * Where the streams of other nodes stand, as this node has heard: finds what comes twice, and counts what does not
 * come at all. A message that is overtaken counts as lost and is not delivered later, so that order holds.
 */

import type { Position } from "./envelope.js"

/** A subject has to be confirmed so much longer than a stream exists before its beginning counts as missed. */
const MARGIN_MS = 1_000

interface Heard {
  stream: number
  last: number
  /** The first message heard of a stream that may have begun before; 1 once that is settled. */
  from: number
}

/** What became of one message. */
export interface Arrival {
  /** Whether it has not been here before. */
  readonly isNew: boolean
  /** How many before it did not come. */
  readonly missed: number
}

const AGAIN: Arrival = Object.freeze({ isNew: false, missed: 0 })

/** The positions of all streams, by subject and node. */
export class Positions {
  readonly #subjects = new Map<string, Map<string, Heard>>()

  /** A message came in. */
  arrive(subject: string, nodeId: string, { stream, sequence }: Position): Arrival {
    const heard = this.#heard(subject, nodeId)
    if (!heard) {
      this.#learn(subject, nodeId, { stream, last: sequence, from: sequence })
      return { isNew: true, missed: 0 }
    }
    if (stream < heard.stream || (stream === heard.stream && sequence <= heard.last)) return AGAIN
    return { isNew: true, missed: this.#advance(heard, stream, sequence) - 1 }
  }

  /**
   * A node tells where its stream stands. Returns how many messages did not come.
   *
   * @param ageMs - How long ago the stream began.
   * @param confirmedMs - How long ago this node was sure to get the subject.
   */
  mark(
    subject: string,
    nodeId: string,
    { stream, sequence }: Position,
    ageMs: number,
    confirmedMs: number,
  ): number {
    const isWhole = ageMs + MARGIN_MS < confirmedMs
    const heard = this.#heard(subject, nodeId)
    if (!heard) {
      this.#learn(subject, nodeId, { stream, last: sequence, from: 1 })
      return isWhole ? sequence : 0
    }
    if (stream < heard.stream) return 0
    const before = stream === heard.stream && isWhole ? heard.from - 1 : 0
    heard.from = 1
    return before + this.#advance(heard, stream, sequence)
  }

  /** Forgets a subject: it is wanted no longer. */
  forget(subject: string): void {
    this.#subjects.delete(subject)
  }

  /** Forgets a node: it is down for good. */
  forgetNode(nodeId: string): void {
    for (const nodes of this.#subjects.values()) nodes.delete(nodeId)
  }

  /** Forgets everything. */
  clear(): void {
    this.#subjects.clear()
  }

  #heard(subject: string, nodeId: string): Heard | undefined {
    return this.#subjects.get(subject)?.get(nodeId)
  }

  #learn(subject: string, nodeId: string, heard: Heard): void {
    const nodes = this.#subjects.get(subject)
    if (nodes) nodes.set(nodeId, heard)
    else this.#subjects.set(subject, new Map([[nodeId, heard]]))
  }

  /** Moves on to a later position. Returns how far that was. */
  #advance(heard: Heard, stream: number, sequence: number): number {
    const before = stream === heard.stream ? heard.last : 0
    if (stream !== heard.stream) {
      heard.stream = stream
      heard.from = 1
    }
    heard.last = Math.max(before, sequence)
    return Math.max(0, sequence - before)
  }
}
