/**
 * Finds the stream under a server-side socket of the `ws` package, and what may be written to it, by public means only.
 */

import type { FrameStream } from "../wire/sink.js"
import { hasDeflate, type SocketLike } from "../wire/socket.js"

/** What is read of an HTTP upgrade request. Nothing of it is kept. */
export interface UpgradeRequest {
  /** The TCP or TLS socket the request came in on: in Node, the very stream that carries the WebSocket. */
  readonly socket?:
    | {
        /** The address of its other end. */
        readonly remoteAddress?: string | undefined
      }
    | undefined
  /** Its headers, with names in lower case. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
}

/**
 * The stream that frames for this socket may be written to. `undefined` where none can be trusted: other runtimes
 * stand in for Node's streams without putting the WebSocket's bytes on them, and only `ws` leaves framing to others.
 */
export function rawStream(socket: SocketLike, request: UpgradeRequest | undefined): FrameStream | undefined {
  const stream = request?.socket
  if (!stream || !isNode() || typeof socket.on !== "function" || !socket.terminate) return undefined
  return isFrameStream(stream) ? stream : undefined
}

/**
 * Whether this socket's peer takes messages that were compressed with a window of so many bits. What the server answered
 * cannot be seen from here, but only where the client asked for less may it have to be less (RFC 7692, section 7.1.2.1).
 */
export function canInflate(
  socket: SocketLike,
  request: UpgradeRequest | undefined,
  windowBits: number,
): boolean {
  if (!hasDeflate(socket)) return false
  const offers = String(request?.headers?.["sec-websocket-extensions"] ?? "")
  const wanted = [...offers.matchAll(/server_max_window_bits\s*=\s*"?(\d+)/gi)].map(([, bits]) =>
    Number(bits),
  )
  return wanted.every((bits) => bits >= windowBits)
}

function isFrameStream(stream: object): stream is FrameStream {
  const { write, once, writableLength } = stream as Partial<FrameStream>
  return typeof write === "function" && typeof once === "function" && typeof writableLength === "number"
}

function isNode(): boolean {
  const versions = globalThis.process?.versions as Record<string, string | undefined> | undefined
  return versions?.node !== undefined && versions.bun === undefined && versions.deno === undefined
}
