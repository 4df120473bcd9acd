/**
 * Which pages may open a WebSocket here. Browsers send cookies along with any page's upgrade request and let the
 * server decide by the `Origin` header (RFC 6455, section 10.2); this file is that decision.
 */

import { reject } from "../core/options.js"

/** Which origins are let in. */
export interface OriginOptions {
  /**
   * Origins let in besides the request's own host: exact ones such as `https://app.example`, or all subdomains with
   * `https://*.app.example`. `false` lets in every origin.
   * @defaultValue none but the request's own host
   */
  readonly origins?: readonly string[] | false
  /**
   * Whether a request without an `Origin` passes. Only programs send none; set it to false where cookies carry the login.
   * @defaultValue true
   */
  readonly allowMissingOrigin?: boolean
}

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(\*\.)?[^/*\s]+$/

/** Decides about origins. */
export class OriginCheck {
  readonly #exact: ReadonlySet<string>
  readonly #suffixes: readonly { readonly scheme: string; readonly suffix: string }[]
  readonly #isOff: boolean
  readonly #allowMissing: boolean

  /** @throws InvalidOptionError for an entry that is no origin. */
  constructor({ origins = [], allowMissingOrigin = true }: OriginOptions) {
    this.#isOff = origins === false
    this.#allowMissing = allowMissingOrigin
    const listed = (origins || []).map((it) => checkOrigin(it))
    this.#exact = new Set(listed.filter((it) => !it.includes("*")))
    this.#suffixes = listed.filter((it) => it.includes("*")).map(splitWildcard)
  }

  /** Whether a request with these headers is let in. */
  allows(origin: string | undefined, host: string | undefined): boolean {
    if (this.#isOff) return true
    if (origin === undefined) return this.#allowMissing
    const given = origin.toLowerCase()
    if (this.#exact.has(given) || isSameHost(given, host)) return true
    return this.#suffixes.some(({ scheme, suffix }) => given.startsWith(scheme) && given.slice(scheme.length).endsWith(suffix))
  }
}

function checkOrigin(origin: string): string {
  if (typeof origin !== "string") reject("origins", "a list of strings", origin)
  const lower = origin.toLowerCase()
  if (lower !== "null" && !ORIGIN.test(lower)) reject("origins", "origins such as https://app.example or https://*.app.example", origin)
  return lower
}

/** `https://*.app.example` is every host that ends in `.app.example`: the dot keeps `evilapp.example` out. */
function splitWildcard(origin: string): { scheme: string; suffix: string } {
  const star = origin.indexOf("*")
  return { scheme: origin.slice(0, star), suffix: origin.slice(star + 1) }
}

function isSameHost(origin: string, host: string | undefined): boolean {
  if (host === undefined) return false
  try {
    const { protocol, host: from } = new URL(origin)
    return from !== "" && from === new URL(`${protocol}//${host}`).host
  } catch {
    return false
  }
}
