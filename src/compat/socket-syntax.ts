/**
 * What the WHATWG WebSocket standard accepts as address, subprotocols, close code and reason, with the exceptions it
 * names for everything else. Pure functions; none of them dials.
 */

import { byteLength } from "../wire/utf8.js"
import type { CloseDetails } from "./socket-events.js"

/** Subprotocols to offer: one, or several in the order of preference. */
export type Subprotocols = string | readonly string[]

/**
 * An address as a WebSocket dials it: absolute, with `ws:` or `wss:`, which `http:` and `https:` stand for
 * (WHATWG WebSockets, section 3.1).
 *
 * @throws DOMException `SyntaxError` for what is no such address, and for one with a fragment.
 */
export function parseAddress(url: string | URL): string {
  const { document, location } = globalThis as { document?: Document; location?: Location }
  const base = document?.baseURI ?? location?.href
  const parsed = parse(String(url), base) ?? syntaxError(`the URL ${JSON.stringify(String(url))} is invalid`)
  const scheme = parsed.protocol.replace(/^http/, "ws")
  if (scheme !== "ws:" && scheme !== "wss:") syntaxError(`the URL's scheme must be ws or wss, not ${scheme}`)
  // an empty fragment is one too, which `hash` does not tell
  if (parsed.href.includes("#")) syntaxError(`the URL ${JSON.stringify(parsed.href)} has a fragment`)
  parsed.protocol = scheme
  return parsed.href
}

/** A token of HTTP, which a subprotocol must be (RFC 6455, section 4.1). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/

/**
 * Subprotocols as a list. `null`, `undefined` and the empty string are none.
 * @throws DOMException `SyntaxError` for one that is no token of HTTP, or stands there twice.
 */
export function parseProtocols(given: Subprotocols | null | undefined): readonly string[] {
  const names = typeof given === "object" && given ? Array.from(given, String) : given ? [String(given)] : []
  const wrong = names.find((it, i) => !TOKEN.test(it) || names.indexOf(it) !== i)
  if (wrong !== undefined) syntaxError(`the subprotocol ${JSON.stringify(wrong)} is invalid or a duplicate`)
  return names
}

/** The longest reason of a close frame, in bytes (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123

/**
 * The arguments of `close()`, as the `close` event of an orderly end. No code is 1000.
 * @throws DOMException `InvalidAccessError` for a code other than 1000 and 3000–4999.
 * @throws DOMException `SyntaxError` for a reason of more than 123 bytes of UTF-8.
 */
export function parseClose(code: number | undefined, reason: string | undefined): CloseDetails {
  const status = code === undefined ? 1000 : Math.round(Number(code))
  if (status !== 1000 && !(status >= 3000 && status <= 4999)) {
    throw new DOMException(`the close code must be 1000 or 3000–4999, not ${code}`, "InvalidAccessError")
  }
  const text = reason === undefined ? "" : String(reason)
  const bytes = byteLength(text)
  if (bytes > MAX_REASON_BYTES) {
    syntaxError(`the close reason must have at most ${MAX_REASON_BYTES} bytes, not ${bytes}`)
  }
  return { code: status, reason: text, wasClean: true }
}

function parse(url: string, base: string | undefined): URL | undefined {
  try {
    return new URL(url, base)
  } catch {
    return undefined
  }
}

function syntaxError(message: string): never {
  throw new DOMException(message, "SyntaxError")
}
