/**
 * What the charts of the documentation have in common: their colours, which follow the reader's light or dark scheme
 * on a ground of their own, and how a file starts and ends. It knows nothing of what is drawn.
 */

/** The width of every chart, and its margin. */
export const WIDTH = 760
export const MARGIN = 24

const STYLE = `
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
    .ground { fill: #ffffff; stroke: #d1d9e0 }
    .title { font-size: 16px; font-weight: 600 }
    .group { font-weight: 600 }
    .quiet { fill: #59636e }
    .ours { fill: #0f766e }
    .other { fill: #8c959f }
    .shade { fill: #f2f4f6 }
    path.ours { stroke: #0f766e }
    path.other { stroke: #8c959f }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .ground { fill: #151b23; stroke: #3d444d }
      .quiet { fill: #9198a1 }
      .ours { fill: #2dd4bf }
      .other { fill: #656c76 }
      .shade { fill: #1d242d }
      path.ours { stroke: #2dd4bf }
      path.other { stroke: #656c76 }
    }
  `

/** Where the drawing starts, below the title and the subtitle. */
export const HEAD_HEIGHT = 66

/** A whole file: title and subtitle, and below them what was drawn. */
export function svg(title: string, subtitle: string, height: number, drawn: readonly string[]): string {
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

/** One line of text. */
export function text(
  x: number,
  y: number,
  content: string,
  style?: string,
  anchor?: "middle" | "end",
): string {
  const attributes = [
    `x="${tenths(x)}"`,
    `y="${tenths(y)}"`,
    style && `class="${style}"`,
    anchor && `text-anchor="${anchor}"`,
  ]
  return `<text ${attributes.filter(Boolean).join(" ")}>${escapeXml(content)}</text>`
}

/** A coordinate, as short as it needs to be. */
export function tenths(value: number): number {
  return Number(value.toFixed(1))
}

function escapeXml(content: string): string {
  return content.replace(/[&<>"]/g, (it) => `&#${it.charCodeAt(0)};`)
}
