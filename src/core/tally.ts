/**
 * How many there are of each kind. A kind that there is none of any more takes no memory.
 */

/** Counts by key. */
export class Tally<Key extends string | number> {
  readonly #counts = new Map<Key, number>()

  /** How many there are of a key. */
  of(key: Key): number {
    return this.#counts.get(key) ?? 0
  }

  /** There are more of a key. */
  add(key: Key, count = 1): void {
    this.#counts.set(key, this.of(key) + count)
  }

  /** There is one less of a key. */
  remove(key: Key): void {
    const count = this.of(key)
    if (count > 1) this.#counts.set(key, count - 1)
    else this.#counts.delete(key)
  }

  /** The counts at this moment, by key. */
  toRecord(): Readonly<Partial<Record<Key, number>>> {
    return Object.fromEntries(this.#counts) as Partial<Record<Key, number>>
  }
}
