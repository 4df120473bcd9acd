/**
 * How an upgrade is refused, in words that its client can read: as an HTTP answer, or, for browsers, which show no
 * status to the page, as a close code right after the handshake.
 */

import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http"
import type { Duplex } from "node:stream"
import { isSendableCloseCode } from "../core/close-codes.js"
import { reject } from "../core/options.js"
import { type Clock, systemClock, Timer } from "../core/timer.js"

/** A refusal. */
export interface Refusal {
  /** The HTTP status, 400 to 599. */
  readonly status: number
  /** Headers of the answer. @defaultValue none but its length, its type and `Connection: close` */
  readonly headers?: Readonly<Record<string, string>>
  /** Text of the answer. @defaultValue the status in words */
  readonly body?: string
  /** What the `refused` event says; the client is not told. @defaultValue "authenticate" */
  readonly reason?: string
  /**
   * Accepts the handshake and closes at once with this code instead, so that a page can read it.
   * @defaultValue the HTTP answer
   */
  readonly closeCode?: number
  /** Goes with `closeCode`. @defaultValue "" */
  readonly closeReason?: string
}

/**
 * Which check refused an upgrade.
 *
 * - `request`: it is no WebSocket handshake: 400, 405, 426.
 * - `path`: nobody knows its path: 404; or its path is malformed: 400.
 * - `origin`: its page may not connect: 403.
 * - `limits`: there are too many already: 429 or 503.
 * - `authenticate`: the application said no, failed, or took too long.
 * - `closing`: no more upgrades are taken: 503.
 */
export type RefusalCheck = "request" | "path" | "origin" | "limits" | "authenticate" | "closing"

/** A refusal, and where it comes from. */
export interface Refused {
  /** How the upgrade is answered. */
  readonly refusal: Refusal
  /** Which check it was. */
  readonly check: RefusalCheck
  /** What the check found, in a few words. */
  readonly reason: string
}

/** How long a client has to take the answer and to end its side, in milliseconds. */
const LINGER_MS = 5_000

/** Answers an upgrade request with an HTTP error. The socket ends once the client has taken it, or has had its time. */
export function refuse(socket: Duplex, refusal: Refusal, clock: Clock = systemClock): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy()
  const timer = new Timer(clock, () => socket.destroy())
  timer.start(LINGER_MS)
  socket.once("close", () => timer.stop())
  // to end a socket with bytes of the client unread is to reset it, and a reset takes back what is still under way
  socket.resume()
  socket.end(answer(refusal))
}

/** How long a client is told to stay away: a random number of whole seconds, so that a crowd does not return as one. */
export function retryAfterSeconds(min: number, max: number): number {
  return min + Math.floor(Math.random() * (max - min + 1))
}

function answer({ status, headers = {}, body = STATUS_CODES[status] ?? "" }: Refusal): string {
  const fields = new Map([
    ["connection", "Connection: close"],
    ["content-type", "Content-Type: text/plain; charset=utf-8"],
  ])
  // names of headers know no case (RFC 9110, section 5.1)
  for (const [name, value] of Object.entries(checkHeaders(headers)))
    fields.set(name.toLowerCase(), `${name}: ${value}`)
  fields.set("content-length", `Content-Length: ${Buffer.byteLength(body)}`)
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}`, ...fields.values()]
  return `${head.join("\r\n")}\r\n\r\n${body}`
}

/**
 * Makes sure that a refusal can be answered as it is.
 * @throws InvalidOptionError with the value received.
 */
export function checkRefusal(refusal: Refusal): Refusal {
  const { status, body, reason, closeCode, closeReason } = refusal
  if (!(Number.isInteger(status) && status >= 400 && status <= 599))
    reject("refusal.status", "400 to 599", status)
  for (const [name, text] of Object.entries({ body, reason, closeReason }))
    if (text !== undefined && typeof text !== "string") reject(`refusal.${name}`, "a string", text)
  if (closeCode !== undefined && !isSendableCloseCode(closeCode)) {
    reject("refusal.closeCode", "1000–1014 but for 1004–1006, or 3000–4999", closeCode)
  }
  return refusal
}

/**
 * Makes sure that headers are what will be sent, and cannot break out of their line: of a `Headers` or a `Map` nothing would be
 * sent, and of a list of cookies one that holds them all.
 * @throws InvalidOptionError for what is no object of strings, and TypeError with Node's own code for a bad name or value.
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (typeof headers !== "object" || headers === null || Symbol.iterator in headers)
    reject("headers", "an object of strings by name", headers)
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "object") reject(`headers.${name}`, "a string", value)
    validateHeaderName(name)
    validateHeaderValue(name, value)
  }
  return headers
}
