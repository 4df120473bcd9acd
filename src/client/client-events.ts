/**
 * What a reconnecting client tells about itself.
 */

import type { ErrorEvent } from "../core/emitter.js"
import type { DropReason } from "../wire/send-queue.js"
import type { ClientState } from "./client-state.js"
import type { LinkEnd } from "./link.js"
import type { EndCause } from "./reconnect-policy.js"

/** One step from state to state. */
export interface StateChange {
  /** Where the client was. */
  readonly from: ClientState
  /** Where it is. */
  readonly to: ClientState
  /** How many attempts have failed since the last stable connection. */
  readonly attempt: number
  /** When it dials again, in milliseconds since 1970; only in `waiting`. */
  readonly retryAt: number | undefined
  /** How the last attempt or connection ended; `undefined` before the first end. */
  readonly lastClose: LinkEnd | undefined
  /** Whether the client was open before. */
  readonly isReconnect: boolean
}

/** How a client ended for good. */
export interface ClientEnd {
  /** Why. */
  readonly cause: EndCause
  /** What went wrong, where something did. */
  readonly error: unknown
  /** How the last attempt or connection ended. */
  readonly lastClose: LinkEnd | undefined
  /** How many messages were not sent; `drainQueue()` has them. */
  readonly queued: number
}

/** The events of a client. */
export interface ClientEvents<Incoming, Outgoing> {
  /** One step from state to state. */
  state: StateChange
  /** A message came in. */
  message: {
    /** The message, decoded. */
    readonly data: Incoming
  }
  /**
   * Something failed, and the client goes on. Stages: `connect` (an attempt, the `url` function included), `socket`
   * (an open connection), `open` (the `onOpen` function), `decode`, `listener`.
   */
  error: ErrorEvent
  /** A message was given up before it was sent. */
  dropped: {
    /** The message as it was given to `send`. */
    readonly message: Outgoing
    /** Why. */
    readonly reason: DropReason
  }
  /**
   * A connection ended, and nothing proves that its last messages arrived: they were handed to the socket, and no ping
   * sent after them was answered. Told once per connection. They may have arrived, so they are not sent again.
   */
  unconfirmed: {
    /** How many messages. */
    readonly count: number
  }
  /** A ping was answered after so many milliseconds. */
  pong: {
    /** The round trip, in milliseconds. */
    readonly rttMs: number
  }
  /** The end. Comes once; nothing comes after it. */
  end: ClientEnd
}
