/**
 * A drop-in for `WebSocket`, reconnecting-websocket and partysocket: the platform's interface, plus reconnection.
 *
 * @module holdfast/compat
 */

export type { Options, ProtocolsProvider, UrlProvider } from "./compat/compat-options.js"
export type { EventHandler } from "./compat/event-handler.js"
export { ReconnectingWebSocket } from "./compat/reconnecting-websocket.js"
export type { BlobLike, Message, Sendable } from "./compat/send-order.js"
export type { CloseDetails, CloseEvent, ErrorEvent, WebSocketEventMap } from "./compat/socket-events.js"
export type { Subprotocols } from "./compat/socket-syntax.js"
export type { SocketListener, SocketListenerOptions, WebSocketTarget } from "./compat/websocket-target.js"
