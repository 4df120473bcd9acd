/**
 * What a hub tells. Types only.
 */

import type { ErrorEvent } from "../core/emitter.js"
import type { Lag } from "../wire/backlog.js"
import type { CloseInfo } from "../wire/connection-events.js"
import type { AdapterGap, AdapterState } from "./adapter.js"
import type { HubConnection } from "./hub-connection.js"

/** What a hub tells. Each event of a connection comes here too, with the connection it belongs to. */
export interface HubEvents<Incoming, Outgoing, Data> {
  /** A connection was added. */
  connection: {
    /** The connection it is about. */
    readonly connection: HubConnection<Incoming, Outgoing, Data>
  }
  /** A message came in. While `concurrency` async listeners are busy with one connection, its reading is paused. */
  message: {
    /** The connection it is about. */
    readonly connection: HubConnection<Incoming, Outgoing, Data>
    /** The message, decoded. */
    readonly data: Incoming
  }
  /** A connection ended. It is still in its rooms while this is emitted. */
  close: CloseInfo & {
    /** The connection it is about. */
    readonly connection: HubConnection<Incoming, Outgoing, Data>
  }
  /** A slow reader lost messages. */
  lagged: Lag & {
    /** The connection it is about. */
    readonly connection: HubConnection<Incoming, Outgoing, Data>
  }
  /** A login ends in 30 s, or sooner where it was shorter than that: `connection.renew` puts the end off. */
  expiring: {
    /** The connection it is about. */
    readonly connection: HubConnection<Incoming, Outgoing, Data>
    /** When it ends, in milliseconds since 1970. */
    readonly expiresAt: number
  }
  /** A connection joined a room. */
  join: {
    /** The connection it is about. */
    readonly connection: HubConnection<Incoming, Outgoing, Data>
    /** The room. */
    readonly room: string
  }
  /** A connection left a room, by itself or by its end. */
  leave: {
    /** The connection it is about. */
    readonly connection: HubConnection<Incoming, Outgoing, Data>
    /** The room. */
    readonly room: string
  }
  /** A room has its first member on this node. */
  "room-created": {
    /** The room. */
    readonly room: string
  }
  /** A room has no member on this node any more. */
  "room-deleted": {
    /** The room. */
    readonly room: string
  }
  /** The adapter's state changed. */
  adapter: {
    /** The new state. */
    readonly state: AdapterState
  }
  /** Another node is there, or is not any more: it said goodbye, or nothing for six seconds. */
  node: {
    /** Its name. */
    readonly nodeId: string
    /** What is new about it. */
    readonly state: "up" | "down"
  }
  /** Messages of other nodes did not arrive. */
  gap: AdapterGap
  /** Something failed that no listener of a connection heard. Stages: `decode`, `listener`, `socket`, `adapter`. */
  error: HubErrorEvent<Incoming, Outgoing, Data>
}

/** What failed, and with which connection, where it was about one. */
export interface HubErrorEvent<Incoming, Outgoing, Data> extends ErrorEvent {
  /** The connection whose event was being handled. */
  readonly connection?: HubConnection<Incoming, Outgoing, Data> | undefined
}
