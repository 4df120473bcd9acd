/**
 * Packets that arrive in binary frames, three ways: many small ones in a frame, some larger ones in a frame, and larger ones cut
 * by the ends of frames. It knows neither decoders nor sockets.
 */

/** One way. */
export interface PacketTraffic {
  /** How many bytes the payload of a packet has. */
  readonly payloadBytes: number
  /** How many packets a run has. */
  readonly packets: number
  /** Into frames of how many bytes they go; ends of packets and of frames fall together only where that comes out even. */
  readonly frameBytes: number
}

/** Type, length of two bytes, flags. */
export const HEADER_BYTES = 4

/** By name. */
export const TRAFFIC = {
  small: { payloadBytes: 16, packets: 2_000, frameBytes: 100 * (16 + HEADER_BYTES) },
  large: { payloadBytes: 1_024, packets: 800, frameBytes: 16 * (1_024 + HEADER_BYTES) },
  split: { payloadBytes: 1_024, packets: 800, frameBytes: 700 },
} satisfies Record<string, PacketTraffic>

/** How many bytes arrive for each packet. */
export function bytesEach({ payloadBytes }: PacketTraffic): number {
  return HEADER_BYTES + payloadBytes
}

/** The frames of a run. */
export function framesOf({ payloadBytes, packets, frameBytes }: PacketTraffic): Buffer[] {
  const all = Buffer.alloc(packets * (HEADER_BYTES + payloadBytes))
  for (let serial = 0; serial < packets; serial += 1) {
    const at = serial * (HEADER_BYTES + payloadBytes)
    all[at] = serial % 200
    all.writeUInt16BE(payloadBytes, at + 1)
    all.fill(serial % 250, at + HEADER_BYTES, at + HEADER_BYTES + payloadBytes)
  }
  const count = Math.ceil(all.length / frameBytes)
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(all.subarray(i * frameBytes, (i + 1) * frameBytes)),
  )
}

/** What a run comes to. */
export function sumOf({ payloadBytes, packets }: PacketTraffic): number {
  let sum = 0
  for (let serial = 0; serial < packets; serial += 1) sum += (serial % 200) + payloadBytes + (serial % 250)
  return sum
}

/** What a packet counts for. */
export function worth(type: number, payload: Uint8Array): number {
  return type + payload.length + (payload.at(-1) ?? 0)
}
