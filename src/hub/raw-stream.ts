/**
 * Finds the stream under a server-side socket of the `ws` package, by public means only.
 */

import type { FrameStream } from "../wire/sink.js"
import type { SocketLike } from "../wire/socket.js"

/** What is read of an HTTP upgrade request. Nothing of it is kept. */
export interface UpgradeRequest {
  /** The TCP or TLS socket the request came in on: in Node, the very stream that carries the WebSocket. */
  readonly socket?:
    | {
        /** The address of its other end. */
        readonly remoteAddress?: string | undefined
      }
    | undefined
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

function isFrameStream(stream: object): stream is FrameStream {
  const { write, once, writableLength } = stream as Partial<FrameStream>
  return typeof write === "function" && typeof once === "function" && typeof writableLength === "number"
}

function isNode(): boolean {
  const versions = globalThis.process?.versions as Record<string, string | undefined> | undefined
  return versions?.node !== undefined && versions.bun === undefined && versions.deno === undefined
}
