/**
 * Whether an upgrade request is a handshake that can be answered (RFC 6455, section 4.2.1), as strictly as the text
 * asks for it: Node lets more through, and so does `ws`. It decides before anybody is asked who the client is.
 */

import type { IncomingMessage } from "node:http"
import type { Refused } from "./refusal.js"

/** 16 bytes in base64 (RFC 6455, section 4.1, item 7). */
const KEY = /^[A-Za-z0-9+/]{22}==$/
/** The one version there is a standard for. */
const VERSION = "13"
/** A list of tokens (RFC 9110, section 5.6.2). */
const TOKENS = /^[!#$%&'*+\-.^_`|~\w]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~\w]+)*$/

/** What keeps a request from being a handshake; `undefined` for nothing. */
export function findProblem(request: IncomingMessage): Refused | undefined {
  const { method, headers } = request
  // an Upgrade in HTTP/1.0 is to be ignored (RFC 9110, section 7.8), and what it asked for cannot be given
  if (request.httpVersion !== "1.1") return bad("an HTTP version other than 1.1")
  if (method !== "GET") return problem(405, "a method other than GET", { Allow: "GET" })
  if (hostsOf(request) !== 1) return bad("no Host, or more than one")
  if (hasBody(request)) return bad("a body")
  if (headers.upgrade?.toLowerCase() !== "websocket") return bad("an upgrade to something else")
  if (headers["sec-websocket-version"] !== VERSION) return problem(426, "another version", VERSIONS)
  if (!KEY.test(headers["sec-websocket-key"] ?? "")) return bad("a bad key, or none")
  if (!areProtocols(headers["sec-websocket-protocol"])) return bad("a bad list of subprotocols")
  return undefined
}

/** A 426 names what to upgrade to (RFC 9110, section 15.5.22), and which versions are spoken (RFC 6455, section 4.4). */
const VERSIONS = Object.freeze({
  Connection: "close, Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": VERSION,
})

function bad(reason: string): Refused {
  return problem(400, reason)
}

function problem(status: number, reason: string, headers: Record<string, string> = {}): Refused {
  return { refusal: { status, headers }, check: "request", reason }
}

/** Node keeps the first of several and tells of no other (RFC 9112, section 3.2). */
function hostsOf({ rawHeaders }: IncomingMessage): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length === 4 && name.toLowerCase() === "host") count += 1
  }
  return count
}

/** Bytes behind the head are read as frames, so none may be meant as something else. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0
}

/** A list of tokens, each once (RFC 6455, section 4.1, item 10). */
function areProtocols(offer: string | undefined): boolean {
  if (offer === undefined) return true
  if (!TOKENS.test(offer)) return false
  const names = offer.split(",").map((it) => it.trim())
  return new Set(names).size === names.length
}
