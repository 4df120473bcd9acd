/**
 * Bytes and names of channels, as the client libraries of Redis take them and hand them out.
 */

/** Bytes as both libraries take them. */
export function asBuffer(value: string | Uint8Array): string | Uint8Array {
  return typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

/** The name of a channel. */
export function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}
