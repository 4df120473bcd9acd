/**
 * One connection, dialled once: open, or an error that says why not. It never dials again; for that there are
 * `ReconnectingClient`, which heals one connection, and `ConnectionPool`, which opens new ones.
 */

import { checkFunction, checkMs, type Given, reject } from "../core/options.js"
import { Connection } from "./connection.js"
import { type ConnectionOptions, resolveConnection } from "./connection-options.js"
import { checkNode, checkUrl, type PerDial } from "./dial-request.js"
import { clockOf, type NodeOptions } from "./node-options.js"
import { type OpeningRequest, openSocket } from "./opening.js"
import type { WebSocketConstructor } from "./socket.js"

/** How a connection is dialled, and what it is like. */
export interface DialOptions<Incoming = unknown, Outgoing = unknown>
  extends ConnectionOptions<Incoming, Outgoing> {
  /** Subprotocols to offer; a function is asked once per dial. @defaultValue none */
  readonly protocols?: PerDial<string | readonly string[]>
  /** How long a dial may take, the `url` function included, in milliseconds. @defaultValue 10_000 */
  readonly connectTimeoutMs?: number
  /** Gives the dial up when aborted; an open connection does not hear it. @defaultValue none */
  readonly signal?: AbortSignal
  /** What only the `ws` package can do: headers, agents, certificates. @defaultValue none */
  readonly node?: NodeOptions
  /** The constructor to use instead of the platform's. @defaultValue `ws` in Node, the native one in browsers */
  readonly WebSocket?: WebSocketConstructor
}

/** {@link DialOptions} with everything decided, but for the signal. */
export interface DialSettings<Incoming, Outgoing> extends OpeningRequest {
  /** What every connection is made with: the same object for all, so that they share one flusher. */
  readonly connection: ConnectionOptions<Incoming, Outgoing>
}

/**
 * Opens one connection.
 *
 * @param url - Where to dial: a string, a `URL`, or a function, which may be async.
 * @throws InvalidOptionError with the value received.
 * @throws ConnectError with code `CONNECT_FAILED`, `CONNECT_TIMEOUT`, `INVALID_ADDRESS` or `NO_WEBSOCKET`.
 * @throws HoldfastError with code `ABORTED`.
 *
 * @example
 * await using connection = await dial<Incoming, Outgoing>("wss://api.example/ws", { signal })
 * connection.send({ type: "hello" })
 * for await (const message of connection) render(message)
 */
export async function dial<Incoming = unknown, Outgoing = unknown, Data = unknown>(
  url: PerDial<string | URL>,
  options: Given<DialOptions<Incoming, Outgoing>> = {},
): Promise<Connection<Incoming, Outgoing, Data>> {
  const settings = resolveDial(url, options, "dial")
  const context = { attempt: 0, signal: options.signal }
  return openSocket(settings, context, (socket) => new Connection(socket, {}, settings.connection))
}

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolveDial<Incoming, Outgoing>(
  url: PerDial<string | URL>,
  options: Given<DialOptions<Incoming, Outgoing>>,
  path: string,
): DialSettings<Incoming, Outgoing> {
  if (typeof options !== "object" || options === null) reject(path, "an object", options)
  const { protocols, connectTimeoutMs = 10_000, signal, node, WebSocket, ...connection } = options
  checkSignal(`${path}.signal`, signal)
  const own = connection as ConnectionOptions<Incoming, Outgoing>
  const shared = { ...own, clock: own.clock ?? clockOf(node) }
  const { clock } = resolveConnection(shared, path)
  return {
    url: checkUrl(url),
    protocols,
    node: checkNode(`${path}.node`, node, checkFunction(`${path}.WebSocket`, WebSocket)),
    WebSocket,
    connectTimeoutMs: checkMs(`${path}.connectTimeoutMs`, connectTimeoutMs, 1),
    clock,
    connection: shared,
  }
}

/**
 * Checks that something can be aborted.
 * @throws InvalidOptionError with the value received.
 */
export function checkSignal(path: string, signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined || typeof signal?.addEventListener === "function") return signal
  return reject(path, "an AbortSignal", signal)
}
