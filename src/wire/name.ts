/**
 * What a room, a user or a connection may be called. It knows none of them.
 */

import { reject } from "../core/options.js"
import { byteLength } from "./utf8.js"

const MAX_NAME_BYTES = 512

/** Half a character: there is no UTF-8 for it, and another half would be taken for the same name on the way. */
const HALF = /\p{Surrogate}/u

/**
 * A name that messages can be addressed to.
 * @throws InvalidOptionError when it is no string of 1 to 512 bytes of UTF-8.
 */
export function checkName(path: string, name: unknown): string {
  if (typeof name !== "string") reject(path, "a string", name)
  const bytes = byteLength(name)
  if (bytes === 0 || bytes > MAX_NAME_BYTES || (bytes > name.length && HALF.test(name))) {
    reject(path, `1 to ${MAX_NAME_BYTES} bytes of UTF-8`, name)
  }
  return name
}
