/**
 * A look at the bytes of one MessagePack value (https://github.com/msgpack/msgpack/blob/master/spec.md) before anything is
 * made of them: whether they are whole, how deep they go, which extensions they need, and whether their keys are a danger.
 * It makes nothing, so what is announced and not there costs nothing.
 */

/** What is let through. */
export interface ScanLimits {
  /** How many arrays and maps may lie in one another. */
  readonly maxDepth: number
  /** The extension types that are known. */
  readonly extensions: ReadonlySet<number>
}

const PLAIN = 0
const TEXT = 1
const EXTENSION = 2
const ARRAY = 3
const MAP = 4

/** How wide the length behind a tag is, how many bytes follow in any case, and what they are. */
type Format = readonly [lengthBytes: number, fixedBytes: number, kind: number]

const PLAIN_FORMAT: Format = [0, 0, PLAIN]
const NEVER_USED = undefined

/** The formats of the tags 0xc0 to 0xdf, in order. */
const FORMATS: readonly (Format | undefined)[] = [
  ...[PLAIN_FORMAT, NEVER_USED, PLAIN_FORMAT, PLAIN_FORMAT],
  ...[1, 2, 4].map((bytes): Format => [bytes, 0, PLAIN]),
  ...[1, 2, 4].map((bytes): Format => [bytes, 1, EXTENSION]),
  ...[4, 8, 1, 2, 4, 8, 1, 2, 4, 8].map((bytes): Format => [0, bytes, PLAIN]),
  ...[1, 2, 4, 8, 16].map((bytes): Format => [0, 1 + bytes, EXTENSION]),
  ...[1, 2, 4].map((bytes): Format => [bytes, 0, TEXT]),
  ...[2, 4].map((bytes): Format => [bytes, 0, ARRAY]),
  ...[2, 4].map((bytes): Format => [bytes, 0, MAP]),
]

/** Keys of other lengths are no danger. */
const SHORTEST_KEY = "__proto__".length
const LONGEST_KEY = "constructor".length

/**
 * Looks through one value.
 * @throws Error that says in a few words what is wrong.
 */
export function scan(bytes: Uint8Array, limits: ScanLimits): void {
  if (endOf(bytes, 0, limits.maxDepth, limits, false) < bytes.length)
    throw new Error("there is more than one value")
}

/**
 * Looks through the value that begins there, and returns where it ends.
 * @param depth - How many arrays and maps may lie in one another in it.
 * @param isConstructor - Whether it is the value of a key `constructor`.
 */
function endOf(
  bytes: Uint8Array,
  at: number,
  depth: number,
  limits: ScanLimits,
  isConstructor: boolean,
): number {
  const tag = byteAt(bytes, at)
  if (tag < 0x80 || tag >= 0xe0) return at + 1
  if (tag < 0x90) return endOfMap(bytes, at + 1, tag & 0x0f, depth, limits, isConstructor)
  if (tag < 0xa0) return endOfArray(bytes, at + 1, tag & 0x0f, depth, limits)
  if (tag < 0xc0) return checkEnd(bytes, at + 1 + (tag & 0x1f))
  const format = FORMATS[tag - 0xc0]
  if (!format) throw new Error("it has the byte c1, which is never used")
  const [lengthBytes, fixedBytes, kind] = format
  const start = at + 1 + lengthBytes
  const length = numberAt(bytes, at + 1, lengthBytes)
  if (kind === MAP) return endOfMap(bytes, start, length, depth, limits, isConstructor)
  if (kind === ARRAY) return endOfArray(bytes, start, length, depth, limits)
  if (kind === EXTENSION) checkExtension(byteAt(bytes, start), limits)
  return checkEnd(bytes, start + fixedBytes + length)
}

function endOfArray(
  bytes: Uint8Array,
  start: number,
  length: number,
  depth: number,
  limits: ScanLimits,
): number {
  checkDepth(depth)
  let at = start
  for (let i = 0; i < length; i += 1) at = endOf(bytes, at, depth - 1, limits, false)
  return at
}

function endOfMap(
  bytes: Uint8Array,
  start: number,
  length: number,
  depth: number,
  limits: ScanLimits,
  isConstructor: boolean,
): number {
  checkDepth(depth)
  let at = start
  for (let i = 0; i < length; i += 1) {
    const end = endOf(bytes, at, depth - 1, limits, false)
    at = endOf(bytes, end, depth - 1, limits, isConstructorKey(bytes, at, end, isConstructor))
  }
  return at
}

/** Says whether a key is `constructor`. Refuses those that reach the prototype of every object when they are copied. */
function isConstructorKey(bytes: Uint8Array, at: number, end: number, isConstructor: boolean): boolean {
  const start = at + textHeadBytes(bytes[at] as number)
  const length = end - start
  if (start === at || length < SHORTEST_KEY || length > LONGEST_KEY) return false
  const key = String.fromCharCode(...bytes.subarray(start, end))
  if (key === "__proto__" || (key === "prototype" && isConstructor)) throw new Error(`it has a key ${key}`)
  return key === "constructor"
}

/** How many bytes stand before the characters of a text; 0 where it is none. */
function textHeadBytes(tag: number): number {
  if (tag >= 0xa0 && tag < 0xc0) return 1
  const [lengthBytes, , kind] = FORMATS[tag - 0xc0] ?? PLAIN_FORMAT
  return kind === TEXT ? 1 + lengthBytes : 0
}

function checkDepth(depth: number): void {
  if (depth === 0) throw new Error("it is too deep")
}

function checkEnd(bytes: Uint8Array, end: number): number {
  if (end > bytes.length) throw new Error("it is cut off")
  return end
}

function checkExtension(byte: number, { extensions }: ScanLimits): void {
  const type = (byte << 24) >> 24
  if (!extensions.has(type)) throw new Error(`it has the extension ${type}`)
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw new Error("it is cut off")
  return byte
}

function numberAt(bytes: Uint8Array, at: number, width: number): number {
  let value = 0
  // not by shifting, which makes large numbers negative
  for (let i = 0; i < width; i += 1) value = value * 0x100 + byteAt(bytes, at + i)
  return value
}
