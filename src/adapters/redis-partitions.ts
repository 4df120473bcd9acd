/**
 * Where sharded channels live: 64 partitions, each with a hash tag whose slot lies in its own 64th of the slots, so that
 * they spread over any cluster. All nodes have to agree on this, so it never changes.
 */

/** How many partitions there are. */
export const PARTITIONS = 64

/** Slots of a Redis cluster. */
const SLOTS = 16_384

let tags: readonly string[] | undefined

/** The hash tags of all partitions: the first number, counted from 0, whose slot lies in the partition. */
export function partitionTags(): readonly string[] {
  tags ??= findTags()
  return tags
}

/** The partition of a subject. */
export function partitionOf(subject: string): number {
  return crc16(subject) % PARTITIONS
}

/** The slot of a partition. */
export function partitionSlot(partition: number): number {
  return crc16(partitionTags()[partition] ?? "") % SLOTS
}

function findTags(): string[] {
  const found: string[] = []
  const width = SLOTS / PARTITIONS
  for (let n = 0, missing = PARTITIONS; missing > 0; n += 1) {
    const partition = Math.floor((crc16(`${n}`) % SLOTS) / width)
    if (found[partition] !== undefined) continue
    found[partition] = `${n}`
    missing -= 1
  }
  return found
}

/** CRC16 as Redis has it (XMODEM): https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
export function crc16(text: string): number {
  let crc = 0
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit += 1)
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc
}
