/**
 * What devices send and get, byte by byte; and what is told of it to people, in JSON. Numbers are big-endian.
 */

import { lengthPrefixed } from "holdfast"

/**
 * Packets of devices: one byte of type, two of length, one of flags, and the payload.
 *
 * - `reading`: u32 sequence, i16 hundredths of a degree, u8 percent of the battery
 * - `interval`: u16 seconds, a command to the device
 * - `accepted`: u16 seconds, the device's answer to it
 */
export const packets = lengthPrefixed({
  types: { reading: 1, interval: 2, accepted: 3 },
  maxPayloadBytes: 64, // a device has nothing longer to say
})

/** A packet as it came in. */
export type Packet = ReturnType<typeof packets.decode>
/** A packet, or several, on the way out. */
export type Outgoing = Parameters<typeof packets.encode>[0]

/** What watchers get. */
export type FromGateway =
  | { type: "reading"; device: string; sequence: number; celsius: number; battery: number }
  | { type: "accepted"; device: string; seconds: number }
  | { type: "gone"; device: string }

/** What is in a `reading`. Throws a `RangeError` where it is too short. */
export function parseReading({ payload }: Packet): { sequence: number; celsius: number; battery: number } {
  const view = viewOf(payload)
  return { sequence: view.getUint32(0), celsius: view.getInt16(4) / 100, battery: view.getUint8(6) }
}

/** The payload of a `reading`. */
export function makeReading(sequence: number, celsius: number, battery: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(7))
  view.setUint32(0, sequence)
  view.setInt16(4, Math.round(celsius * 100))
  view.setUint8(6, battery)
  return new Uint8Array(view.buffer)
}

/** The seconds in an `interval` or an `accepted`. */
export function parseSeconds({ payload }: Packet): number {
  return viewOf(payload).getUint16(0)
}

/** The payload of an `interval` or an `accepted`. */
export function makeSeconds(seconds: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(2))
  view.setUint16(0, seconds)
  return new Uint8Array(view.buffer)
}

/** A payload is a view of its frame, and begins somewhere within. */
function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}
