/**
 * What a broker has to offer so that a relay can make an adapter of it. Types only: subjects and bytes, no rooms, no
 * sequences, no retries.
 *
 * A bus is a way to open links. A link
 *
 * - MUST resolve `subscribe` only once the broker has confirmed it, and MUST be idempotent in both directions.
 * - MUST keep the order of its own publications to one subject.
 * - MUST take any subject of up to 1,040 bytes of UTF-8, and give it back unchanged.
 * - MUST NOT keep anything for later: what cannot leave now is rejected.
 * - MUST NOT reconnect by itself. It says `down` once, and the relay opens another.
 * - MUST deliver its own publications too, where it is subscribed: that is how a node finds out that it is deaf.
 * - MAY deliver twice, and MAY deliver more than was asked for: the relay sorts that out.
 */

import type { MaybePromise } from "../core/types.js"
import type { RelaySettings } from "./relay-options.js"

/** What a broker can do. */
export interface BusCapabilities {
  /** Whether a node gets only what it subscribed to, or everything. */
  readonly interest: "channel" | "all"
  /** The largest message in bytes, envelope included; `false` where there is no limit. */
  readonly maxPayloadBytes: number | false
}

/** What a link tells. */
export interface BusEvents {
  /** A message came in. The bytes are the relay's from then on. */
  message(subject: string, bytes: Uint8Array): void
  /** The broker gave up subscriptions while the link stands: a slot has moved, a reader was too slow. */
  lost(subjects: readonly string[] | "all", reason: string): void
  /** The link is dead. Nothing may follow. */
  down(error: unknown): void
}

/** One connection to a broker, or a set of connections that live and die together. */
export interface BusLink {
  /** Asks for subjects. Resolves once everything published from then on will arrive. */
  subscribe(subjects: readonly string[]): MaybePromise<void>
  /** Wants subjects no longer. */
  unsubscribe(subjects: readonly string[]): MaybePromise<void>
  /**
   * Resolves when the broker took it, to whatever it said. Rejects when it did not, or when that cannot be known; with
   * `PAYLOAD_TOO_LARGE` where the broker takes less than the bus was told.
   */
  publish(subject: string, bytes: Uint8Array): MaybePromise<unknown>
  /** Ends everything this link made, whatever state it is in, and never waits for an answer of the broker. */
  close(): MaybePromise<void>
}

/** How a link is wanted. */
export interface BusOpening {
  /** Aborted when nobody waits for the link any more. */
  readonly signal: AbortSignal
  /** Whether nothing will ever be subscribed. */
  readonly isPublisher: boolean
  /** What the line of the link goes by. */
  readonly settings: RelaySettings
}

/** A broker, as a relay sees it. */
export interface Bus {
  /** What it is called in messages, such as `redis`. */
  readonly name: string
  /** What it can do. */
  readonly capabilities: BusCapabilities
  /** Opens a link. Rejects when the broker cannot be reached; the relay tries again. */
  open(events: BusEvents, opening: BusOpening): Promise<BusLink>
}
