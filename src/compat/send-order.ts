/**
 * Keeps messages in the order of the calls while a `Blob` is being read, which takes a while. It knows no sockets.
 */

import { byteLength } from "../wire/utf8.js"

/** Text, or bytes in the caller's own memory. */
export type Sendable = string | ArrayBufferLike | ArrayBufferView

/** What a send order needs of a `Blob`; the platform's class of that name has it. */
export interface BlobLike {
  /** How many bytes it has. */
  readonly size: number
  /** Reads all of them. */
  arrayBuffer(): Promise<ArrayBuffer>
}

/** Everything that can be sent. */
export type Message = Sendable | BlobLike

/** What the argument of `send` is sent as: as in browsers, what is neither bytes nor a `Blob` is text. */
export function toMessage(data: unknown): Message {
  const isBytes = data instanceof ArrayBuffer || ArrayBuffer.isView(data) || isShared(data)
  return isBytes || isBlob(data as Message) ? (data as Message) : String(data)
}

/** Bytes that a message takes. */
export function sizeOf(message: Message): number {
  if (isBlob(message)) return message.size
  return typeof message === "string" ? byteLength(message) : message.byteLength
}

/** A queue that is empty unless a `Blob` is being read. */
export class SendOrder {
  readonly #deliver: (message: Sendable) => void
  readonly #onFault: (error: unknown) => void
  #waiting: Message[] = []
  #reading: Promise<void> | undefined

  /**
   * @param deliver - Takes the messages, in order.
   * @param onFault - Told when a `Blob` cannot be read; it is left out then.
   */
  constructor(deliver: (message: Sendable) => void, onFault: (error: unknown) => void) {
    this.#deliver = deliver
    this.#onFault = onFault
  }

  /** How many messages wait for a `Blob`, itself included. */
  get size(): number {
    return this.#waiting.length
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#waiting.reduce((sum, it) => sum + sizeOf(it), 0)
  }

  /** Resolves once nothing waits; `undefined` when nothing does. */
  get settled(): Promise<void> | undefined {
    return this.#reading
  }

  /** Hands a message on: at once, or behind what waits. */
  push(message: Message): void {
    if (!this.#reading && !isBlob(message)) {
      this.#deliver(message)
      return
    }
    // the caller's bytes stay the caller's
    this.#waiting.push(isBlob(message) || typeof message === "string" ? message : copied(message))
    this.#reading ??= this.#read()
  }

  /** Takes out everything that waits. */
  drain(): Message[] {
    const waiting = this.#waiting
    this.#waiting = []
    // what comes next does not wait for a Blob that was taken out
    this.#reading = undefined
    return waiting
  }

  /** Hands on nothing any more. What waits can still be taken out. */
  stop(): void {
    // who reads goes by the list that it began with
    this.#waiting = [...this.#waiting]
  }

  async #read(): Promise<void> {
    const waiting = this.#waiting
    // a Blob that is not the platform's may send when it is asked: this has to be known as being read
    await null
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const bytes = isBlob(next) ? await this.#bytesOf(next) : next
      if (waiting !== this.#waiting) return
      waiting.shift()
      if (bytes !== undefined) this.#deliver(bytes)
    }
    if (waiting === this.#waiting) this.#reading = undefined
  }

  async #bytesOf(blob: BlobLike): Promise<ArrayBuffer | undefined> {
    try {
      return await blob.arrayBuffer()
    } catch (error) {
      this.#onFault(error)
      return undefined
    }
  }
}

/** Told by its shape: there is more than one `Blob` class in Node, and more than one realm in a page. */
function isBlob(message: Message): message is BlobLike {
  return typeof (message as Partial<BlobLike> | null | undefined)?.arrayBuffer === "function"
}

function isShared(data: unknown): data is SharedArrayBuffer {
  return typeof SharedArrayBuffer === "function" && data instanceof SharedArrayBuffer
}

function copied(message: Exclude<Sendable, string>): Uint8Array {
  return new Uint8Array(bytesOf(message))
}

/** The bytes of a message, in the same memory. */
export function bytesOf(message: Exclude<Sendable, string>): Uint8Array {
  // also of a buffer that was transferred, which has no memory any more
  if (message.byteLength === 0) return new Uint8Array()
  return ArrayBuffer.isView(message)
    ? new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
    : new Uint8Array(message)
}
