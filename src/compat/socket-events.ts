/**
 * The event objects of a drop-in `WebSocket`: the platform's own classes, or stand-ins where it has none.
 * It knows what an event says, and not when it is told.
 */

import { hasErrorCode } from "../core/errors.js"

/** How a connection ended, in the words of a `close` event. */
export interface CloseDetails {
  /** The close code; 1006 when there was no close frame, or no connection at all. */
  readonly code: number
  /** The reason in the close frame. */
  readonly reason: string
  /** Whether the closing handshake was completed. */
  readonly wasClean: boolean
}

/** A connection, or an attempt at one, has ended. */
export interface CloseEvent extends Event, CloseDetails {}

/** Something failed. Browsers say nothing about it; here `error` has the cause. */
export interface ErrorEvent extends Event {
  /** What went wrong in words; `TIMEOUT` when an attempt took too long. */
  readonly message: string
  /** What went wrong; an attempt that failed has a `ConnectError`. */
  readonly error: unknown
}

/** The events of a `WebSocket`. */
export interface WebSocketEventMap {
  /** The connection is open; comes again after each reconnection. */
  open: Event
  /** A message came in. */
  message: MessageEvent
  /** Something failed; a `close` follows. */
  error: ErrorEvent
  /** A connection was lost, an attempt failed, or this socket was closed. */
  close: CloseEvent
}

/** What a `close` event says when nobody said goodbye (RFC 6455, section 7.1.5). */
export const ABNORMAL: CloseDetails = Object.freeze({ code: 1006, reason: "", wasClean: false })

/** A new `open` event. */
export function openEvent(): Event {
  return new Event("open")
}

/** A new `message` event from the server at this origin. */
export function messageEvent(data: unknown, origin: string): MessageEvent {
  return make("MessageEvent", "message", { data, origin })
}

/** A new `error` event. */
export function errorEvent(error: unknown): ErrorEvent {
  const said = error instanceof Error ? error.message : String(error)
  // the word that handlers written for other reconnecting sockets compare with
  const message = hasErrorCode(error, "CONNECT_TIMEOUT") ? "TIMEOUT" : said
  return make("ErrorEvent", "error", { message, error })
}

/** A new `close` event. */
export function closeEvent({ code, reason, wasClean }: CloseDetails): CloseEvent {
  return make("CloseEvent", "close", { code, reason, wasClean })
}

/** Stands in for an event class that the platform lacks: `CloseEvent` and `ErrorEvent` in Node 20 and 22. */
class PlainEvent extends Event {
  constructor(type: string, fields: object) {
    super(type)
    Object.assign(this, fields)
  }
}

type EventClass = new (type: string, fields: object) => Event

/** Looked up at each event: a test environment may put its globals in place after this file was read. */
function make<E extends Event>(name: string, type: string, fields: object): E {
  const Native: EventClass | undefined = Reflect.get(globalThis, name)
  return new (Native ?? PlainEvent)(type, fields) as E
}
