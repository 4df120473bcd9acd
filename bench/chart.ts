/**
 * Draws groups of horizontal bars as SVG, by hand and without a library. It knows nothing of what they stand for.
 */

import { HEAD_HEIGHT, MARGIN, svg, tenths, text, WIDTH } from "./svg.js"

/** One bar. */
export interface Bar {
  readonly label: string
  readonly value: number
  /** What stands behind the bar. */
  readonly note: string
  /** Whether it is the one the chart is about. */
  readonly isOurs: boolean
}

/** Bars that belong together. */
export interface BarGroup {
  readonly title: string
  readonly bars: readonly Bar[]
}

/** A whole chart. */
export interface Chart {
  readonly title: string
  readonly subtitle: string
  readonly groups: readonly BarGroup[]
}

const LABEL_WIDTH = 170
const NOTE_WIDTH = 150
const BAR_HEIGHT = 18
const BAR_GAP = 6
const GROUP_GAP = 18
const GROUP_TITLE_HEIGHT = 24

/** The chart as the text of an SVG file. */
export function drawChart({ title, subtitle, groups }: Chart): string {
  const longest = Math.max(...groups.flatMap((group) => group.bars.map((bar) => bar.value)))
  const scale = (WIDTH - 2 * MARGIN - LABEL_WIDTH - NOTE_WIDTH) / longest
  const drawn: string[] = []
  let top = HEAD_HEIGHT
  for (const group of groups) {
    drawn.push(drawGroup(group, top, scale))
    top += heightOf(group) + GROUP_GAP
  }
  return svg(title, subtitle, top - GROUP_GAP + MARGIN, drawn)
}

function heightOf(group: BarGroup): number {
  return GROUP_TITLE_HEIGHT + group.bars.length * (BAR_HEIGHT + BAR_GAP) - BAR_GAP
}

function drawGroup({ title, bars }: BarGroup, top: number, scale: number): string {
  const lines = [`  ${text(MARGIN, top + 14, title, "group")}`]
  bars.forEach((bar, index) => {
    lines.push(drawBar(bar, top + GROUP_TITLE_HEIGHT + index * (BAR_HEIGHT + BAR_GAP), scale))
  })
  return lines.join("\n")
}

function drawBar({ label, value, note, isOurs }: Bar, top: number, scale: number): string {
  const left = MARGIN + LABEL_WIDTH
  const width = Math.max(1, value * scale)
  const baseline = top + BAR_HEIGHT - 5
  return [
    `  ${text(left - 10, baseline, label, "quiet", "end")}`,
    `  <rect class="${isOurs ? "ours" : "other"}" x="${left}" y="${top}" width="${tenths(width)}" height="${BAR_HEIGHT}" rx="2"/>`,
    `  ${text(left + width + 8, baseline, note)}`,
  ].join("\n")
}
