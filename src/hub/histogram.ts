/**
 * How values are distributed, in buckets: plain counts, cheap enough to be always on. It knows no units.
 */

/** A histogram at one moment. */
export interface HistogramStats {
  /** Upper bounds of the buckets, ascending; a value on a bound belongs below it. */
  readonly bounds: readonly number[]
  /** How many values fell into each bucket; one more than bounds, for what is above the last. Not cumulative. */
  readonly counts: readonly number[]
  /** How many values there were. */
  readonly count: number
  /** Their sum. */
  readonly sum: number
}

/** Counts values by bucket. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #count = 0
  #sum = 0
  #listeners: Set<(value: number) => void> | undefined

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  /** Counts a value. */
  observe(value: number): void {
    let bucket = 0
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#count += 1
    this.#sum += value
    if (this.#listeners) for (const listener of this.#listeners) listener(value)
  }

  /** Hears of every value, for systems that keep histograms of their own. Returns the undo. */
  listen(listener: (value: number) => void): () => void {
    this.#listeners ??= new Set()
    const listeners = this.#listeners.add(listener)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#listeners = undefined
    }
  }

  /** The counts at this moment. */
  stats(): HistogramStats {
    return { bounds: this.#bounds, counts: [...this.#counts], count: this.#count, sum: this.#sum }
  }
}
