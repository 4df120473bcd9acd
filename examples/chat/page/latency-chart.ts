/**
 * The last round trips as a small line, with a gap where the connection was lost.
 */

import { milliseconds } from "./connection-view.js"
import { byId } from "./dom.js"
import type { PageModel } from "./page-model.js"

const SVG = "http://www.w3.org/2000/svg"
const WIDTH = 120
const HEIGHT = 28
const MARGIN = 3
/** The chart moves in from the right, one place for each round trip. */
const PLACES = 40
/** The least that fills the height, in milliseconds: below it, noise would look like news. */
const MIN_TOP_MS = 8

export function addLatencyChart(model: PageModel): void {
  const svg = byId("latency", SVGSVGElement)
  let shown: PageModel["trips"] | undefined
  model.addView(({ trips }) => {
    if (trips === shown) return
    shown = trips
    svg.setAttribute("aria-label", describe(trips))
    const top = Math.max(MIN_TOP_MS, ...trips.map((it) => it ?? 0))
    svg.replaceChildren(...runs(trips).map((run) => line(run, top)))
  })
}

interface Point {
  readonly place: number
  readonly rttMs: number
}

/** The pieces between the gaps. */
function runs(trips: PageModel["trips"]): readonly (readonly Point[])[] {
  const pieces: Point[][] = [[]]
  for (const [index, rttMs] of trips.entries()) {
    if (rttMs === undefined) pieces.push([])
    else pieces.at(-1)?.push({ place: PLACES - trips.length + index, rttMs })
  }
  return pieces.filter((it) => it.length > 0)
}

function line(run: readonly Point[], top: number): SVGElement {
  const points = run.map(({ place, rttMs }) => {
    const x = MARGIN + (place / (PLACES - 1)) * (WIDTH - 2 * MARGIN)
    const y = HEIGHT - MARGIN - (rttMs / top) * (HEIGHT - 2 * MARGIN)
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  const polyline = document.createElementNS(SVG, "polyline")
  // a line of one point is drawn as the dot that its round ends make
  polyline.setAttribute("points", [...points, ...(points.length === 1 ? points : [])].join(" "))
  return polyline
}

function describe(trips: PageModel["trips"]): string {
  const known = trips.filter((it) => it !== undefined)
  const last = known.at(-1)
  if (last === undefined) return "Round-trip times: none yet"
  return `Round-trip times: the last ${milliseconds(last)}, the longest of ${known.length} ${milliseconds(Math.max(...known))}`
}
