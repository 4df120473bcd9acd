/**
 * The proof that compressed documents came whole and in order, without inflating each of them on each connection: the
 * first copy of a frame is inflated, and every other one has to be the same bytes, or to inflate to the same.
 */

import { constants, inflateRawSync } from "node:zlib"
import { documentOf } from "../document.js"
import { type Check, SERVER } from "../message.js"

/** How far back compressed bytes may point (RFC 7692, section 7.1.2). */
const WINDOW_BYTES = 32_768
/** What the sender leaves out at the end of each message (RFC 7692, section 7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff])

/** What one server has sent to all of its connections, from its first document on. */
export class DocumentLog {
  /** By serial: the bytes of the first copy. */
  readonly #frames: Buffer[] = []
  #history = ""

  /** A check for one more connection. */
  check(): Check {
    const take = (serial: number, bytes: Buffer) => this.#take(serial, bytes)
    return {
      received: 0,
      take(this: { received: number }, bytes, start, end) {
        take(this.received, bytes.subarray(start, end))
        this.received += 1
        return SERVER
      },
    }
  }

  #take(serial: number, bytes: Buffer): void {
    const first = this.#frames[serial]
    if (first?.equals(bytes)) return
    const document = documentOf(serial)
    if (inflate(bytes, this.#before(serial)) !== document)
      throw new Error(`document ${serial} is another one`)
    if (first) return
    this.#frames[serial] = Buffer.from(bytes)
    this.#history = (this.#history + document).slice(-WINDOW_BYTES)
  }

  /** What was said before a document. */
  #before(serial: number): string {
    if (serial === this.#frames.length) return this.#history
    let before = ""
    for (let i = serial - 1; i >= 0 && before.length < WINDOW_BYTES; i -= 1) before = documentOf(i) + before
    return before
  }
}

/** A sender that keeps its context points into what it sent before; one that does not never looks. */
function inflate(bytes: Buffer, before: string): string {
  const dictionary = Buffer.from(before).subarray(-WINDOW_BYTES)
  const options = { finishFlush: constants.Z_SYNC_FLUSH, ...(dictionary.length > 0 && { dictionary }) }
  return inflateRawSync(Buffer.concat([bytes, TAIL]), options).toString()
}
