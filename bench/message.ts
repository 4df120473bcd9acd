/**
 * The messages of the bench: 64 bytes of text that say who published them and as which one, so that whoever receives one
 * can tell a lost, repeated, reordered or altered one. It knows no frames.
 */

/** The length of a message, in bytes of ASCII. */
export const MESSAGE_BYTES = 64
/** The server itself, where no connection publishes. */
export const SERVER = 0
/** How many publishers there can be, the server included. */
export const MAX_PUBLISHERS = 1_001
/** After so many messages numbers may start from 0 again, where all messages are made beforehand. */
export const PERIOD = 10_000

// the numbers start there, so that each has its digits without leading zeros, which JSON does not know
const FIRST_PUBLISHER = 1_000
const FIRST_SERIAL = 10_000_000
const PUBLISHER_DIGITS = 4
const SERIAL_DIGITS = 8

/** How a message is written. */
export class Format {
  readonly name: "text" | "json"
  readonly #parts: readonly [string, string, string]
  readonly #bytes: readonly [Buffer, Buffer, Buffer]

  constructor(name: Format["name"], before: string, between: string, after: string) {
    const filler = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(2)
    const length = before.length + PUBLISHER_DIGITS + between.length + SERIAL_DIGITS + after.length
    const last = after.replace("…", filler.slice(0, MESSAGE_BYTES - length + 1))
    this.name = name
    this.#parts = [before, between, last]
    this.#bytes = [Buffer.from(before), Buffer.from(between), Buffer.from(last)]
  }

  /** A publisher's message number `serial`, counted from 0. */
  make(publisher: number, serial: number): string {
    const [before, between, after] = this.#parts
    return `${before}${FIRST_PUBLISHER + publisher}${between}${FIRST_SERIAL + serial}${after}`
  }

  /**
   * Reads the bytes from `start` to `end` as a message.
   * @throws Error that says what is wrong with it.
   */
  read(bytes: Buffer, start: number, end: number): { publisher: number; serial: number } {
    if (end - start !== MESSAGE_BYTES) throw new Error(`a message of ${end - start} bytes`)
    const [before, between, after] = this.#bytes
    const publisherAt = start + before.length
    const betweenAt = publisherAt + PUBLISHER_DIGITS
    const serialAt = betweenAt + between.length
    const isWhole =
      isAt(before, bytes, start) &&
      isAt(between, bytes, betweenAt) &&
      isAt(after, bytes, serialAt + SERIAL_DIGITS)
    if (!isWhole) throw new Error("an altered message")
    return {
      publisher: digits(bytes, publisherAt, PUBLISHER_DIGITS) - FIRST_PUBLISHER,
      serial: digits(bytes, serialAt, SERIAL_DIGITS) - FIRST_SERIAL,
    }
  }
}

/** Two numbers and filler. */
export const TEXT = new Format("text", "", "", "…")
/** An object with four fields, as `JSON.stringify` writes it. */
export const JSON_TEXT = new Format("json", '{"type":"note","from":', ',"serial":', ',"text":"…"}')

/** What {@link JSON_TEXT} is when it is parsed. */
export interface Note {
  readonly type: string
  readonly from: number
  readonly serial: number
  readonly text: string
}

/** Checks the messages that one connection receives. */
export interface Check {
  /** How many good messages came. */
  readonly received: number
  /**
   * Takes the bytes from `start` to `end` as the next message. Returns who published it.
   * @throws Error that says what is wrong with it.
   */
  take(bytes: Buffer, start: number, end: number): number
}

/** Each publisher's messages, each once, in order. */
export class MessageCheck implements Check {
  received = 0
  readonly #format: Format
  readonly #period: number
  readonly #next: Uint32Array

  /** @param period - After so many messages a publisher starts from 0 again. */
  constructor(format = TEXT, publishers = MAX_PUBLISHERS, period = Number.MAX_SAFE_INTEGER) {
    this.#format = format
    this.#period = period
    this.#next = new Uint32Array(publishers)
  }

  take(bytes: Buffer, start: number, end: number): number {
    const { publisher, serial } = this.#format.read(bytes, start, end)
    const expected = this.#next[publisher]
    if (serial !== expected) {
      throw new Error(`publisher ${publisher}: message ${serial} came where ${expected} was due`)
    }
    this.#next[publisher] = (serial + 1) % this.#period
    this.received += 1
    return publisher
  }
}

function isAt(part: Buffer, bytes: Buffer, at: number): boolean {
  return part.length === 0 || part.compare(bytes, at, at + part.length) === 0
}

/** What is no digit makes a number that no message has. */
function digits(bytes: Buffer, start: number, count: number): number {
  let value = 0
  for (let i = start; i < start + count; i += 1) value = value * 10 + (bytes[i] as number) - 48
  return value
}
