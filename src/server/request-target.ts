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
const BEYOND_PATH = /[?#]/

/** Takes a target apart. One in a form that no upgrade can have is a path that nobody knows. */
export function parseTarget(target: string): RequestTarget {
  if (target.startsWith("/")) return { path: target.slice(0, pathLength(target)), authority: undefined }
  const [, authority, path] = ABSOLUTE.exec(target) ?? []
  return authority === undefined ? { path: "", authority } : { path: path || "/", authority }
}

/** Up to the query, or to a fragment, which nobody should send. */
function pathLength(target: string): number {
  const length = target.search(BEYOND_PATH)
  return length === -1 ? target.length : length
}
