/**
 * The `for await` loops over a client's messages. They outlive connections and slow reading down where that is
 * possible; it knows no states.
 */

import { QueueFullError } from "../core/errors.js"
import { type IteratorOwner, MessageIterator } from "../wire/message-iterator.js"

/** How one reader of `for await` is fed. */
export interface ClientIterateOptions {
  /**
   * How many messages may wait for this reader. Then reading from the socket pauses; in a browser, where that is
   * impossible, the loop ends with a `QueueFullError`.
   * @defaultValue 1_024
   */
  readonly maxMessages?: number
}

/** Several readers, and the pace of the slowest. */
export class ReaderSet<Message> implements IteratorOwner<Message> {
  readonly #readers = new Map<MessageIterator<Message>, number>()
  readonly #onPace: () => void

  /** @param onPace - Called when {@link isFull} may have changed. */
  constructor(onPace: () => void) {
    this.#onPace = onPace
  }

  /** Whether there is any. */
  get isEmpty(): boolean {
    return this.#readers.size === 0
  }

  /** Whether a reader has no room. */
  get isFull(): boolean {
    for (const reader of this.#readers.keys()) if (reader.isFull) return true
    return false
  }

  /** Adds a reader with room for so many messages. */
  add(maxMessages: number): MessageIterator<Message> {
    const reader = new MessageIterator<Message>(this, maxMessages)
    this.#readers.set(reader, maxMessages)
    return reader
  }

  /** Hands a message to every reader. One that is full although nothing can slow the sender down ends with an error. */
  push(message: Message, canPause: boolean): void {
    for (const [reader, maxMessages] of this.#readers) {
      if (!reader.isFull || canPause) {
        reader.push(message)
        continue
      }
      this.#readers.delete(reader)
      reader.end(new QueueFullError(`the reader is too slow: ${maxMessages} messages wait for it`))
    }
    this.#onPace()
  }

  /** Ends every reader, with an error where there is one. */
  end(error?: unknown): void {
    for (const reader of this.#readers.keys()) reader.end(error)
    this.#readers.clear()
  }

  taken(): void {
    this.#onPace()
  }

  returned(reader: MessageIterator<Message>): void {
    this.#readers.delete(reader)
    this.#onPace()
  }
}
