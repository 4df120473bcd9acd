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

const NEVER_USED = undefined

/** The formats of the tags 0xc0 to 0xdf, in order. */
const FORMATS: readonly (Format | undefined)[] = [
  ...[[0, 0, PLAIN] as const, NEVER_USED, [0, 0, PLAIN] as const, [0, 0, PLAIN] as const],
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

/** What lies around an array or a map that is being looked through. */
interface Level {
  readonly left: number
  readonly isMap: boolean
  readonly isConstructor: boolean
}

/**
 * Looks through one value.
 * @throws Error that says in a few words what is wrong.
 */
export function scan(bytes: Uint8Array, limits: ScanLimits): void {
  new Scan(bytes, limits).run()
}

/** One look. What is read last is in fields: a value that is made of each would cost more than reading the message. */
class Scan {
  readonly #bytes: Uint8Array
  readonly #limits: ScanLimits
  /** Where the next value begins. */
  #at = 0
  /** The value that was read last: what it is, where what follows its length begins, and how many values lie in it. */
  #kind = PLAIN
  #start = 0
  #items = 0
  /** The array or map that is being looked through: how many values are left, and whether it is that of `constructor`. */
  #left = 1
  #isMap = false
  #isConstructor = false
  readonly #outer: Level[] = []

  constructor(bytes: Uint8Array, limits: ScanLimits) {
    this.#bytes = bytes
    this.#limits = limits
  }

  run(): void {
    let isConstructor = false
    for (; this.#left > 0 || this.#leave(); ) {
      const isKey = this.#isMap && this.#left % 2 === 0
      this.#left -= 1
      this.#read()
      if (this.#kind === EXTENSION) this.#checkExtension()
      if (this.#items > 0) this.#enter(isConstructor)
      else if (this.#kind >= ARRAY) this.#checkDepth()
      isConstructor = isKey && this.#kind === TEXT && this.#isConstructorKey()
    }
    if (this.#at < this.#bytes.length) throw new Error("there is more than one value")
  }

  #enter(isConstructor: boolean): void {
    this.#checkDepth()
    this.#outer.push({ left: this.#left, isMap: this.#isMap, isConstructor: this.#isConstructor })
    this.#left = this.#items
    this.#isMap = this.#kind === MAP
    this.#isConstructor = isConstructor
  }

  /** Goes on in the innermost array or map in which something is left. Says whether there is one. */
  #leave(): boolean {
    for (let level = this.#outer.pop(); level; level = this.#outer.pop()) {
      if (level.left === 0) continue
      this.#left = level.left
      this.#isMap = level.isMap
      this.#isConstructor = level.isConstructor
      return true
    }
    return false
  }

  /** An array or a map begins within so many others. */
  #checkDepth(): void {
    if (this.#outer.length >= this.#limits.maxDepth) throw new Error("it is too deep")
  }

  #read(): void {
    const tag = this.#byte(this.#at)
    this.#kind = PLAIN
    this.#items = 0
    this.#start = this.#at + 1
    this.#at = this.#start
    if (tag < 0x80 || tag >= 0xe0) return
    if (tag < 0x90) this.#contain(MAP, 2 * (tag & 0x0f))
    else if (tag < 0xa0) this.#contain(ARRAY, tag & 0x0f)
    else if (tag < 0xc0) this.#pass(TEXT, tag & 0x1f)
    else this.#readFormat(FORMATS[tag - 0xc0])
  }

  #readFormat(format: Format | undefined): void {
    if (!format) throw new Error("it has the byte c1, which is never used")
    const [lengthBytes, fixedBytes, kind] = format
    let length = 0
    for (let i = 0; i < lengthBytes; i += 1) length = length * 0x100 + this.#byte(this.#start + i)
    this.#start += lengthBytes
    this.#at = this.#start
    if (kind === MAP) this.#contain(MAP, 2 * length)
    else if (kind === ARRAY) this.#contain(ARRAY, length)
    else this.#pass(kind, fixedBytes + length)
  }

  /** So many values lie in it. */
  #contain(kind: number, items: number): void {
    this.#kind = kind
    this.#items = items
  }

  /** So many bytes belong to it. */
  #pass(kind: number, bytes: number): void {
    this.#kind = kind
    this.#at = this.#start + bytes
    if (this.#at > this.#bytes.length) throw new Error("it is cut off")
  }

  #byte(at: number): number {
    const byte = this.#bytes[at]
    if (byte === undefined) throw new Error("it is cut off")
    return byte
  }

  #checkExtension(): void {
    const type = (this.#byte(this.#start) << 24) >> 24
    if (!this.#limits.extensions.has(type)) throw new Error(`it has the extension ${type}`)
  }

  /** Refuses keys that reach the prototype of every object when they are copied into another one. */
  #isConstructorKey(): boolean {
    const length = this.#at - this.#start
    if (length < SHORTEST_KEY || length > LONGEST_KEY) return false
    const key = String.fromCharCode(...this.#bytes.subarray(this.#start, this.#at))
    if (key === "__proto__" || (key === "prototype" && this.#isConstructor))
      throw new Error(`it has a key ${key}`)
    return key === "constructor"
  }
}
