/**
 * The size of text on the wire, without encoding it.
 */

import type { Payload } from "../core/types.js"

/** Bytes that a payload takes in a frame: exact for text too, where a lone surrogate counts as U+FFFD (3 bytes). */
export function byteLength(payload: Payload): number {
  if (typeof payload !== "string") return payload.byteLength
  let bytes = payload.length
  for (let i = 0; i < payload.length; i += 1) {
    const unit = payload.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes += 1
    else if (isPairAt(payload, i, unit)) {
      bytes += 2
      i += 1
    } else bytes += 2
  }
  return bytes
}

function isPairAt(text: string, index: number, unit: number): boolean {
  return (unit & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00
}
