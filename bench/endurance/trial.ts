/**
 * What a trial hands in: figures beside what they should be. It knows nothing of how they were found.
 */

/** One figure, and what it should be. */
export interface Check {
  readonly what: string
  readonly found: string
  /** What it should be; empty for a figure that nothing is promised about. */
  readonly limit: string
  readonly isMet: boolean
}

/** A picture that goes with a trial. */
export interface Picture {
  /** The file's name without its ending. */
  readonly name: string
  readonly title: string
  readonly svg: string
}

/** What came of a trial. */
export interface Verdict {
  readonly checks: readonly Check[]
  /** What was done, in a sentence or two. */
  readonly sentence: string
  readonly picture?: Picture
}

/** A figure that should be something. */
export function check(what: string, found: string | number, limit: string, isMet: boolean): Check {
  return { what, found: inWords(found), limit, isMet }
}

/** A figure that nothing is promised about. */
export function figure(what: string, found: string | number): Check {
  return { what, found: inWords(found), limit: "", isMet: true }
}

/** The figures as a table. */
export function toTable({ checks }: Verdict): string {
  return [
    "| | found | should be | |",
    "|---|---|---|---|",
    ...checks.map(({ what, found, limit, isMet }) => {
      return `| ${what} | ${found} | ${limit} | ${limit === "" ? "" : isMet ? "yes" : "**no**"} |`
    }),
  ].join("\n")
}

/** A share in percent. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** How many of some moments fall into each stretch of 100 ms after a start. */
export function binned(moments: readonly number[], start: number, end: number): number[] {
  const bins = new Array<number>(Math.max(1, Math.ceil((end - start) / BIN_MS))).fill(0)
  for (const moment of moments) {
    const bin = Math.floor((moment - start) / BIN_MS)
    if (bins[bin] !== undefined) bins[bin] += 1
  }
  return bins
}

/** The length of a stretch, in milliseconds. */
export const BIN_MS = 100

function inWords(found: string | number): string {
  return typeof found === "number" ? found.toLocaleString("en", { maximumFractionDigits: 2 }) : found
}
