/**
 * What a `WebSocket` looks like to those who listen to it: its constants, its `on…` attributes, its listeners.
 * It knows no connection; whoever extends it dispatches the events.
 */

import { CLOSED, CLOSING, OPEN } from "../wire/socket.js"
import { type EventHandler, EventHandlerSlot } from "./event-handler.js"
import type { CloseEvent, ErrorEvent, WebSocketEventMap } from "./socket-events.js"

/** `readyState` of a socket that is being dialled. */
export const CONNECTING = 0

/** A listener of one kind of event. Compared as a method is, so that one typed for a plain `WebSocket` fits. */
export type SocketListener<E extends Event> =
  | EventHandler<E>
  | {
      /** Takes one event. */
      handleEvent(event: E): void
    }

/** How to listen; see `EventTarget.addEventListener`. */
export interface SocketListenerOptions {
  /** Makes no difference here, but belongs to what `removeEventListener` looks for. */
  readonly capture?: boolean
  /** Whether to hear one event only. */
  readonly once?: boolean
  /** Makes no difference here. */
  readonly passive?: boolean
  /** Ends the listening when it is aborted. */
  readonly signal?: AbortSignal
}

/** The listening half of a `WebSocket`. */
export class WebSocketTarget extends EventTarget {
  readonly #open = new EventHandlerSlot<Event>(this, "open")
  readonly #message = new EventHandlerSlot<MessageEvent>(this, "message")
  readonly #error = new EventHandlerSlot<ErrorEvent>(this, "error")
  readonly #close = new EventHandlerSlot<CloseEvent>(this, "close")

  /** A connection is being made. */
  static get CONNECTING(): 0 {
    return CONNECTING
  }

  /** Messages flow. */
  static get OPEN(): 1 {
    return OPEN
  }

  /** The closing handshake runs. */
  static get CLOSING(): 2 {
    return CLOSING
  }

  /** There is no connection: it waits for the next attempt, or it has ended. */
  static get CLOSED(): 3 {
    return CLOSED
  }

  /** A connection is being made. */
  get CONNECTING(): 0 {
    return CONNECTING
  }

  /** Messages flow. */
  get OPEN(): 1 {
    return OPEN
  }

  /** The closing handshake runs. */
  get CLOSING(): 2 {
    return CLOSING
  }

  /** There is no connection: it waits for the next attempt, or it has ended. */
  get CLOSED(): 3 {
    return CLOSED
  }

  /** Called at each open. */
  get onopen(): EventHandler<Event> {
    return this.#open.handler
  }

  /** Replaces the handler, which keeps its place among the listeners; `null` removes it. */
  set onopen(handler: EventHandler<Event>) {
    this.#open.handler = handler
  }

  /** Called with each message. */
  get onmessage(): EventHandler<MessageEvent> {
    return this.#message.handler
  }

  /** Replaces the handler, which keeps its place among the listeners; `null` removes it. */
  set onmessage(handler: EventHandler<MessageEvent>) {
    this.#message.handler = handler
  }

  /** Called when a connection or an attempt fails, right before `close`. */
  get onerror(): EventHandler<Event> {
    // read as what a plain `WebSocket` has, so that this stands where one is wanted
    return this.#error.handler as EventHandler<Event>
  }

  /** Replaces the handler, which keeps its place among the listeners; `null` removes it. */
  set onerror(handler: EventHandler<ErrorEvent>) {
    this.#error.handler = handler
  }

  /** Called when a connection is lost, an attempt fails, or the socket was closed. */
  get onclose(): EventHandler<CloseEvent> {
    return this.#close.handler
  }

  /** Replaces the handler, which keeps its place among the listeners; `null` removes it. */
  set onclose(handler: EventHandler<CloseEvent>) {
    this.#close.handler = handler
  }

  /** Listens; see `EventTarget.addEventListener`. */
  override addEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: SocketListener<WebSocketEventMap[Type]>,
    options?: boolean | SocketListenerOptions,
  ): void
  /** Listens; see `EventTarget.addEventListener`. */
  override addEventListener(
    type: string,
    listener: SocketListener<Event>,
    options?: boolean | SocketListenerOptions,
  ): void
  override addEventListener(
    type: string,
    listener: SocketListener<never>,
    options?: boolean | SocketListenerOptions,
  ): void {
    super.addEventListener(type, listener as SocketListener<Event>, options)
  }

  /** Undoes `addEventListener`. */
  override removeEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: SocketListener<WebSocketEventMap[Type]>,
    options?: boolean | SocketListenerOptions,
  ): void
  /** Undoes `addEventListener`. */
  override removeEventListener(
    type: string,
    listener: SocketListener<Event>,
    options?: boolean | SocketListenerOptions,
  ): void
  override removeEventListener(
    type: string,
    listener: SocketListener<never>,
    options?: boolean | SocketListenerOptions,
  ): void {
    super.removeEventListener(type, listener as SocketListener<Event>, options)
  }
}
