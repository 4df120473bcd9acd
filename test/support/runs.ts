/**
 * How often a property is tried. A run of the tests tries the same cases each time, so that it fails for what was changed
 * only; `npm run fuzz` looks for cases that nobody has tried.
 */

const factor = Number(process.env.HOLDFAST_FUZZ ?? 0)
if (!Number.isSafeInteger(factor) || factor < 0)
  throw new Error(`HOLDFAST_FUZZ must be a count, not ${factor}`)

/** As often as given, from a seed that stays; in a fuzz run so many times as often, from another seed each time. */
export function runs(numRuns: number): { readonly numRuns: number; readonly seed?: number } {
  return factor === 0 ? { numRuns, seed: 6455 } : { numRuns: numRuns * factor }
}
