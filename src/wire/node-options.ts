/**
 * What only the `ws` package can do for a dial: headers, TLS, agents, and a socket that keeps no process alive.
 */

import { backgroundClock, type Clock, systemClock } from "../core/timer.js"
import type { DialContext, PerDial } from "./dial-request.js"

/** Text or bytes in PEM or DER, as `node:tls` takes them. */
export type TlsMaterial = string | Uint8Array | readonly (string | Uint8Array)[]

/**
 * Options of the `ws` package's client, in Node. Passing any of it where the platform's own `WebSocket` is used throws at
 * construction. Whatever is not listed here is handed to `ws` as it is.
 */
export interface NodeOptions<Context = DialContext> {
  /** Headers of the upgrade request; a function is asked once per dial. @defaultValue none */
  readonly headers?: PerDial<Readonly<Record<string, string>>, Context>
  /** An `http.Agent` or `https.Agent`, e.g. of a proxy. @defaultValue none */
  readonly agent?: object | undefined
  /** Certificates of authorities to trust instead of the well-known ones. @defaultValue Node's own */
  readonly ca?: TlsMaterial | undefined
  /** This client's certificate. @defaultValue none */
  readonly cert?: TlsMaterial | undefined
  /** The key of {@link cert}. @defaultValue none */
  readonly key?: TlsMaterial | undefined
  /** Whether, or how, to offer compression (RFC 7692). @defaultValue true, as in `ws` */
  readonly perMessageDeflate?: boolean | Readonly<Record<string, unknown>>
  /** The largest message to accept, in bytes; a larger one ends the connection with code 1009. @defaultValue 104_857_600 */
  readonly maxPayload?: number
  /** Lets the process exit although there is a connection, or a client that waits to dial. @defaultValue false */
  readonly unref?: boolean
  /** Further options of the `ws` client. */
  readonly [option: string]: unknown
}

/** The part of Node's request and socket that is used. */
interface OutgoingRequest {
  once(event: "socket", listener: (socket: { unref(): void }) => void): unknown
  end(): void
}

/** What `ws` is given for one dial. */
export function handshakeOptions<Context>(
  { unref, ...options }: NodeOptions<Context>,
  headers: Readonly<Record<string, string>> | undefined,
): object {
  if (!unref) return { ...options, headers }
  // `ws` leaves sending the request to this function
  const finishRequest = (request: OutgoingRequest) => {
    request.once("socket", (socket) => socket.unref())
    request.end()
  }
  return { ...options, headers, finishRequest }
}

/** Where the time of a dial and of its connection comes from, unless it is given: timers keep a process alive too. */
export function clockOf<Context>(node: NodeOptions<Context> | undefined): Clock {
  return node?.unref ? backgroundClock : systemClock
}
