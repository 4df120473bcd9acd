/**
 * The types of requests: how they are made, what they can be sent over, and what many answer. Nothing here exists at run
 * time.
 */

import type { ErrorEvent } from "../core/emitter.js"
import type { Logger } from "../core/logger.js"
import type { Clock } from "../core/timer.js"
import type { Framing, RefusalEnvelope, ReplyEnvelope } from "./framing.js"

/** How requests are made. */
export interface RequestsOptions<Key extends string = string> {
  /** The field that holds a message's type. @defaultValue "type" */
  readonly discriminator?: Key
  /** How messages say what they are, in place of `discriminator`: `jsonRpc()`, or your own. @defaultValue tagged() */
  readonly framing?: Framing<Key>
  /** How long an answer may take, in milliseconds, unless a request says otherwise. @defaultValue 10_000 */
  readonly timeoutMs?: number
  /** How many requests may wait for one peer. One more is rejected with a `QueueFullError`. @defaultValue 1_024 */
  readonly maxPending?: number
  /** Takes what nobody listens to; `false` for silence. @defaultValue warnings and errors to the console */
  readonly logger?: Logger | false
  /** Where time comes from. @defaultValue the platform's */
  readonly clock?: Clock
}

/** How one request is made. */
export interface RequestOptions {
  /** How long the answer may take, in milliseconds, time in a client's queue included. @defaultValue that of `createRequests` */
  readonly timeoutMs?: number
  /** Gives the request up: it rejects with the code `ABORTED`, and does not leave if it has not left. @defaultValue none */
  readonly signal?: AbortSignal
  /**
   * Whether a client may send it again on its next connection when the one before ended without an answer. The server may
   * then carry it out twice.
   * @defaultValue false
   */
  readonly idempotent?: boolean
}

/** What {@link Requests} tell. */
export interface RequestsEvents {
  /** A reply came that nobody waits for: it is late, doubled, or was never asked for. */
  unmatched: {
    /** Who sent it. */
    readonly peer: unknown
    /** The reply. */
    readonly reply: ReplyEnvelope | RefusalEnvelope
  }
  /** A listener failed. */
  error: ErrorEvent
}

/** What a request can be sent over: a connection, or a client. */
export interface RequestPeer {
  /** Where it stands. */
  readonly state: string
  /** Sends a message. */
  send(message: never): unknown
  /** Listens. */
  on(event: never, listener: never): unknown
}

/** Many connections at once: what `hub.to(room)` and its kin are. */
export interface RequestSelection {
  /** The connections of this node that are meant at this moment. */
  readonly connections: readonly (RequestPeer & {
    /** Its name. */
    readonly id: string
  })[]
  /** The same, only on this node. */
  readonly local: {
    /** Sends a message to all of them. */
    send(message: never): unknown
  }
}

/** What one of many answered. */
export interface NamedReply<Reply> {
  /** The id of its connection. */
  readonly id: string
  /** Its answer. */
  readonly reply: Reply
}

/** Who of many gave no answer. */
export interface MissingReply {
  /** The id of its connection. */
  readonly id: string
  /** Why: it refused, left, or is late. */
  readonly error: unknown
}

/** What many answered. */
export interface Gathered<Reply> {
  /** The answers. */
  readonly replies: readonly NamedReply<Reply>[]
  /** Those without one. */
  readonly missing: readonly MissingReply[]
}

/** Whatever takes messages. */
export interface Recipient<Message> {
  /** Sends it one. */
  send(message: Message, ...rest: never[]): unknown
}

/** What a peer can be sent. */
export type SentTo<Peer> = Peer extends Recipient<infer Message> ? Message : never
