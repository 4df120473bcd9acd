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

type Kind = "plain" | "text" | "extension" | "array" | "map"

/** How wide the length behind a tag is, how many bytes follow in any case, and what they are. */
type Format = readonly [lengthBytes: number, fixedBytes: number, kind: Kind]

const PLAIN: Format = [0, 0, "plain"]
const NEVER_USED = undefined

/** The formats of the tags 0xc0 to 0xdf, in order. */
const FORMATS: readonly (Format | undefined)[] = [
  ...[PLAIN, NEVER_USED, PLAIN, PLAIN],
  ...[1, 2, 4].map((bytes): Format => [bytes, 0, "plain"]),
  ...[1, 2, 4].map((bytes): Format => [bytes, 1, "extension"]),
  ...[4, 8, 1, 2, 4, 8, 1, 2, 4, 8].map((bytes): Format => [0, bytes, "plain"]),
  ...[1, 2, 4, 8, 16].map((bytes): Format => [0, 1 + bytes, "extension"]),
  ...[1, 2, 4].map((bytes): Format => [bytes, 0, "text"]),
  ...[2, 4].map((bytes): Format => [bytes, 0, "array"]),
  ...[2, 4].map((bytes): Format => [bytes, 0, "map"]),
]

/** One value, as far as its first bytes tell. */
interface Head {
  readonly kind: Kind
  /** Where what follows the length begins. */
  readonly start: number
  /** Where the next value begins. */
  readonly end: number
  /** How many values lie in it. */
  readonly items: number
}

/** An array or a map that is being looked through. */
interface Level {
  left: number
  readonly isMap: boolean
  /** Whether it is the value of a key `constructor`. */
  readonly isConstructor: boolean
  /** The key that was read last; only those that matter. */
  key: string | undefined
}

/**
 * Looks through one value.
 * @throws Error that says in a few words what is wrong.
 */
export function scan(bytes: Uint8Array, limits: ScanLimits): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const levels: Level[] = [{ left: 1, isMap: false, isConstructor: false, key: undefined }]
  let offset = 0
  for (let level = levels.at(-1); level; level = levels.at(-1)) {
    if (level.left === 0) {
      levels.pop()
      continue
    }
    const head = readHead(view, offset)
    if (head.end > bytes.length) throw new Error("it is cut off")
    checkExtension(view, head, limits)
    const isKey = level.isMap && level.left % 2 === 0
    if (isKey) readKey(level, bytes, head)
    level.left -= 1
    offset = head.end
    if (head.kind !== "array" && head.kind !== "map") continue
    if (levels.length > limits.maxDepth) throw new Error("it is too deep")
    levels.push({
      left: head.items,
      isMap: head.kind === "map",
      isConstructor: !isKey && level.key === "constructor",
      key: undefined,
    })
  }
  if (offset < bytes.length) throw new Error("there is more than one value")
}

function readHead(view: DataView, offset: number): Head {
  if (offset >= view.byteLength) throw new Error("it is cut off")
  const tag = view.getUint8(offset)
  const start = offset + 1
  if (tag < 0x80 || tag >= 0xe0) return { kind: "plain", start, end: start, items: 0 }
  if (tag < 0x90) return { kind: "map", start, end: start, items: 2 * (tag & 0x0f) }
  if (tag < 0xa0) return { kind: "array", start, end: start, items: tag & 0x0f }
  if (tag < 0xc0) return { kind: "text", start, end: start + (tag & 0x1f), items: 0 }
  const format = FORMATS[tag - 0xc0]
  if (!format) throw new Error("it has the byte c1, which is never used")
  return readFormat(view, start, format)
}

function readFormat(view: DataView, offset: number, [lengthBytes, fixedBytes, kind]: Format): Head {
  const start = offset + lengthBytes
  if (start > view.byteLength) throw new Error("it is cut off")
  const length = readLength(view, offset, lengthBytes)
  if (kind === "array") return { kind, start, end: start, items: length }
  if (kind === "map") return { kind, start, end: start, items: 2 * length }
  return { kind, start, end: start + fixedBytes + length, items: 0 }
}

function readLength(view: DataView, offset: number, bytes: number): number {
  if (bytes === 0) return 0
  if (bytes === 1) return view.getUint8(offset)
  return bytes === 2 ? view.getUint16(offset) : view.getUint32(offset)
}

function checkExtension(view: DataView, { kind, start }: Head, { extensions }: ScanLimits): void {
  if (kind !== "extension") return
  const type = view.getInt8(start)
  if (!extensions.has(type)) throw new Error(`it has the extension ${type}`)
}

/** Keys that reach the prototype of every object when they are copied into another one. */
function readKey(level: Level, bytes: Uint8Array, { kind, start, end }: Head): void {
  level.key = undefined
  if (kind !== "text" || end - start < 9 || end - start > 11) return
  const key = String.fromCharCode(...bytes.subarray(start, end))
  if (key === "__proto__" || (key === "prototype" && level.isConstructor))
    throw new Error(`it has a key ${key}`)
  level.key = key
}
