/**
 * Draws what happens over time as SVG: how often in each 100 ms, or how much at each moment. It knows nothing of where the
 * values come from.
 */

import { HEAD_HEIGHT, MARGIN, svg, tenths, text, WIDTH } from "../svg.js"
import { BIN_MS, percent } from "./trial.js"

const PLOT_HEIGHT = 180
const AXIS_HEIGHT = 34
const LABEL_WIDTH = 56
const TICKS = 6

const LEFT = MARGIN + LABEL_WIDTH
const PLOT_WIDTH = WIDTH - LEFT - MARGIN
const BASE = HEAD_HEIGHT + PLOT_HEIGHT
const HEIGHT = BASE + AXIS_HEIGHT

/** Counts over time. */
export interface BinsPlot {
  readonly clients: number
  readonly tries: readonly number[]
  readonly opens: readonly number[]
  /** How long nobody could succeed, in milliseconds. */
  readonly outageMs: number
}

/** What was tried in grey, what succeeded over it, both as a share of the clients. */
export function drawBins(
  title: string,
  subtitle: string,
  { clients, tries, opens, outageMs }: BinsPlot,
): string {
  const most = Math.max(...tries)
  const scale = PLOT_HEIGHT / most
  const xOf = (bin: number) => LEFT + (bin / tries.length) * PLOT_WIDTH
  const outline = (bins: readonly number[]) =>
    `M${LEFT} ${BASE}${bins.map((it, i) => `V${tenths(BASE - it * scale)}H${tenths(xOf(i + 1))}`).join("")}V${BASE}Z`
  const shaded = Math.min(tries.length, outageMs / BIN_MS)
  return svg(title, subtitle, HEIGHT, [
    `  <rect class="shade" x="${LEFT}" y="${HEAD_HEIGHT}" width="${tenths(xOf(shaded) - LEFT)}" height="${PLOT_HEIGHT}"/>`,
    `  <path class="other" stroke="none" d="${outline(tries)}"/>`,
    `  <path class="ours" stroke="none" d="${outline(opens)}"/>`,
    `  ${text(LEFT - 8, HEAD_HEIGHT + 10, percent(most / clients), "quiet", "end")}`,
    `  ${text(LEFT - 8, BASE, "0 %", "quiet", "end")}`,
    ...axis((tries.length * BIN_MS) / 1_000, "s"),
  ])
}

/** A quantity over time. */
export interface CurvePlot {
  readonly points: readonly { readonly x: number; readonly y: number }[]
  /** Before this everything is still warming up. */
  readonly settledFrom: number
  readonly units: { readonly x: string; readonly y: string }
}

/** A line from 0 on, with the time before it has settled shaded. */
export function drawCurve(
  title: string,
  subtitle: string,
  { points, settledFrom, units }: CurvePlot,
): string {
  const last = Math.max(...points.map((it) => it.x))
  const most = Math.max(...points.map((it) => it.y))
  const xOf = (x: number) => tenths(LEFT + (x / last) * PLOT_WIDTH)
  const yOf = (y: number) => tenths(BASE - (y / most) * PLOT_HEIGHT * 0.95)
  const line = points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${xOf(x)} ${yOf(y)}`).join("")
  return svg(title, subtitle, HEIGHT, [
    `  <rect class="shade" x="${LEFT}" y="${HEAD_HEIGHT}" width="${tenths(xOf(Math.min(settledFrom, last)) - LEFT)}" height="${PLOT_HEIGHT}"/>`,
    `  <path class="ours" style="fill: none" stroke-width="2" d="${line}"/>`,
    `  <rect class="other" x="${LEFT}" y="${BASE}" width="${PLOT_WIDTH}" height="0.5"/>`,
    `  ${text(LEFT - 8, yOf(most) + 4, `${Math.round(most)} ${units.y}`, "quiet", "end")}`,
    `  ${text(LEFT - 8, BASE, "0", "quiet", "end")}`,
    ...axis(last, units.x),
  ])
}

function axis(end: number, unit: string): string[] {
  const step = niceStep(end / TICKS)
  const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => i * step)
  return ticks.map(
    (at) =>
      `  ${text(LEFT + (at / end) * PLOT_WIDTH, BASE + 20, `${tenths(at)} ${unit}`, "quiet", "middle")}`,
  )
}

/** The next of 1, 2, 5, 10, … */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 5].find((it) => it * power >= least) ?? 10)
}
