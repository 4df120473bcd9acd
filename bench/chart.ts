/**
 * Draws groups of horizontal bars as SVG, by hand and without a library. The colours follow the reader's light or dark
 * scheme, on a ground of the chart's own, so it reads well wherever it is shown.
 */

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

const WIDTH = 760
const MARGIN = 24
const LABEL_WIDTH = 150
const NOTE_WIDTH = 150
const BAR_HEIGHT = 18
const BAR_GAP = 6
const GROUP_GAP = 18
const GROUP_TITLE_HEIGHT = 24
const HEAD_HEIGHT = 66

const STYLE = `
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
    .ground { fill: #ffffff; stroke: #d1d9e0 }
    .title { font-size: 16px; font-weight: 600 }
    .group { font-weight: 600 }
    .quiet { fill: #59636e }
    .ours { fill: #0f766e }
    .other { fill: #8c959f }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .ground { fill: #151b23; stroke: #3d444d }
      .quiet { fill: #9198a1 }
      .ours { fill: #2dd4bf }
      .other { fill: #656c76 }
    }
  `

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
  const height = top - GROUP_GAP + MARGIN
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(`${title}. ${subtitle}`)}">`,
    `  <style>${STYLE}</style>`,
    `  <rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>`,
    `  ${text(MARGIN, 32, title, "title")}`,
    `  ${text(MARGIN, 52, subtitle, "quiet")}`,
    ...drawn,
    "</svg>",
    "",
  ].join("\n")
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
    `  <rect class="${isOurs ? "ours" : "other"}" x="${left}" y="${top}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
    `  ${text(left + width + 8, baseline, note)}`,
  ].join("\n")
}

function text(x: number, y: number, content: string, style?: string, anchor?: "end"): string {
  const attributes = [
    `x="${Number(x.toFixed(1))}"`,
    `y="${y}"`,
    style && `class="${style}"`,
    anchor && `text-anchor="${anchor}"`,
  ]
  return `<text ${attributes.filter(Boolean).join(" ")}>${escapeXml(content)}</text>`
}

function escapeXml(content: string): string {
  return content.replace(/[&<>"]/g, (it) => `&#${it.charCodeAt(0)};`)
}
