/**
 * Packets on their way into a frame, one or several.
 */

import { CodecError } from "../core/errors.js"
import { COMPRESSED, highest, type OutgoingPacket, type PacketFormat } from "./packet-format.js"

/** A packet of which everything is decided. */
interface Sealed {
  readonly type: number
  readonly payload: Uint8Array
  readonly flags: number
}

/**
 * The bytes of some packets, one behind the other.
 * @throws CodecError `ENCODE_FAILED` for a packet that the format cannot hold; nothing is encoded then.
 */
export function writePackets(
  packets: readonly OutgoingPacket<number | string>[],
  format: PacketFormat,
): Uint8Array {
  const sealed = packets.map((it) => seal(it, format))
  const length = sealed.reduce((sum, { payload }) => sum + format.headerBytes + payload.length, 0)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let offset = 0
  for (const { type, payload, flags } of sealed) {
    writeNumber(view, offset, format.typeBytes, type)
    writeNumber(view, offset + format.typeBytes, format.lengthBytes, payload.length)
    view.setUint8(offset + format.typeBytes + format.lengthBytes, flags)
    bytes.set(payload, offset + format.headerBytes)
    offset += format.headerBytes + payload.length
  }
  return bytes
}

function seal(packet: OutgoingPacket<number | string>, format: PacketFormat): Sealed {
  const { payload, flags = 0 } = packet
  const type = format.types ? format.types.get(packet.type as string) : packet.type
  if (!isWithin(type, highest(format.typeBytes))) throw refusal("type", packet.type)
  if (!isWithin(flags, 0xff)) throw refusal("flags", flags)
  if (!(payload instanceof Uint8Array)) throw refusal("payload", payload)
  if (payload.length > format.maxPayloadBytes)
    throw refusal("payload", `${payload.length} bytes, above ${format.maxPayloadBytes}`)
  if (!format.compression) return { type, payload, flags }
  if (flags & COMPRESSED) throw refusal("flags", `${flags}: the codec itself compresses`)
  const { compress, thresholdBytes } = format.compression
  const compressed = payload.length < thresholdBytes ? payload : compress(payload)
  return compressed.length < payload.length
    ? { type, payload: compressed, flags: flags | COMPRESSED }
    : { type, payload, flags }
}

function isWithin(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
}

function refusal(field: string, value: unknown): CodecError {
  const shown = String(value).slice(0, 80)
  return new CodecError("ENCODE_FAILED", `packet has an impossible ${field}: ${shown}`, shown)
}

function writeNumber(view: DataView, offset: number, bytes: number, value: number): void {
  if (bytes === 1) view.setUint8(offset, value)
  else if (bytes === 2) view.setUint16(offset, value)
  else view.setUint32(offset, value)
}
