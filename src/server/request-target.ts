/**
 * Reads a request target: `/ws/lobby?token=x`, or the absolute form that proxies are sent (RFC 9112, section 3.2).
 * It knows no paths that are anybody's.
 */

/** What a request target says. */
export interface RequestTarget {
  /** The path, as it was sent and without the query. */
  readonly path: string
  /** The host that an absolute form names, which then counts instead of the `Host` header; `undefined` elsewhere. */
  readonly authority: string | undefined
}

const ABSOLUTE = /^https?:\/\/([^/?#]+)([^?#]*)/i
const ORIGIN = /^\/[^?#]*/

/** Takes a target apart. One in a form that no upgrade can have is a path that nobody knows. */
export function parseTarget(target: string): RequestTarget {
  const [, authority, path] = ABSOLUTE.exec(target) ?? []
  if (authority !== undefined) return { path: path || "/", authority }
  return { path: ORIGIN.exec(target)?.[0] ?? "", authority: undefined }
}
