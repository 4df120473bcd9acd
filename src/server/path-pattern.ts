/**
 * Matches request paths: `/ws`, `/ws/:room`, `/teams/:team/rooms/:room`. A parameter is one whole segment.
 */

import { reject } from "../core/options.js"
import { NO_PARAMS } from "../wire/connection-options.js"

/** Parameters by name, percent-decoded. */
export type PathParams = Readonly<Record<string, string>>

/** What a path is to a pattern: its parameters, `malformed` percent-encoding, or `undefined` for no match. */
export type PathMatch = PathParams | "malformed" | undefined

const PARAMETER = /^:[A-Za-z_][A-Za-z0-9_]*$/

/** A pattern, checked and split once. */
export class PathPattern {
  readonly #pattern: string
  readonly #segments: readonly string[]
  readonly #hasParams: boolean

  /** @throws InvalidOptionError for a pattern that does not begin with "/", or has a parameter without a name. */
  constructor(pattern: string) {
    if (typeof pattern !== "string" || !pattern.startsWith("/"))
      reject("path", 'a string that begins with "/"', pattern)
    this.#pattern = pattern
    this.#segments = pattern.split("/").slice(1)
    for (const segment of this.#segments) {
      if (segment.startsWith(":") && !PARAMETER.test(segment))
        reject("path", "made of plain segments and :names", pattern)
    }
    this.#hasParams = this.#segments.some((it) => it.startsWith(":"))
  }

  /** Matches a path, without its query. */
  match(path: string): PathMatch {
    if (!this.#hasParams) return path === this.#pattern ? NO_PARAMS : undefined
    const given = path.split("/").slice(1)
    if (given.length !== this.#segments.length) return undefined
    // without a prototype: one named like one of Object's own members is one like any other
    const params: Record<string, string> = Object.create(null)
    let isMalformed = false
    for (const [index, segment] of this.#segments.entries()) {
      const value = given[index] as string
      if (!segment.startsWith(":")) {
        if (segment !== value) return undefined
        continue
      }
      const decoded = decode(value)
      if (decoded === "") return undefined
      if (decoded === undefined) isMalformed = true
      else params[segment.slice(1)] = decoded
    }
    return isMalformed ? "malformed" : params
  }
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
