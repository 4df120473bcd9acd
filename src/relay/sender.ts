/**
 * The way out: numbers what this node publishes, hands it over, and tells where quiet streams ended.
 */

import { Timer } from "../core/timer.js"
import type { Payload, Writable } from "../core/types.js"
import type { AdapterCounters, PublishMeta } from "../hub/adapter.js"
import type { BusLink } from "./bus.js"
import { encodeEnvelope, type Part, type Position } from "./envelope.js"
import { Publications, tooLarge } from "./publications.js"
import type { RelaySettings } from "./relay-options.js"
import { Streams } from "./streams.js"
import { ALL_NODES, channelOf, channelSubject, nodeSubject } from "./subjects.js"

/** What a sender works with. */
export interface SenderParts {
  readonly settings: RelaySettings
  readonly nodeId: string
  readonly maxBytes: number | false
  readonly counters: Writable<AdapterCounters>
  /** The broker did not take in time what it was handed. */
  readonly suspect: () => void
  /** What went wrong with the link. */
  readonly why: () => unknown
}

/** Publishes for one node. */
export class RelaySender {
  readonly #parts: SenderParts
  readonly #streams = new Streams()
  readonly #publications: Publications
  readonly #marking: Timer
  #markedAgainAt = Number.NEGATIVE_INFINITY

  constructor(parts: SenderParts) {
    this.#parts = parts
    this.#publications = new Publications(parts.settings, parts.suspect, parts.why)
    this.#marking = new Timer(parts.settings.clock, () => this.#mark(parts.settings.markMs))
  }

  /** Publications that are not settled. */
  get pending(): number {
    return this.#publications.size
  }

  /** Publishes a payload. A publication that is rejected counts as one that did not arrive. */
  publish(channel: string, payload: Payload, { exceptIds, exceptChannels }: PublishMeta): Promise<void> {
    return this.#send(channelSubject(channel), ({ stream, sequence }) => {
      return { kind: "payload", stream, sequence, payload, exceptIds, exceptChannels }
    })
  }

  /** Sends an operation to a node, or to all with `*`. */
  operate(nodeId: string, operation: string, bytes: Uint8Array): Promise<void> {
    const subject = nodeId === "*" ? ALL_NODES : nodeSubject(nodeId)
    return this.#send(subject, ({ stream, sequence }) => {
      return { kind: "operation", stream, sequence, operation, bytes }
    })
  }

  /** This node has a new link: others may mark again what it missed, and it marks what others missed. */
  greet(link: BusLink): void {
    this.#whisper(link, ALL_NODES, { kind: "hello" })
    this.markAgain()
  }

  /** Asks this node itself. */
  probe(link: BusLink): void {
    this.#whisper(link, nodeSubject(this.#parts.nodeId), { kind: "probe" })
  }

  /** Has streams of late tell once more where they ended. */
  markAgain(): void {
    const { clock, markMs } = this.#parts.settings
    const now = clock.now()
    // a crowd of nodes that comes back at once is answered once
    if (now - this.#markedAgainAt < markMs / 2) return
    this.#markedAgainAt = now
    this.#streams.markAgain(now, isMarked)
    if (this.#streams.hasUnmarked) this.#marking.start(markMs / 2)
  }

  /** There is a link. */
  flow(link: BusLink): void {
    this.#publications.flow(link)
  }

  /** There is none, or none to trust. */
  hold(): void {
    this.#publications.hold()
  }

  /** Resolves when all has settled and every stream has told where it ended. */
  async finish(): Promise<void> {
    await this.#publications.settled()
    this.#mark(0)
    await this.#publications.settled()
  }

  /** Rejects what is open. */
  close(): void {
    this.#marking.stop()
    this.#publications.close()
    this.#streams.clear()
  }

  #send(subject: string, partAt: (position: Position) => Part): Promise<void> {
    const { settings, nodeId, maxBytes } = this.#parts
    const { clock, markMs } = settings
    const now = clock.now()
    const position = this.#streams.next(subject, now, isMarked(subject))
    const bytes = encodeEnvelope(nodeId, now, partAt(position))
    if (!this.#marking.isArmed && this.#streams.hasUnmarked) this.#marking.start(markMs)
    const isTooLarge = maxBytes !== false && bytes.byteLength > maxBytes
    const taken = isTooLarge
      ? Promise.reject(tooLarge("the adapter", bytes.byteLength, maxBytes))
      : this.#publications.add(subject, bytes, now)
    return taken.then(this.#published, this.#rejected)
  }

  readonly #published = (): void => {
    this.#parts.counters.published += 1
  }

  readonly #rejected = (error: unknown): never => {
    this.#parts.counters.rejected += 1
    throw error
  }

  #mark(quietMs: number): void {
    const { settings, nodeId } = this.#parts
    const now = settings.clock.now()
    for (const { subject, ...mark } of this.#streams.takeMarks(now, quietMs)) {
      const bytes = encodeEnvelope(nodeId, now, { kind: "mark", ...mark })
      // told twice, and again to whoever comes back
      this.#publications.add(subject, bytes, now).catch(() => {})
    }
    if (this.#streams.hasUnmarked) this.#marking.start(settings.markMs)
  }

  /** Leaves now or never; a link that does not take it shows that in other ways. */
  #whisper(link: BusLink, subject: string, part: Part): void {
    const bytes = encodeEnvelope(this.#parts.nodeId, this.#parts.settings.clock.now(), part)
    void (async () => link.publish(subject, bytes))().catch(() => {})
  }
}

/** Operations are answered, and lost ones noticed by whoever waits for the answer. */
function isMarked(subject: string): boolean {
  return channelOf(subject) !== undefined
}
