/**
 * What has arrived and has not been asked for yet. Whoever asks first gets it, or waits for it until a deadline.
 */

import { inTime } from "./deadline.js"

/** Items in order of arrival. */
export class Mailbox<T> {
  readonly #name: string
  readonly #items: T[] = []
  readonly #readers: { resolve(item: T): void; reject(error: Error): void }[] = []
  #end: Error | undefined

  /** @param name - What one item is, for the message of a wait in vain. */
  constructor(name: string) {
    this.#name = name
  }

  /** How many items nobody has asked for. */
  get size(): number {
    return this.#items.length
  }

  put(item: T): void {
    const reader = this.#readers.shift()
    if (reader) reader.resolve(item)
    else this.#items.push(item)
  }

  /** No more will arrive: whoever waits, or asks once it is empty, is told so. */
  end(why: string): void {
    this.#end = new Error(`no ${this.#name} any more: ${why}`)
    for (const reader of this.#readers.splice(0)) reader.reject(this.#end)
  }

  /** The next item. Rejects after the deadline. */
  next(ms?: number): Promise<T> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift() as T)
    if (this.#end) return Promise.reject(this.#end)
    const item = new Promise<T>((resolve, reject) => this.#readers.push({ resolve, reject }))
    return inTime(item, this.#name, ms)
  }

  /** The next so many items. */
  async take(count: number, ms?: number): Promise<T[]> {
    const items: T[] = []
    while (items.length < count) items.push(await this.next(ms))
    return items
  }
}
