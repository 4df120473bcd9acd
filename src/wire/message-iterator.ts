/**
 * Messages as an async iterator, with a bounded buffer. It says when it is full; who feeds it decides what then.
 */

/** Whom an iterator tells about itself. */
export interface IteratorOwner<Message> {
  /** A message was taken, so there is room. */
  taken(): void
  /** The reader left the loop. */
  returned(iterator: MessageIterator<Message>): void
}

/** One reader's view of a stream of messages. It begins with the first message after it was made. */
export class MessageIterator<Message> implements AsyncIterableIterator<Message> {
  readonly #owner: IteratorOwner<Message>
  readonly #limit: number
  #buffer: Message[] = []
  #readers: PromiseWithResolvers<IteratorResult<Message>>[] = []
  #end: { readonly error?: unknown } | undefined

  constructor(owner: IteratorOwner<Message>, limit: number) {
    this.#owner = owner
    this.#limit = limit
  }

  /** Whether the buffer holds as much as it may. */
  get isFull(): boolean {
    return this.#buffer.length >= this.#limit
  }

  /** Adds a message. One that comes while full is kept all the same: the feeder was told to stop. */
  push(message: Message): void {
    if (this.#end) return
    const reader = this.#readers.shift()
    if (reader) reader.resolve({ value: message, done: false })
    else this.#buffer.push(message)
  }

  /** Drops the oldest message in the buffer, for feeders that cannot stop. */
  dropOldest(): Message | undefined {
    return this.#buffer.shift()
  }

  /** No more will come. What is in the buffer can still be read; then the loop ends, or throws `error`. */
  end(error?: unknown): void {
    this.#end ??= error === undefined ? {} : { error }
    const readers = this.#readers
    this.#readers = []
    for (const reader of readers) this.#finish(reader)
  }

  next(): Promise<IteratorResult<Message>> {
    const reader = withResolvers<IteratorResult<Message>>()
    if (this.#buffer.length > 0) {
      reader.resolve({ value: this.#buffer.shift() as Message, done: false })
      this.#owner.taken()
    } else if (this.#end) this.#finish(reader)
    else this.#readers.push(reader)
    return reader.promise
  }

  return(): Promise<IteratorResult<Message>> {
    this.#buffer = []
    this.end()
    this.#owner.returned(this)
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #finish(reader: PromiseWithResolvers<IteratorResult<Message>>): void {
    const end = this.#end
    if (end && "error" in end) reader.reject(end.error)
    else reader.resolve({ value: undefined, done: true })
    // an error is thrown once, to one reader; the others see the end
    this.#end = {}
  }
}

/** A promise and the two functions that settle it. */
export interface PromiseWithResolvers<T> {
  /** The promise. */
  readonly promise: Promise<T>
  /** Fulfils it. */
  readonly resolve: (value: T) => void
  /** Rejects it. */
  readonly reject: (error: unknown) => void
}

/** `Promise.withResolvers`, which Node has from 22 on. */
export function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}
