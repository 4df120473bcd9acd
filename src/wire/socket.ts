/**
 * The seam between this library and whatever opens and carries a WebSocket: `ws` in Node, the platform's own in
 * browsers, Deno and Bun, an in-memory pair in tests. It knows how to listen and how to end; it knows no messages.
 */

import isomorphicWebSocket from "isomorphic-ws"
import { ABNORMAL, isSendableCloseCode } from "../core/close-codes.js"
import type { Payload, Unsubscribe } from "../core/types.js"

/** `readyState` of a socket that is open (WHATWG WebSockets, section 3.1). */
export const OPEN = 1
/** `readyState` of a socket whose closing handshake has begun. */
export const CLOSING = 2
/** `readyState` of a socket that has ended. */
export const CLOSED = 3

/**
 * What the library needs of a WebSocket. A `ws` socket, a browser's `WebSocket` and the sockets of Deno and Bun
 * all fit as they are. The optional members are used where they exist.
 */
export interface SocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number
  /** Bytes accepted by `send` that have not left this process. */
  readonly bufferedAmount: number
  /** The subprotocol that was agreed on; empty for none. */
  readonly protocol?: string
  /** The extensions that were agreed on, as in the header of the handshake. `ws` leaves out their parameters. */
  readonly extensions?: string
  /** How binary messages are handed over. */
  binaryType?: string
  /** Sends one message: a string as a text frame, bytes as a binary frame. */
  send(data: string | Uint8Array): void
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void
  /** WHATWG style of listening. */
  addEventListener?(type: string, listener: (event: unknown) => void): void
  /** Undoes {@link SocketLike.addEventListener}. */
  removeEventListener?(type: string, listener: (event: unknown) => void): void
  /** Node style of listening; preferred where both exist. */
  on?(event: string, listener: (...args: unknown[]) => void): unknown
  /** Undoes {@link SocketLike.on}. */
  off?(event: string, listener: (...args: unknown[]) => void): unknown
  /** Sends a ping frame. Browsers have none. */
  ping?(data?: string | Uint8Array): void
  /** Ends the connection at once, without a closing handshake. */
  terminate?(): void
  /** Stops reading. */
  pause?(): void
  /** Reads on. */
  resume?(): void
}

/** Whether a socket and its peer may compress messages (RFC 7692). */
export function hasDeflate(socket: SocketLike): boolean {
  return /(^|,)\s*permessage-deflate\s*([;,]|$)/.test(socket.extensions ?? "")
}

/** A constructor of client sockets: the platform's `WebSocket`, or the `ws` package's. */
export type WebSocketConstructor = new (
  url: string,
  protocols?: string | string[],
  options?: object,
) => SocketLike

/**
 * The `WebSocket` of this platform: the one given, or what `isomorphic-ws` finds (`ws` in Node, the native one in
 * browsers), or the global. `undefined` where there is none.
 */
export function findWebSocket(given?: WebSocketConstructor): WebSocketConstructor | undefined {
  return given ?? (isomorphicWebSocket as WebSocketConstructor | null | undefined) ?? globalThis.WebSocket
}

/** What {@link listen} reports. Each is called with plain values, whatever the socket's own event style is. */
export interface SocketEvents {
  /** The socket opened. Only client sockets report it. */
  open?(): void
  /** One whole message. Text may come as bytes of UTF-8 that the socket has already validated. */
  message(data: string | Uint8Array, isText: boolean): void
  /** A ping frame came in; the socket answers it itself. */
  ping?(): void
  /** A pong frame came in, with the payload of the ping it answers, read as text. */
  pong?(payload: string): void
  /** The socket ended. Code 1006 when there was no close frame. */
  close(code: number, reason: string): void
  /** Something failed. Most sockets report `close` after it, some never do. */
  error(error: unknown): void
  /** The server answered the handshake with something else than 101. Only `ws` can tell. */
  refused?(status: number, header: (name: string) => string | undefined): void
}

/** Listens to a socket of either style. Returns the undo; after it nothing is reported any more. */
export function listen(socket: SocketLike, events: SocketEvents): Unsubscribe {
  return typeof socket.on === "function" ? listenNode(socket, events) : listenWeb(socket, events)
}

/** Ends a socket at once where it can be, and otherwise starts to close it. Never throws. */
export function terminate(socket: SocketLike): void {
  if (socket.terminate) socket.terminate()
  else closeSocket(socket)
}

/**
 * Starts the closing handshake. Never throws: a code that this socket may not send (a browser sends 1000 and
 * 3000–4999 only) becomes a close without a code.
 */
export function closeSocket(socket: SocketLike, code?: number, reason?: string): void {
  try {
    if (code !== undefined && isSendableCloseCode(code)) socket.close(code, reason)
    else socket.close()
  } catch {
    socket.close()
  }
}

/** What a socket of Node's style hands over, whatever its `binaryType`. Text is asked about first: it is no `ArrayBuffer`. */
export function receivedPayload(data: Payload | ArrayBuffer, isBinary: boolean): Payload {
  return isBinary && data instanceof ArrayBuffer ? new Uint8Array(data) : (data as Payload)
}

type NodeListener = (...args: never[]) => void

/** The parts of Node's HTTP answer that a refusal is read from. */
interface Refusal {
  readonly statusCode?: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  resume(): void
}

function listenNode(socket: SocketLike, events: SocketEvents): Unsubscribe {
  const listeners: [string, NodeListener | undefined][] = [
    ["open", events.open && (() => events.open?.())],
    [
      "message",
      (data: string | Uint8Array | ArrayBuffer, isBinary: boolean) =>
        events.message(receivedPayload(data, isBinary), !isBinary),
    ],
    ["ping", events.ping && (() => events.ping?.())],
    ["pong", events.pong && ((payload: Uint8Array) => events.pong?.(String(payload)))],
    ["close", (code: number, reason: Uint8Array | string) => events.close(code, String(reason))],
    ["error", (error: unknown) => events.error(error)],
    [
      "unexpected-response",
      events.refused && ((_request: unknown, response: Refusal) => refuse(events, response)),
    ],
  ]
  const present = listeners.filter((it): it is [string, NodeListener] => it[1] !== undefined)
  for (const [event, listener] of present) socket.on?.(event, listener as never)
  return () => {
    for (const [event, listener] of present) socket.off?.(event, listener as never)
    // `ws` reports an error when a connecting socket is ended; unheard, Node would make a crash of it
    socket.on?.("error", () => {})
  }
}

function refuse(events: SocketEvents, response: Refusal): void {
  response.resume()
  events.refused?.(response.statusCode ?? 0, (name) => {
    const value = response.headers[name]
    return Array.isArray(value) ? value[0] : value
  })
}

function listenWeb(socket: SocketLike, events: SocketEvents): Unsubscribe {
  socket.binaryType = "arraybuffer"
  const listeners: [string, (event: never) => void][] = [
    ["open", () => events.open?.()],
    [
      "message",
      ({ data }: { data: string | ArrayBuffer | Uint8Array }) =>
        events.message(data instanceof ArrayBuffer ? new Uint8Array(data) : data, typeof data === "string"),
    ],
    // no browser tells of these two; Bun does
    ["ping", () => events.ping?.()],
    ["pong", ({ data }: { data: ArrayBuffer }) => events.pong?.(new TextDecoder().decode(data))],
    [
      "close",
      ({ code, reason }: { code: number; reason: string | undefined }) =>
        // Deno says 0 where there was no close frame, React Native nothing where there was no reason
        events.close(code || ABNORMAL, reason ?? ""),
    ],
    ["error", (event: unknown) => events.error((event as { error?: unknown }).error ?? event)],
  ]
  for (const [type, listener] of listeners) socket.addEventListener?.(type, listener as never)
  return () => {
    for (const [type, listener] of listeners) socket.removeEventListener?.(type, listener as never)
  }
}
