/**
 * What a room, a user or a connection may be called. It knows none of them.
 */

import { reject } from "../core/options.js"
import { byteLength } from "./utf8.js"

const MAX_NAME_BYTES = 512

/**
 * A name that messages can be addressed to.
 * @throws InvalidOptionError when it is no string of 1 to 512 bytes.
 */
export function checkName(path: string, name: unknown): string {
  if (typeof name !== "string") reject(path, "a string", name)
  if (name.length === 0 || byteLength(name) > MAX_NAME_BYTES) {
    reject(path, `1 to ${MAX_NAME_BYTES} bytes of UTF-8`, name)
  }
  return name
}
