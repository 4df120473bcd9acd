/**
 * The samples that a page has, in order, and how many it never got. It knows no screen.
 */

import type { Sample } from "../protocol.js"

/** Samples of the last minute. */
export class Series {
  readonly #keepMs: number
  #samples: Sample[] = []
  /** Samples that were measured and did not come. */
  skipped = 0

  constructor(keepMs: number) {
    this.#keepMs = keepMs
  }

  get latest(): Sample | undefined {
    return this.#samples.at(-1)
  }

  /** Begins anew, with what the server remembers: what was missed while the line was down is in it. */
  begin(history: readonly Sample[]): void {
    this.#samples = [...history]
    this.#forget()
  }

  add(sample: Sample): void {
    this.skipped += Math.max(0, sample.n - (this.latest?.n ?? sample.n) - 1)
    this.#samples.push(sample)
    this.#forget()
  }

  /** Those since a moment, in runs without a gap. */
  runs(since: number): Sample[][] {
    const runs: Sample[][] = []
    let before: Sample | undefined
    for (const sample of this.#samples) {
      if (sample.at < since) continue
      if (!before || sample.n !== before.n + 1) runs.push([])
      runs.at(-1)?.push(sample)
      before = sample
    }
    return runs
  }

  #forget(): void {
    const oldest = (this.latest?.at ?? 0) - this.#keepMs
    const first = this.#samples.findIndex(({ at }) => at >= oldest)
    if (first > 0) this.#samples.splice(0, first)
  }
}
