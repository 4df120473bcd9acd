/**
 * Two lines over time, with gaps where nothing came. It knows samples and SVG.
 */

import { byId, setText } from "../../pages/line.js"
import type { Sample } from "../protocol.js"
import type { Series } from "./series.js"

const SVG = "http://www.w3.org/2000/svg"
const WIDTH = 1_000
const HEIGHT = 320
const TOPS = { orders: 120, latency: 60 } as const

type Measure = keyof typeof TOPS

/** Draws the grid and says what the top means. */
export function prepareChart(): void {
  const lines = [0.25, 0.5, 0.75].map((part) => {
    const line = document.createElementNS(SVG, "line")
    for (const [name, value] of Object.entries({ x1: 0, x2: WIDTH, y1: HEIGHT * part, y2: HEIGHT * part })) {
      line.setAttribute(name, String(value))
    }
    return line
  })
  byId("grid", SVGGElement).replaceChildren(...lines)
  for (const measure of ["orders", "latency"] as const) {
    setText(byId(`${measure}-top`, HTMLElement), String(TOPS[measure]))
  }
}

/** Draws what there is of so many milliseconds, the newest at the right. */
export function drawChart(series: Series, now: number, rangeMs: number): void {
  const runs = series.runs(now - rangeMs)
  for (const measure of ["orders", "latency"] as const) {
    const lines = runs.map((run) => {
      const line = document.createElementNS(SVG, "polyline")
      line.setAttribute("points", run.map((sample) => pointOf(sample, measure, now, rangeMs)).join(" "))
      return line
    })
    byId(`${measure}-line`, SVGGElement).replaceChildren(...lines)
  }
}

function pointOf(sample: Sample, measure: Measure, now: number, rangeMs: number): string {
  const x = WIDTH * (1 - (now - sample.at) / rangeMs)
  const y = HEIGHT * (1 - Math.min(1, sample[measure] / TOPS[measure]))
  return `${x.toFixed(1)},${y.toFixed(1)}`
}

/** The chart in a sentence, for who cannot see it. */
export function describeChart(series: Series, now: number, rangeMs: number): string {
  const runs = series.runs(now - rangeMs)
  const samples = runs.flat()
  if (samples.length === 0) return `Nothing in the last ${rangeMs / 1_000} seconds`
  const span = (measure: Measure) => {
    const values = samples.map((sample) => sample[measure])
    return `${Math.min(...values)} to ${Math.max(...values)}`
  }
  const gaps = runs.length > 1 ? `, ${runs.length - 1} gaps` : ""
  return `The last ${rangeMs / 1_000} seconds: ${span("orders")} orders a minute, the slowest of a hundred ${span("latency")} ms${gaps}`
}
