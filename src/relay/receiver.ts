/**
 * The way in: what other nodes published, once each and in time, and what is known not to have come.
 */

import type { Writable } from "../core/types.js"
import type { AdapterContext, AdapterCounters } from "../hub/adapter.js"
import {
  decodeEnvelope,
  type Envelope,
  isProbe,
  type MarkPart,
  type PayloadPart,
  type Position,
} from "./envelope.js"
import { Inflow } from "./inflow.js"
import type { Interest } from "./interest.js"
import { Lateness } from "./lateness.js"
import { Positions } from "./positions.js"
import type { RelaySettings } from "./relay-options.js"
import { channelOf } from "./subjects.js"

/** How often nodes that are gone are forgotten, in milliseconds. */
const SWEEP_MS = 60_000

/** What a receiver works with. */
export interface ReceiverParts {
  readonly settings: RelaySettings
  readonly context: AdapterContext
  readonly interest: Interest
  readonly counters: Writable<AdapterCounters>
  /** This node's own question came back. */
  readonly answered: () => void
  /** A node has a new link. */
  readonly greeted: () => void
}

interface Incoming {
  readonly subject: string
  readonly bytes: Uint8Array
}

/** Takes what the broker brings. */
export class Receiver {
  readonly #parts: ReceiverParts
  readonly #inflow: Inflow<Incoming>
  readonly #positions = new Positions()
  readonly #lateness: Lateness
  #sweptAt = 0
  #deliveredAt: number | undefined

  constructor(parts: ReceiverParts) {
    this.#parts = parts
    const { clock, maxInflow, maxAgeMs } = parts.settings
    this.#inflow = new Inflow(clock, maxInflow, (item) => this.#read(item))
    this.#lateness = new Lateness(maxAgeMs)
  }

  /** When something was handed to the hub for the last time. */
  get deliveredAt(): number | undefined {
    return this.#deliveredAt
  }

  /** Takes one message. Never throws. */
  take(subject: string, bytes: Uint8Array): void {
    // an answer must not wait behind what it asks about
    if (isProbe(bytes)) this.#read({ subject, bytes })
    else if (!this.#inflow.push({ subject, bytes })) this.#parts.counters.overflowed += 1
  }

  /** Messages of subjects did not come, nobody knows how many. */
  missed(subjects: readonly string[] | "all", reason: string): void {
    const channels = subjects === "all" ? subjects : subjects.flatMap((subject) => channelOf(subject) ?? [])
    if (channels.length > 0) this.#tell(() => this.#parts.context.onGap({ channels, reason }))
  }

  /** Subjects are wanted no longer. */
  forget(subjects: readonly string[]): void {
    for (const subject of subjects) this.#positions.forget(subject)
  }

  /** Forgets everything. */
  close(): void {
    this.#inflow.clear()
    this.#positions.clear()
    this.#lateness.clear()
  }

  #read({ subject, bytes }: Incoming): void {
    try {
      const envelope = decodeEnvelope(bytes)
      if (envelope) this.#sort(subject, envelope)
      else this.#parts.counters.unreadable += 1
    } catch (err) {
      this.#parts.counters.unreadable += 1
      this.#parts.context.logger.debug(
        { err, bytes: bytes.byteLength },
        "a message of the broker cannot be read",
      )
    }
  }

  #sort(subject: string, { nodeId, sentAt, part }: Envelope): void {
    const { context, interest, settings } = this.#parts
    if (nodeId === context.nodeId) {
      if (part.kind === "probe") this.#parts.answered()
      return
    }
    if (!interest.has(subject)) return
    const now = settings.clock.now()
    const isLate = this.#lateness.isLate(nodeId, sentAt, now)
    this.#sweep(now)
    if (part.kind === "hello") this.#parts.greeted()
    else if (part.kind === "mark") this.#mark(subject, nodeId, part)
    else if (part.kind === "payload") this.#payload(subject, nodeId, part, isLate)
    else if (part.kind === "operation" && this.#isNew(subject, nodeId, part) && !isLate) {
      this.#tell(() => context.onOperation(nodeId, part.operation, part.bytes))
    }
  }

  #payload(subject: string, nodeId: string, part: PayloadPart, isLate: boolean): void {
    const { context, counters, settings } = this.#parts
    const channel = channelOf(subject)
    if (channel === undefined || !this.#isNew(subject, nodeId, part)) return
    if (isLate) {
      counters.late += 1
      this.#lost(subject, 1, "older than may be delivered")
      return
    }
    const { payload, exceptIds, exceptChannels } = part
    counters.delivered += 1
    this.#deliveredAt = settings.clock.now()
    this.#tell(() => context.onMessage({ channel, payload, exceptIds, exceptChannels, nodeId }))
  }

  #isNew(subject: string, nodeId: string, position: Position): boolean {
    const { isNew, missed } = this.#positions.arrive(subject, nodeId, position)
    if (isNew) this.#lost(subject, missed, "missing in the sequence")
    else this.#parts.counters.duplicates += 1
    return isNew
  }

  #mark(subject: string, nodeId: string, mark: MarkPart): void {
    const { interest, settings } = this.#parts
    const since = interest.confirmedSince(subject)
    const confirmedMs = since === undefined ? 0 : settings.clock.now() - since
    const missed = this.#positions.mark(subject, nodeId, mark, mark.ageMs, confirmedMs)
    this.#lost(subject, missed, "missing at the end of the sequence")
  }

  #lost(subject: string, count: number, reason: string): void {
    const channel = channelOf(subject)
    if (count === 0 || channel === undefined) return
    this.#parts.counters.lost += count
    this.#tell(() => this.#parts.context.onGap({ channels: [channel], reason, count }))
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = now
    for (const nodeId of this.#lateness.sweep(now)) this.#positions.forgetNode(nodeId)
  }

  /** What the hub's own code throws must not look like a bad message. */
  #tell(news: () => void): void {
    try {
      news()
    } catch (err) {
      this.#parts.context.logger.error({ err }, "the hub threw at what its adapter told it")
    }
  }
}
