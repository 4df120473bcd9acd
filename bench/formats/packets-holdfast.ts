/**
 * Packets through the reader of `lengthPrefixed()`, as a connection calls it.
 */

import { lengthPrefixed } from "holdfast"
import { framesOf, type PacketTraffic, sumOf, TRAFFIC, worth } from "./packets.js"
import { work } from "./work.js"

function task(traffic: PacketTraffic) {
  const reader = lengthPrefixed().reader?.()
  let sum = 0
  const take = ({ type, payload }: { type: number; payload: Uint8Array }) => {
    sum += worth(type, payload)
  }
  const fail = (error: unknown) => {
    throw error
  }
  return {
    frames: framesOf(traffic),
    sum: sumOf(traffic),
    handle(frame: Buffer) {
      const before = sum
      reader?.read(frame, take, fail)
      return sum - before
    },
  }
}

await work({
  small: () => task(TRAFFIC.small),
  large: () => task(TRAFFIC.large),
  split: () => task(TRAFFIC.split),
})
