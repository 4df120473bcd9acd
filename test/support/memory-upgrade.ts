/**
 * Upgrades without a network: a request made by hand and a stream in memory, given to an HTTP server that never listens.
 * Everything behind `upgrade` is the real thing: the checks of the request, the handshake, the frames, the hub.
 */

import type { IncomingMessage, Server } from "node:http"
import { Duplex } from "node:stream"

/** The server's end of a connection. What the server writes is kept, unless it is to be forgotten. */
export class MemoryStream extends Duplex {
  readonly remoteAddress = "127.0.0.1"
  readonly written: Uint8Array[] = []
  readonly #isForgetful: boolean

  constructor({ isForgetful = false } = {}) {
    super({ autoDestroy: true })
    this.#isForgetful = isForgetful
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    if (!this.#isForgetful) this.written.push(chunk)
    done()
  }

  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  /** The client sends something. */
  receive(bytes: Uint8Array): void {
    if (!this.destroyed) this.push(bytes)
  }

  /** The client ends its side. */
  receiveEnd(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null)
  }
}

/** Hands an upgrade to a server. Headers come on top of a good handshake's. */
export function upgradeInMemory(
  server: Server,
  stream: MemoryStream,
  more: Readonly<Record<string, string>> = {},
  url = "/",
): void {
  server.emit("upgrade", requestInMemory(stream, more, url), stream, Buffer.alloc(0))
}

/** The request of such an upgrade. */
export function requestInMemory(
  stream: MemoryStream,
  more: Readonly<Record<string, string>> = {},
  url = "/",
): IncomingMessage {
  const headers: Record<string, string> = {
    host: "127.0.0.1",
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...more,
  }
  const request = {
    method: "GET",
    url,
    httpVersion: "1.1",
    headers,
    rawHeaders: Object.entries(headers).flat(),
    socket: stream,
  }
  return request as unknown as IncomingMessage
}
