/**
 * Which pages may open a WebSocket here. Browsers send cookies along with any page's upgrade request and let the
 * server decide by the `Origin` header (RFC 6455, section 10.2); this file is that decision.
 */

import { checkOneOf, reject } from "../core/options.js"

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

/** See {@link OriginOptions}. */
export const ORIGIN_DEFAULTS: Required<OriginOptions> = Object.freeze({
  origins: [],
  allowMissingOrigin: true,
})

/** An origin as browsers write it (RFC 6454, section 6.2), in lower case. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._:[\]-]+$/

/** How many pairs are remembered: they are the client's words, so they may not grow without end. */
const MOST_KNOWN = 1_000
/** How long one may be, in characters: two host names, at most 253 each (RFC 1035, section 2.3.4), and a scheme. */
const LONGEST_KNOWN = 540

/** Decides about origins. */
export class OriginCheck {
  readonly #exact = new Set<string>()
  readonly #wildcards: { readonly scheme: string; readonly suffix: string }[] = []
  /** Pairs of origin and host that were let in, as they were sent: most clients of a server come from the same page. */
  readonly #known = new Set<string>()
  readonly #isOff: boolean
  readonly #allowMissing: boolean

  /** @throws InvalidOptionError for an entry that is no origin. */
  constructor({ origins, allowMissingOrigin }: Required<OriginOptions>) {
    if (origins !== false && !Array.isArray(origins))
      reject("origins", "a list of strings, or false", origins)
    this.#isOff = origins === false
    this.#allowMissing = checkOneOf("allowMissingOrigin", allowMissingOrigin, [true, false])
    for (const origin of origins || []) this.#list(origin)
  }

  /** Whether a request with these headers is let in. */
  allows(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined) return this.#allowMissing
    if (this.#isOff) return true
    // a header has no line breaks, so no two pairs are written alike
    const pair = `${origin}\n${host ?? ""}`
    if (this.#known.has(pair)) return true
    if (!this.#mayPass(origin, host)) return false
    this.#remember(pair)
    return true
  }

  #remember(pair: string): void {
    if (pair.length > LONGEST_KNOWN) return
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    this.#known.add(pair)
  }

  #mayPass(origin: string, host: string | undefined): boolean {
    const given = canonical(origin)
    if (given === undefined) return false
    if (this.#exact.has(given) || isSameHost(given, host)) return true
    return this.#wildcards.some(
      ({ scheme, suffix }) => given.startsWith(scheme) && given.slice(scheme.length + 1).endsWith(suffix),
    )
  }

  #list(origin: string): void {
    if (typeof origin !== "string") reject("origins", "a list of strings", origin)
    const listed = canonical(origin.replace("://*.", "://"))
    if (listed === undefined)
      reject("origins", "origins such as https://app.example or https://*.app.example", origin)
    if (!origin.includes("://*.")) return void this.#exact.add(listed)
    // the dot keeps `evilapp.example` out
    const [scheme, host] = listed.split("//") as [string, string]
    this.#wildcards.push({ scheme: `${scheme}//`, suffix: `.${host}` })
  }
}

/** An origin without its default port; `undefined` for what is none. */
function canonical(origin: string): string | undefined {
  const lower = origin.toLowerCase()
  if (lower === "null") return lower
  if (!ORIGIN.test(lower) || !URL.canParse(lower)) return undefined
  const { protocol, host } = new URL(lower)
  return `${protocol}//${host}`
}

function isSameHost(origin: string, host: string | undefined): boolean {
  const [scheme] = origin.split("//")
  return host !== undefined && origin === canonical(`${scheme}//${host}`)
}
