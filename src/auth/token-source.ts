/**
 * Finds the token in an upgrade request: a string, taken from the one place where it may be. What it says is not read here.
 */

import type { IncomingMessage } from "node:http"
import { reject } from "../core/options.js"
import { TokenError } from "./token-error.js"

/**
 * Where the token of a request is.
 *
 * - `"header"`: behind `Bearer` in `Authorization` (RFC 6750, section 2.1). Browsers cannot send it with a WebSocket.
 *   `{ header: "x-token" }`: another header, of which the token is the whole.
 * - `"cookie"`: in the cookie `token`, or in the one that `{ cookie }` names. Check the origins too.
 * - `"query"`: in the parameter `access_token` (RFC 6750, section 2.3), or in the one that `{ query }` names. Servers and
 *   proxies write it to their logs.
 * - `"subprotocol"`: behind `bearer.` in one of the subprotocols that the client offers, or behind what
 *   `{ subprotocol }` names. It is taken out of the offer before the handshake, so it is never agreed on; a browser
 *   needs one more beside it, which is.
 */
export type TokenSource =
  | "header"
  | "cookie"
  | "query"
  | "subprotocol"
  | {
      /** The name of a header. */
      readonly header: string
    }
  | {
      /** The name of a cookie. */
      readonly cookie: string
    }
  | {
      /** The name of a parameter of the query. */
      readonly query: string
    }
  | {
      /** What comes before the token. */
      readonly subprotocol: string
    }

/** Every token that one place of a request has. */
type Place = (request: IncomingMessage) => readonly string[]

const NAMES = Object.freeze({
  header: "authorization",
  cookie: "token",
  query: "access_token",
  subprotocol: "bearer.",
})
type Kind = keyof typeof NAMES

const PLACES: Readonly<Record<Kind, (name: string) => Place>> = {
  header: inHeader,
  cookie: inCookie,
  query: inQuery,
  subprotocol: inSubprotocol,
}
const KINDS = Object.keys(NAMES) as readonly Kind[]
/** A token of HTTP (RFC 9110, section 5.6.2): what names of headers and cookies, and subprotocols, are made of. */
const NAME = /^[!#$%&'*+\-.^_`|~\w]+$/
const BEARER = /^Bearer +(\S+) *$/i

/** The places where tokens may be, in order. */
export class TokenSources {
  readonly #places: readonly Place[]

  /** @throws InvalidOptionError with the value received. */
  constructor(from: TokenSource | readonly TokenSource[]) {
    const sources = Array.isArray(from) ? (from as readonly TokenSource[]) : [from as TokenSource]
    if (sources.length === 0) reject("from", "at least one source", "an empty list")
    this.#places = sources.map(placeOf)
  }

  /**
   * The token of the first place that has one; the others are not asked. Tokens are taken out of the offered subprotocols
   * in any case, so that none can be agreed on.
   *
   * @throws TokenError when there is none, and when that place has several.
   */
  take(request: IncomingMessage): string {
    // every place is looked at, since looking at subprotocols takes the tokens out of them
    const found = this.#places.map((place) => place(request)).find((tokens) => tokens.length > 0) ?? []
    if (found.length > 1) throw new TokenError("several")
    if (found[0] === undefined) throw new TokenError("missing")
    return found[0]
  }
}

function placeOf(source: TokenSource): Place {
  const entries = typeof source === "string" ? [[source, NAMES[source]]] : Object.entries(source ?? {})
  const [kind, name] = entries[0] ?? []
  if (entries.length !== 1 || !KINDS.includes(kind as Kind)) {
    return reject("from", `one of ${KINDS.join(", ")}, or an object with one of them`, source)
  }
  const isName = typeof name === "string" && (kind === "query" ? name !== "" : NAME.test(name))
  return isName ? PLACES[kind as Kind](name) : reject(`from.${kind}`, "a name", name)
}

function inHeader(name: string): Place {
  const lower = name.toLowerCase()
  const isScheme = lower === NAMES.header
  // Node keeps the first of several in `headers`, and the client must not choose which one is checked
  return ({ rawHeaders }) =>
    rawHeaders.flatMap((value, index) => {
      if (index % 2 === 0 || rawHeaders[index - 1]?.toLowerCase() !== lower) return []
      const token = isScheme ? BEARER.exec(value)?.[1] : value.trim()
      return token ? [token] : []
    })
}

/** Pairs of RFC 6265, section 4.2.1, with or without quotes. */
function inCookie(name: string): Place {
  return ({ headers: { cookie = "" } }) =>
    cookie.split(";").flatMap((pair) => {
      const equals = pair.indexOf("=")
      if (equals < 0 || pair.slice(0, equals).trim() !== name) return []
      const value = pair.slice(equals + 1).trim()
      const token = /^"(.*)"$/.exec(value)?.[1] ?? value
      return token ? [token] : []
    })
}

function inQuery(name: string): Place {
  return ({ url = "" }) => {
    const [, query = ""] = /\?([^#]*)/.exec(url) ?? []
    return new URLSearchParams(query).getAll(name).filter((it) => it !== "")
  }
}

function inSubprotocol(prefix: string): Place {
  return ({ headers }) => {
    const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((it) => it.trim())
    const tokens = offered.filter((it) => it.startsWith(prefix))
    if (tokens.length === 0) return []
    const others = offered.filter((it) => !it.startsWith(prefix))
    // one of those that are left may be agreed on; what was sent to be read by the server alone is not to be sent back
    if (others.length > 0) headers["sec-websocket-protocol"] = others.join(", ")
    else delete headers["sec-websocket-protocol"]
    return tokens.map((it) => it.slice(prefix.length)).filter((it) => it !== "")
  }
}
