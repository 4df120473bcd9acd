/**
 * What a message may be made of: text, or bytes in any of the forms that JavaScript has for them. It frames nothing.
 */

import { CodecError } from "../core/errors.js"
import type { Payload } from "../core/types.js"

/** The same bytes as a `Uint8Array`, without a copy; `undefined` for what is no bytes. */
export function viewOf(data: unknown): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : undefined
}

/**
 * What a codec makes of a message. One that makes an `ArrayBuffer` or a view of another type means its bytes: copied as
 * they are, they would leave a frame with whatever its memory held before.
 * @throws CodecError when it makes neither text nor bytes; and what the codec throws.
 */
export function encodeWith<Outgoing>(
  codec: {
    /** See `Codec`. */
    encode(message: Outgoing): Payload
  },
  message: Outgoing,
): Payload {
  const encoded: unknown = codec.encode(message)
  if (typeof encoded === "string") return encoded
  const bytes = viewOf(encoded)
  if (bytes) return bytes
  throw new CodecError("ENCODE_FAILED", `the codec made neither text nor bytes: ${typeof encoded}`, "")
}
