/**
 * A first-in-first-out queue in which an item may have a key, and a newer item takes an older one of its key away.
 * Every step is O(1). It knows no limits; whoever owns it counts.
 */

/** Items in the order they were pushed. `Item` is an object: items are told apart by identity. */
export class KeyedQueue<Item extends object> {
  readonly #items = new Map<string | number, Item>()
  /** Kept between calls: a `Map` walks over everything it forgot at its front each time it is begun anew. */
  #order = this.#items.entries()
  #head: [string | number, Item] | undefined
  #serial = 0

  /** How many items wait. */
  get size(): number {
    return this.#items.size
  }

  /** Adds an item at the end. Whatever waits under the same key must have been taken before. */
  push(item: Item, key?: string): void {
    this.#items.set(key ?? this.#serial++, item)
  }

  /** Takes out the item that waits under a key. */
  take(key: string): Item | undefined {
    const item = this.#items.get(key)
    this.#delete(key)
    return item
  }

  /** The oldest item, which stays. */
  peek(): Item | undefined {
    this.#head ??= this.#next()
    return this.#head?.[1]
  }

  /** Takes the oldest item out. */
  shift(): Item | undefined {
    const item = this.peek()
    if (this.#head) this.#delete(this.#head[0])
    return item
  }

  /** Takes out every item that a test picks, oldest first. O(size). */
  remove(isPicked: (item: Item) => boolean): Item[] {
    const removed: Item[] = []
    for (const [key, item] of this.#items) {
      if (!isPicked(item)) continue
      this.#delete(key)
      removed.push(item)
    }
    return removed
  }

  /** Takes out everything, oldest first. */
  clear(): Item[] {
    return this.remove(() => true)
  }

  /** The items, oldest first. */
  values(): IterableIterator<Item> {
    return this.#items.values()
  }

  #delete(key: string | number): void {
    this.#items.delete(key)
    if (this.#head?.[0] === key) this.#head = undefined
  }

  #next(): [string | number, Item] | undefined {
    const step = this.#order.next()
    if (!step.done) return step.value
    // an iterator that has ended stays ended, whatever is pushed later
    this.#order = this.#items.entries()
    return this.#order.next().value
  }
}
