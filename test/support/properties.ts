/**
 * Properties: what holds for whatever fast-check thinks of. A run of the tests tries the same cases each time, so that it
 * fails for what was changed only; `npm run fuzz` looks for cases that nobody has tried.
 */

import fc from "fast-check"

const factor = Number(process.env.HOLDFAST_FUZZ ?? 0)
if (!Number.isSafeInteger(factor) || factor < 0)
  throw new Error(`HOLDFAST_FUZZ must be a count, not ${factor}`)

/** How often a property is tried that does not say. */
const USUAL_RUNS = 100

fc.configureGlobal(factor === 0 ? { seed: 6455 } : { numRuns: USUAL_RUNS * factor })

/** How often to try a property: in a fuzz run so many times as often. */
export function runs(numRuns: number): { readonly numRuns: number } {
  return { numRuns: factor === 0 ? numRuns : numRuns * factor }
}

export { fc }
