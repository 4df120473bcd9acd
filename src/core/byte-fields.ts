/**
 * Fields of bytes, written one after the other and read back in the same order. Knows nothing of what they mean.
 */

let coders: { readonly encoder: TextEncoder; readonly decoder: TextDecoder } | undefined

/** Made at the first use: importing this makes nothing, and works where there is no TextEncoder. */
function utf8() {
  coders ??= { encoder: new TextEncoder(), decoder: new TextDecoder("utf-8", { ignoreBOM: true }) }
  return coders
}

/** A whole number takes seven bits of each byte; the eighth says that more follow. Up to 2⁵³ − 1. */
const MAX_NUMBER_BYTES = 8

/** Collects fields. */
export class FieldWriter {
  #bytes = new Uint8Array(128)
  #length = 0

  /** What was written so far: a copy of its own. */
  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
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
    const bytes = this.#room(8)
    new DataView(bytes.buffer, bytes.byteOffset).setFloat64(this.#length, value)
    this.#length += 8
    return this
  }

  /** Text, with its length. */
  text(value: string): this {
    const bytes = utf8().encoder.encode(value)
    return this.number(bytes.byteLength).rest(bytes)
  }

  /** Several texts. */
  texts(values: readonly string[]): this {
    this.number(values.length)
    for (const value of values) this.text(value)
    return this
  }

  /** The last field: bytes without their length, or text as UTF-8. */
  rest(value: Uint8Array | string): this {
    const bytes = typeof value === "string" ? utf8().encoder.encode(value) : value
    this.#room(bytes.byteLength).set(bytes, this.#length)
    this.#length += bytes.byteLength
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
    const bytes = this.#take(8)
    return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0)
  }

  /** Text. */
  text(): string {
    return utf8().decoder.decode(this.#take(this.number()))
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
    return utf8().decoder.decode(this.rest())
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
