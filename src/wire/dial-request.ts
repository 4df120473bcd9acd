/**
 * Where and how to dial: what may be asked anew for each attempt, and the socket that the answers make.
 * It does not know how long that may take, nor what becomes of the socket.
 */

import { ConnectError } from "../core/errors.js"
import { reject } from "../core/options.js"
import type { Clock } from "../core/timer.js"
import type { MaybePromise } from "../core/types.js"
import { handshakeOptions, type NodeOptions } from "./node-options.js"
import { findWebSocket, type SocketLike, type WebSocketConstructor } from "./socket.js"

/** What callbacks are told about the dial that they are asked for. */
export interface DialContext {
  /** How many dials have failed in a row; 0 for the first. */
  readonly attempt: number
  /** Aborted when the dial is given up: timed out, aborted, or the pool closed. */
  readonly signal: AbortSignal
}

/** A value, or a function that is asked for it once per dial. */
export type PerDial<T, Context = DialContext> = T | ((context: Context) => MaybePromise<T>)

/** Where and how to dial. */
export interface DialRequest<Context = DialContext> {
  /** The address. */
  readonly url: PerDial<string | URL, Context>
  /** Subprotocols to offer. */
  readonly protocols: PerDial<string | readonly string[], Context> | undefined
  /** See {@link NodeOptions}. */
  readonly node: NodeOptions<Context> | undefined
  /** The constructor to use instead of the platform's. */
  readonly WebSocket: WebSocketConstructor | undefined
}

/** The answers for one dial: what a `WebSocket` is constructed with. */
export interface Destination {
  /** The address. */
  readonly url: string
  /** Subprotocols to offer. */
  readonly protocols: string | string[] | undefined
  /** What `ws` takes besides. */
  readonly options: object | undefined
}

/** Asks everything that may differ from dial to dial, all at once. Rejects with whatever a callback throws. */
export async function askDestination<Context>(
  { url, protocols, node }: DialRequest<Context>,
  context: Context,
): Promise<Destination> {
  const [address, offered, headers] = await Promise.all([
    ask(url, context),
    ask(protocols, context),
    ask(node?.headers, context),
  ])
  return {
    url: String(address),
    protocols: typeof offered === "object" ? [...offered] : offered,
    options: node && handshakeOptions(node, headers),
  }
}

/**
 * Constructs the socket, which begins to connect. Listen to it before anything else happens.
 * @throws ConnectError with `NO_WEBSOCKET`, `INVALID_ADDRESS`, or `CONNECT_FAILED` where the next answer may be better.
 */
export function makeSocket<Context>(
  request: DialRequest<Context>,
  { url, protocols, options }: Destination,
): SocketLike {
  const Socket = findWebSocket(request.WebSocket)
  if (!Socket) throw new ConnectError("this platform has no WebSocket: pass one", { code: "NO_WEBSOCKET" })
  try {
    return new Socket(url, protocols, options)
  } catch (cause) {
    // what is fixed will be as wrong the next time; what is asked for may be right then
    const isFixed = [request.url, request.protocols, request.node?.headers].every(
      (it) => typeof it !== "function",
    )
    const code = isFixed ? "INVALID_ADDRESS" : "CONNECT_FAILED"
    throw new ConnectError(`cannot dial ${JSON.stringify(url)}: ${reasonOf(cause)}`, { code, cause })
  }
}

/** What went wrong with a dial, as an error of the family. One that is already is left as it is. */
export function connectError(error: unknown, what = "connect failed"): ConnectError {
  if (error instanceof ConnectError) return error
  return new ConnectError(`${what}: ${reasonOf(error)}`, { cause: error })
}

/** The server answered the handshake with something else than 101. */
export function refusal(status: number, retryAfter: string | undefined, clock: Clock): ConnectError {
  // seconds, or a date (RFC 9110, section 10.2.3)
  const ms = Number(retryAfter) * 1_000 || Date.parse(retryAfter ?? "") - clock.date()
  return new ConnectError(`the server answered ${status}`, { status, ...(ms > 0 && { retryAfterMs: ms }) })
}

/**
 * Checks an address, as far as that is possible before it is asked for.
 * @throws InvalidOptionError with the value received.
 */
export function checkUrl<Context>(url: PerDial<string | URL, Context>): PerDial<string | URL, Context> {
  if (typeof url === "function" || typeof url === "string" || url instanceof URL) return url
  return reject("url", "a string, a URL or a function", url)
}

/**
 * Checks that the options of `ws` are for `ws`.
 * @throws InvalidOptionError where the platform's own `WebSocket` is used.
 */
export function checkNode<Context>(
  path: string,
  node: NodeOptions<Context> | undefined,
  given: WebSocketConstructor | undefined,
): NodeOptions<Context> | undefined {
  if (node === undefined) return undefined
  if (typeof node !== "object" || node === null) return reject(path, "an object", node)
  if (findWebSocket(given) !== globalThis.WebSocket) return node
  return reject(path, "left out: this platform's own WebSocket takes no headers and no TLS options", node)
}

async function ask<T, Context>(value: PerDial<T, Context>, context: Context): Promise<T> {
  return typeof value === "function" ? (value as (context: Context) => MaybePromise<T>)(context) : value
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "the platform does not say why"
}
