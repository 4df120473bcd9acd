/**
 * Medians and quartiles: what a few disturbed rounds on a shared machine move least.
 */

/** The middle of some values, and how far they are apart. */
export interface Spread {
  /** The middle one. */
  readonly median: number
  /** A quarter of the values is below this. */
  readonly low: number
  /** A quarter of the values is above this. */
  readonly high: number
}

/** Sums up one value or more. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) }
}

/** Between two neighbours it takes the share of each. */
function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] as number
  const above = sorted[Math.ceil(place)] as number
  return below + (above - below) * (place % 1)
}

/** What all but 1 in 100 of some values are at most. */
export function p99(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.99,
  )
}
