/**
 * Draws what crowds did: one strip for each, the tries of every 100 ms as its height. All strips have one scale, and
 * what does not fit is cut and said in figures.
 */

import { HEAD_HEIGHT, MARGIN, svg, tenths, text, WIDTH } from "../svg.js"
import { BIN_MS, type Herd, OUTAGE_MS, SHOWN_MS } from "./simulate.js"

const LABEL_WIDTH = 168
const NOTE_WIDTH = 112
const STRIP_HEIGHT = 34
const STRIP_GAP = 10
const AXIS_HEIGHT = 26
const TICK_MS = 15_000
/** The share of the crowd that is as high as a strip. */
const FULL_SHARE = 0.1

const LEFT = MARGIN + LABEL_WIDTH
const PLOT_WIDTH = WIDTH - LEFT - NOTE_WIDTH - MARGIN

/** The chart as the text of an SVG file. */
export function drawHerds(herds: readonly Herd[]): string {
  const bottom = HEAD_HEIGHT + herds.length * (STRIP_HEIGHT + STRIP_GAP)
  const clients = (herds[0]?.clients ?? 0).toLocaleString("en")
  return svg(
    `Tries in each 100 ms, after ${clients} clients were cut off together`,
    `The server is back after ${OUTAGE_MS / 1_000} s. Each strip is ${FULL_SHARE * 100} % of the clients high; what is higher is cut`,
    bottom + AXIS_HEIGHT,
    [
      `  <rect class="shade" x="${tenths(xOf(OUTAGE_MS))}" y="${HEAD_HEIGHT}" width="${tenths(xOf(SHOWN_MS) - xOf(OUTAGE_MS))}" height="${bottom - HEAD_HEIGHT}"/>`,
      ...herds.map((herd, index) => drawStrip(herd, HEAD_HEIGHT + index * (STRIP_HEIGHT + STRIP_GAP))),
      ...drawAxis(bottom),
    ],
  )
}

function drawStrip({ client, clients, bins, worst }: Herd, top: number): string {
  const base = top + STRIP_HEIGHT
  const style = client.isOurs ? "ours" : "other"
  return [
    `  ${text(LEFT - 10, base - 6, client.title, client.isOurs ? "group" : "quiet", "end")}`,
    `  <path class="${style}" stroke-width="0.7" d="${outline(bins, clients, base)}"/>`,
    `  <rect class="${style}" x="${LEFT}" y="${base}" width="${PLOT_WIDTH}" height="0.5"/>`,
    `  ${text(LEFT + PLOT_WIDTH + 10, base - 6, `worst: ${(worst * 100).toFixed(1)} %`, client.isOurs ? "group" : "quiet")}`,
  ].join("\n")
}

/** Up and down in steps. Neighbours of the same height, to half a pixel, make one step. */
function outline(bins: Uint32Array, clients: number, base: number): string {
  const steps: string[] = []
  let height = 0
  bins.forEach((count, index) => {
    const share = Math.min(1, count / clients / FULL_SHARE)
    const next = Math.round(share * STRIP_HEIGHT * 2) / 2
    if (next === height) return
    steps.push(`H${tenths(xOf(index * BIN_MS))}V${base - next}`)
    height = next
  })
  return `M${LEFT} ${base}${steps.join("")}H${tenths(xOf(SHOWN_MS))}V${base}Z`
}

function drawAxis(top: number): string[] {
  const ticks = Array.from({ length: SHOWN_MS / TICK_MS + 1 }, (_, index) => index * TICK_MS)
  return ticks.map((ms) => `  ${text(xOf(ms), top + 10, `${ms / 1_000} s`, "quiet", "middle")}`)
}

function xOf(ms: number): number {
  return LEFT + (ms / SHOWN_MS) * PLOT_WIDTH
}
