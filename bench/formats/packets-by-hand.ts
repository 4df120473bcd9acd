/**
 * Packets by hand: a loop over each frame, behind what was left of the one before; nothing is checked.
 */

import { framesOf, HEADER_BYTES, type PacketTraffic, sumOf, TRAFFIC, worth } from "./packets.js"
import { work } from "./work.js"

interface Packet {
  readonly type: number
  readonly flags: number
  readonly payload: Uint8Array
}

function task(traffic: PacketTraffic) {
  let rest: Buffer | undefined
  return {
    frames: framesOf(traffic),
    sum: sumOf(traffic),
    handle(frame: Buffer) {
      const bytes = rest ? Buffer.concat([rest, frame]) : frame
      let sum = 0
      let at = 0
      for (;;) {
        if (at + HEADER_BYTES > bytes.length) break
        const end = at + HEADER_BYTES + bytes.readUInt16BE(at + 1)
        if (end > bytes.length) break
        const packet: Packet = {
          type: bytes[at] as number,
          flags: bytes[at + 3] as number,
          payload: bytes.subarray(at + HEADER_BYTES, end),
        }
        sum += worth(packet.type, packet.payload)
        at = end
      }
      rest = at < bytes.length ? bytes.subarray(at) : undefined
      return sum
    },
  }
}

await work({
  small: () => task(TRAFFIC.small),
  large: () => task(TRAFFIC.large),
  split: () => task(TRAFFIC.split),
})
