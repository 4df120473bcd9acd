/**
 * The contract between a hub and whatever carries messages to the hubs of other processes. Prose and types only:
 * `memory-adapter` is the implementation to read first.
 *
 * A hub turns each room, each user and "everybody" into a channel. An adapter moves payloads along channels and
 * knows nothing else: no sockets, no rooms, no codecs. Local members are served by the hub itself, before and
 * regardless of the adapter.
 *
 * An adapter
 *
 * - MUST deliver every payload that other nodes publish to a channel this node is subscribed to, verbatim.
 * - MUST NOT deliver this node's own payloads back to it.
 * - MUST keep the order of one publisher within one channel, where `capabilities.order` says so.
 * - MUST treat channel names as opaque: any string of up to 1,024 bytes of UTF-8.
 * - MUST resolve `subscribe` only once payloads published from then on will arrive.
 * - MUST settle `publish` within a second, and reject rather than keep a payload for later.
 * - SHOULD carry out a subscription that it could not confirm in time as soon as its engine allows, unless it is wanted
 *   no longer. Its promise may have been rejected by then.
 * - MUST report a hole it knows of through `onGap`, and every change of its own state through `onState`.
 * - MUST NOT throw from a callback's absence, a malformed message or a lost connection: it counts, logs, and goes on.
 * - MUST NOT end a client that was handed to it by the user.
 */

import type { Logger } from "../core/logger.js"
import type { MaybePromise, Payload } from "../core/types.js"

/** What an adapter's engine can do. The hub refuses options that need more. */
export interface AdapterCapabilities {
  /** Whether a node gets only the channels it subscribed to, or everything. */
  readonly interest: "channel" | "all"
  /** Whether payloads of one publisher arrive in the order they were published. */
  readonly order: "publisher" | "none"
  /** Whether past payloads can be read again. */
  readonly history: boolean
  /** Whether the engine keeps track of who is present. */
  readonly presence: boolean
  /** The largest payload in bytes; `false` where there is no limit. */
  readonly maxPayloadBytes: number | false
}

/** How an adapter stands with its engine. `degraded`: connected, and something is known to be wrong. */
export type AdapterState = "connecting" | "up" | "degraded" | "down"

/** What goes with a payload from node to node. */
export interface PublishMeta {
  /** Ids of connections that do not get it. */
  readonly exceptIds: readonly string[]
  /** Members of these channels do not get it. */
  readonly exceptChannels: readonly string[]
}

/** One payload from another node. */
export interface AdapterMessage extends PublishMeta {
  /** The channel it was published to. */
  readonly channel: string
  /** One encoded message: a string for a text frame, bytes for a binary frame. */
  readonly payload: Payload
  /** The node it comes from. */
  readonly nodeId: string
}

/** Payloads that did not arrive. */
export interface AdapterGap {
  /** The channels concerned, or all of them. */
  readonly channels: readonly string[] | "all"
  /** What happened, in a few words. */
  readonly reason: string
  /** How many payloads, where that is known. */
  readonly count?: number
}

/** What a hub gives an adapter to work with. */
export interface AdapterContext {
  /** This node's name: random for each start. */
  readonly nodeId: string
  /** Takes payloads of other nodes. */
  readonly onMessage: (message: AdapterMessage) => void
  /** Takes operations that other nodes sent with {@link Adapter.send}. */
  readonly onOperation: (nodeId: string, operation: string, bytes: Uint8Array) => void
  /** Hears of every change of state. */
  readonly onState: (state: AdapterState) => void
  /** Hears of payloads that did not arrive. */
  readonly onGap: (gap: AdapterGap) => void
  /** Whether this is no node: it only publishes, subscribes to nothing and hears of nobody. @defaultValue false */
  readonly isPublisher?: boolean
  /** Takes what is worth a line. */
  readonly logger: Logger
  /** Aborted when the hub closes. */
  readonly signal: AbortSignal
}

/** What an adapter has counted since it was made. */
export interface AdapterCounters {
  /** Publications that the engine took. */
  readonly published: number
  /** Publications that were rejected. */
  readonly rejected: number
  /** Payloads handed to the hub. */
  readonly delivered: number
  /** Payloads known not to have arrived: the sum of the counts of all gaps. */
  readonly lost: number
  /** Payloads that came a second time and were dropped. */
  readonly duplicates: number
  /** Payloads that came too late and were dropped; they are in `lost`. */
  readonly late: number
  /** Messages dropped because the buffer was full. */
  readonly overflowed: number
  /** Messages that could not be read, or were of a version this node does not know. */
  readonly unreadable: number
  /** How often the way to the engine was opened anew. */
  readonly reconnects: number
}

/** How an adapter is. */
export interface AdapterHealth {
  /** Its state. */
  readonly state: AdapterState
  /** Milliseconds since something came in; `undefined` when nothing has. */
  readonly lastDeliveryMs?: number
  /** Payloads accepted and not yet handed to the engine. */
  readonly pendingPublishes: number
  /** Channels subscribed to. */
  readonly subscriptions: number
  /** The last thing that went wrong. */
  readonly lastError?: unknown
  /** What it has counted. */
  readonly counters?: AdapterCounters
}

/** Carries payloads between hubs. See the top of this file for what one must and must not do. */
export interface Adapter {
  /** What its engine can do. */
  readonly capabilities: AdapterCapabilities
  /** Whether there can be no other node; the hub then publishes nothing. @defaultValue false */
  readonly isAlone?: boolean
  /** Starts; resolves when usable. May be called again after {@link Adapter.close}. */
  connect(context: AdapterContext): MaybePromise<void>
  /** Asks for channels. Idempotent. */
  subscribe(channels: readonly string[]): MaybePromise<void>
  /** Wants channels no longer. Idempotent. */
  unsubscribe(channels: readonly string[]): MaybePromise<void>
  /** Hands a payload to every other node that wants the channel. */
  publish(channel: string, payload: Payload, meta: PublishMeta): MaybePromise<void>
  /** Sends an operation to one node, or to all others with `"*"`: counts, lists, bulk changes. */
  send(nodeId: string, operation: string, bytes: Uint8Array): MaybePromise<void>
  /** How it is. Never throws, never waits. */
  health(): AdapterHealth
  /** Hands over what it accepted, for `deadlineMs` at most, and stops. */
  close(options: { readonly deadlineMs: number }): MaybePromise<void>
}
