/**
 * How a packet lies in bytes: a header of type, payload length and flags, big-endian, and then the payload. It knows
 * one packet at a time, and neither frames nor connections.
 */

import { checkCount, checkOneOf, type Given, reject, resolveOptions } from "../core/options.js"

/** One packet as it came in. */
export interface Packet<Type extends number | string = number> {
  /** What kind it is: a number, or a name where the codec has names. */
  readonly type: Type
  /** What it carries: a view of the memory of its frame, unless it was split over frames. Yours to keep. */
  readonly payload: Uint8Array
  /** The flag byte. Bit 0: the payload is compressed; the other bits are the application's. */
  readonly flags: number
}

/** One packet on its way out. */
export interface OutgoingPacket<Type extends number | string = number> {
  /** What kind it is. */
  readonly type: Type
  /** What it carries; copied when it is encoded. */
  readonly payload: Uint8Array
  /** The flag byte. Bit 0 says that the payload is compressed. @defaultValue 0 */
  readonly flags?: number
}

/** Bit 0 of the flags. */
export const COMPRESSED = 0x01

/** Compresses payloads. Synchronous, as codecs are. */
export interface PacketCompression {
  /** Makes a payload smaller. What is not smaller afterwards goes uncompressed. */
  readonly compress: (payload: Uint8Array) => Uint8Array
  /** Undoes it. Must not produce more than `maxBytes`; throw instead. */
  readonly decompress: (payload: Uint8Array, maxBytes: number) => Uint8Array
  /** Payloads of fewer bytes go as they are. @defaultValue 1_024 */
  readonly thresholdBytes?: number
}

/** What both sides must agree on, and what this side allows. */
export interface PacketOptions {
  /** How wide the type is, in bytes. @defaultValue 1 */
  readonly typeBytes?: 1 | 2 | 4
  /** How wide the payload length is, in bytes. @defaultValue 2 */
  readonly lengthBytes?: 1 | 2 | 4
  /**
   * The largest payload, in bytes, before compression. Larger ones are not sent, and are skipped when they come in.
   * @defaultValue what the length can say, at most 1_048_576
   */
  readonly maxPayloadBytes?: number
  /**
   * Whether a packet may be split over several frames. Without, a frame that ends in the middle of a packet is an error,
   * and the next one starts afresh.
   * @defaultValue true
   */
  readonly isSplit?: boolean
  /** Compresses payloads. Without, bit 0 of the flags is the application's like the others. @defaultValue none */
  readonly compression?: PacketCompression
}

/** Types by name. */
export type PacketTypes = Readonly<Record<string, number>>

/** {@link PacketOptions} with everything decided. */
export interface PacketFormat {
  /** See {@link PacketOptions.typeBytes}. */
  readonly typeBytes: number
  /** See {@link PacketOptions.lengthBytes}. */
  readonly lengthBytes: number
  /** Type, length and flags together, in bytes. */
  readonly headerBytes: number
  /** See {@link PacketOptions.maxPayloadBytes}. */
  readonly maxPayloadBytes: number
  /** See {@link PacketOptions.isSplit}. */
  readonly isSplit: boolean
  /** See {@link PacketOptions.compression}. */
  readonly compression: Required<PacketCompression> | undefined
  /** The number of each name; `undefined` where types are numbers. */
  readonly types: ReadonlyMap<string, number> | undefined
  /** The name of each number; `undefined` where types are numbers. */
  readonly names: ReadonlyMap<number, string> | undefined
}

const DEFAULT_MAX_PAYLOAD_BYTES = 1_048_576

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolvePacketFormat(
  given: Given<PacketOptions & { types: PacketTypes }> | undefined,
): PacketFormat {
  const path = "lengthPrefixed"
  const options = resolveOptions(path, DEFAULTS, given as Given<typeof DEFAULTS>)
  const { typeBytes, lengthBytes, isSplit } = options
  checkOneOf(`${path}.typeBytes`, typeBytes, [1, 2, 4])
  checkOneOf(`${path}.lengthBytes`, lengthBytes, [1, 2, 4])
  checkOneOf(`${path}.isSplit`, isSplit, [true, false])
  const types = resolveTypes(`${path}.types`, options.types, typeBytes)
  return {
    typeBytes,
    lengthBytes,
    headerBytes: typeBytes + lengthBytes + 1,
    maxPayloadBytes: resolveLimit(`${path}.maxPayloadBytes`, options.maxPayloadBytes, lengthBytes),
    isSplit,
    compression: resolveCompression(`${path}.compression`, options.compression),
    types,
    names: types && new Map([...types].map(([name, type]) => [type, name])),
  }
}

const DEFAULTS = /* @__PURE__ */ Object.freeze({
  typeBytes: 1,
  lengthBytes: 2,
  maxPayloadBytes: undefined as number | undefined,
  isSplit: true,
  compression: undefined as PacketCompression | undefined,
  types: undefined as PacketTypes | undefined,
})

function resolveLimit(path: string, given: number | undefined, lengthBytes: number): number {
  const most = highest(lengthBytes)
  const limit = given ?? Math.min(most, DEFAULT_MAX_PAYLOAD_BYTES)
  if (checkCount(path, limit) > most)
    reject(path, `at most ${most}, what ${lengthBytes} bytes can say`, limit)
  return limit
}

function resolveCompression(
  path: string,
  given: PacketCompression | undefined,
): Required<PacketCompression> | undefined {
  if (given === undefined) return undefined
  const { compress, decompress, thresholdBytes = 1_024 } = given
  if (typeof compress !== "function" || typeof decompress !== "function")
    reject(path, "an object with compress and decompress", given)
  checkCount(`${path}.thresholdBytes`, thresholdBytes, 0)
  return { compress, decompress, thresholdBytes }
}

function resolveTypes(
  path: string,
  given: PacketTypes | undefined,
  typeBytes: number,
): ReadonlyMap<string, number> | undefined {
  if (given === undefined) return undefined
  if (typeof given !== "object" || given === null) reject(path, "an object of numbers by name", given)
  const types = new Map(Object.entries(given))
  for (const [name, type] of types) {
    if (checkCount(`${path}.${name}`, type, 0) > highest(typeBytes))
      reject(`${path}.${name}`, `at most ${highest(typeBytes)}, what ${typeBytes} bytes can say`, type)
  }
  if (new Set(types.values()).size < types.size) reject(path, "a different number for each name", given)
  return types
}

/** The highest number that so many bytes can say. */
export function highest(bytes: number): number {
  return 2 ** (8 * bytes) - 1
}
