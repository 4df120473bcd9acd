/**
 * The message that every server of the bench sends: text of a fixed length that says who published it and as which
 * one, so that whoever receives it can tell a lost, repeated, reordered or altered one. It knows no frames.
 */

/** The length of a message, in bytes of ASCII. */
export const MESSAGE_BYTES = 64
/** The server itself, where no connection publishes. */
export const SERVER = 0
/** How many publishers there can be, the server included. */
export const MAX_PUBLISHERS = 100

const PUBLISHER_DIGITS = 2
const SERIAL_DIGITS = 8
const FILLER_START = PUBLISHER_DIGITS + SERIAL_DIGITS
const FILLER = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(2).slice(0, MESSAGE_BYTES - FILLER_START)
const FILLER_BYTES = Buffer.from(FILLER)

/** A publisher's message number `serial`, counted from 0. */
export function message(publisher: number, serial: number): string {
  return (
    publisher.toString().padStart(PUBLISHER_DIGITS, "0") +
    serial.toString().padStart(SERIAL_DIGITS, "0") +
    FILLER
  )
}

/** Checks the messages that one connection receives: every publisher's, each once, in order. */
export class MessageCheck {
  /** How many good messages came. */
  received = 0
  readonly #next = new Uint32Array(MAX_PUBLISHERS)

  /**
   * Takes the bytes from `start` to `end` as the next message. Returns who published it.
   * @throws Error that says what is wrong with it.
   */
  take(bytes: Buffer, start: number, end: number): number {
    if (end - start !== MESSAGE_BYTES) throw new Error(`a message of ${end - start} bytes`)
    const publisher = digits(bytes, start, PUBLISHER_DIGITS)
    const serial = digits(bytes, start + PUBLISHER_DIGITS, SERIAL_DIGITS)
    const expected = this.#next[publisher]
    if (serial !== expected) {
      throw new Error(`publisher ${publisher}: message ${serial} came where ${expected} was due`)
    }
    if (FILLER_BYTES.compare(bytes, start + FILLER_START, end) !== 0) throw new Error("an altered message")
    this.#next[publisher] = serial + 1
    this.received += 1
    return publisher
  }
}

/** What is no digit makes a number that no message has. */
function digits(bytes: Buffer, start: number, count: number): number {
  let value = 0
  for (let i = start; i < start + count; i += 1) value = value * 10 + (bytes[i] as number) - 48
  return value
}
