/**
 * A binary protocol of packets with a header in front, for messages that are many, small, or not text. Any language can
 * speak it: the bytes are in `packet-format`, and vectors to test an implementation with are in `test/vectors`.
 */

import { CodecError } from "../core/errors.js"
import type { Codec } from "../wire/codec.js"
import {
  type OutgoingPacket,
  type Packet,
  type PacketOptions,
  type PacketTypes,
  resolvePacketFormat,
} from "./packet-format.js"
import { PacketReader } from "./packet-reader.js"
import { writePackets } from "./packet-writer.js"

/** A codec of packets. Several packets given at once go in one frame. */
export type PacketCodec<Type extends number | string> = Codec<
  Packet<Type>,
  OutgoingPacket<Type> | readonly OutgoingPacket<Type>[]
>

/**
 * Packets in binary frames. A packet is a header and a payload; the header is, by default, 4 bytes: the type (u8), the
 * length of the payload (u16, big-endian), and flags (u8), of which bit 0 says that the payload is compressed.
 *
 * A frame may hold several packets, and a packet may be split over several frames. Each packet is one message, in the
 * order of the bytes, and its payload is a view of the frame's memory where it lies whole in one.
 *
 * Wrong input is a {@link CodecError}, one for each packet: `PACKET_TYPE_UNKNOWN` (its payload is skipped),
 * `PACKET_TOO_BIG` (likewise), `PACKET_TRUNCATED` (the connection ended in the middle of a packet, or the frame did and
 * `isSplit` is false), `DECODE_FAILED` (a text frame, or a payload that cannot be decompressed).
 *
 * @param options - With `types`, packets have names for types, and other numbers are unknown.
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * const codec = lengthPrefixed({ types: { hello: 1, samples: 2 } })
 * const hub = createHub({ codec })
 * hub.on("message", ({ data }) => data.type === "samples" && store(data.payload))
 */
export function lengthPrefixed(options?: PacketOptions & { readonly types?: undefined }): PacketCodec<number>
export function lengthPrefixed<Name extends string>(
  options: PacketOptions & {
    /** The number of each type, by name. */
    readonly types: Readonly<Record<Name, number>>
  },
): PacketCodec<Name>
export function lengthPrefixed(
  options?: PacketOptions & { readonly types?: PacketTypes | undefined },
): PacketCodec<number | string> {
  const format = resolvePacketFormat(options)
  return {
    encode: (message) => writePackets(isList(message) ? message : [message], format),
    decode(data) {
      const packets: Packet<number | string>[] = []
      const reader = new PacketReader({ ...format, isSplit: false })
      reader.read(
        data,
        (packet) => packets.push(packet),
        (error) => {
          throw error
        },
      )
      const [packet, second] = packets
      if (packet && !second) return packet
      throw new CodecError("DECODE_FAILED", `expected one packet, got ${packets.length}`, "")
    },
    reader: () => new PacketReader(format),
  }
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value)
}
