/**
 * Fields of bytes, written one after the other and read back in the same order. Knows nothing of what they mean.
 */

let tools: ReturnType<typeof makeTools> | undefined

/** Made at the first use: importing this makes nothing, and works where there is no TextEncoder. */
function shared() {
  tools ??= makeTools()
  return tools
}

function makeTools() {
  return {
    encoder: new TextEncoder(),
    decoder: new TextDecoder("utf-8", { ignoreBOM: true }),
    /** For one number at a time. */
    eight: new DataView(new ArrayBuffer(8)),
    none: new Uint8Array(),
  }
}

/** Memory for one writer at a time: what is written is copied out of it once. */
let spare: Uint8Array | undefined

/** Larger memory than this is not kept, in bytes. */
const MAX_SPARE_BYTES = 65_536

/** A character takes up to three bytes of UTF-8 for each of its units. */
const BYTES_PER_UNIT = 3

/** Text of so many units is encoded where it is to stand, rather than apart. */
const MAX_UNITS_IN_PLACE = 4_096

/** Text of so many units has a length of one byte, whatever is in it. */
const MAX_SHORT_UNITS = 42

/** A whole number takes seven bits of each byte; the eighth says that more follow. Up to 2⁵³ − 1. */
const MAX_NUMBER_BYTES = 8

/** Collects fields. */
export class FieldWriter {
  #bytes: Uint8Array
  #length = 0

  constructor() {
    this.#bytes = spare ?? new Uint8Array(1_024)
    spare = undefined
  }

  /** What was written, as a copy of its own. The writer begins again. */
  finish(): Uint8Array {
    const written = this.#bytes.slice(0, this.#length)
    this.#length = 0
    if (this.#bytes.byteLength <= MAX_SPARE_BYTES) spare = this.#bytes
    this.#bytes = shared().none
    return written
  }

  /** One byte. */
  byte(value: number): this {
    this.#room(1)[this.#length] = value
    this.#length += 1
    return this
  }

  /** A whole number ≥ 0. */
  number(value: number): this {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80)
    return this.byte(rest)
  }

  /** A moment in milliseconds, with its fraction. */
  moment(value: number): this {
    const { eight } = shared()
    eight.setFloat64(0, value)
    const bytes = this.#room(8)
    for (let i = 0; i < 8; i += 1) bytes[this.#length + i] = eight.getUint8(i)
    this.#length += 8
    return this
  }

  /** Text, with its length. */
  text(value: string): this {
    if (value.length > MAX_SHORT_UNITS) {
      const bytes = shared().encoder.encode(value)
      return this.number(bytes.byteLength).rest(bytes)
    }
    const lengthAt = this.#length
    this.byte(0).#encode(value)
    this.#bytes[lengthAt] = this.#length - lengthAt - 1
    return this
  }

  /** Several texts. */
  texts(values: readonly string[]): this {
    this.number(values.length)
    for (const value of values) this.text(value)
    return this
  }

  /** The last field: bytes without their length, or text as UTF-8. */
  rest(value: Uint8Array | string): this {
    if (typeof value === "string" && value.length <= MAX_UNITS_IN_PLACE) return this.#encode(value)
    const bytes = typeof value === "string" ? shared().encoder.encode(value) : value
    this.#room(bytes.byteLength).set(bytes, this.#length)
    this.#length += bytes.byteLength
    return this
  }

  #encode(value: string): this {
    const bytes = this.#room(BYTES_PER_UNIT * value.length)
    this.#length += shared().encoder.encodeInto(value, bytes.subarray(this.#length)).written
    return this
  }

  #room(more: number): Uint8Array {
    const needed = this.#length + more
    if (needed > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.byteLength))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    return this.#bytes
  }
}

/** Reads fields. Anything that does not fit throws a RangeError. */
export class FieldReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** One byte. */
  byte(): number {
    const value = this.#bytes[this.#at]
    if (value === undefined) throw new RangeError("the fields end too early")
    this.#at += 1
    return value
  }

  /** A whole number ≥ 0. */
  number(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < MAX_NUMBER_BYTES; i += 1) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return checkSafe(value)
      scale *= 0x80
    }
    throw new RangeError("a number has too many bytes")
  }

  /** A moment in milliseconds. */
  moment(): number {
    const { eight } = shared()
    for (let i = 0; i < 8; i += 1) eight.setUint8(i, this.byte())
    const value = eight.getFloat64(0)
    if (!Number.isFinite(value)) throw new RangeError("a moment is no number")
    return value
  }

  /** Text. */
  text(): string {
    return shared().decoder.decode(this.#take(this.number()))
  }

  /** Several texts. */
  texts(): string[] {
    const values: string[] = []
    for (let left = this.number(); left > 0; left -= 1) values.push(this.text())
    return values
  }

  /** All that is left, as bytes. */
  rest(): Uint8Array {
    return this.#take(this.#bytes.byteLength - this.#at)
  }

  /** All that is left, as text. */
  restText(): string {
    return shared().decoder.decode(this.rest())
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.byteLength) throw new RangeError("the fields end too early")
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return bytes
  }
}

function checkSafe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError("a number is too large")
  return value
}
