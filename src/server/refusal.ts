/**
 * How an upgrade is refused, in words that its client can read: as an HTTP answer, or, for browsers, which show no
 * status to the page, as a close code right after the handshake.
 */

import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http"
import type { Duplex } from "node:stream"

/** A refusal. */
export interface Refusal {
  /** The HTTP status, 400 to 599. */
  readonly status: number
  /** Headers of the answer. @defaultValue none but its length, its type and `Connection: close` */
  readonly headers?: Readonly<Record<string, string>>
  /** Text of the answer. @defaultValue the status in words */
  readonly body?: string
  /**
   * Accepts the handshake and closes at once with this code instead, so that a page can read it.
   * @defaultValue the HTTP answer
   */
  readonly closeCode?: number
  /** Goes with `closeCode`. @defaultValue "" */
  readonly closeReason?: string
}

/** Answers an upgrade request with an HTTP error, and ends the socket once the answer has left. */
export function refuse(socket: Duplex, { status, headers = {}, body = STATUS_CODES[status] ?? "" }: Refusal): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy()
  const fields: Record<string, string> = {
    Connection: "close",
    "Content-Type": "text/plain; charset=utf-8",
    ...checkHeaders(headers),
    "Content-Length": String(Buffer.byteLength(body)),
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.once("finish", () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${lines.join("")}\r\n${body}`)
}

/**
 * Makes sure that headers cannot break out of their line.
 * @throws TypeError with Node's own code for a bad name or value.
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  }
  return headers
}
