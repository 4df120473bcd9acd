/**
 * What was found, for people and for programs: a Markdown table, the bars of a chart, plain JSON. It knows nothing of
 * how it was found.
 */

import { cpus } from "node:os"
import type { Chart } from "./chart.js"
import type { Finding, RowResult } from "./measure.js"
import type { Cell, Contender } from "./row.js"
import type { Spread } from "./statistics.js"
import { versionOf } from "./version.js"

/** Beyond this difference between the baseline and the baseline, a run proves nothing. */
const MAX_CONTROL_ERROR = 0.05

/** One row as a table: what each contender takes in each cell, and how many times less than the baseline that is. */
export function toMarkdown({ row, cells, missing }: RowResult): string {
  const contenders = cells[0]?.findings.map((it) => it.contender) ?? []
  const lines = [
    ["", ...cells.map(({ cell }) => cell.title)],
    ...contenders.map((contender, at) => [
      nameOf(contender),
      ...cells.map(({ cell, findings }) => showFinding(findings[at] as Finding, at === 0, row.unit, cell)),
    ]),
    ...missing.map(({ contender, reason }) => [
      nameOf(contender),
      `missing: ${reason}`,
      ...cells.slice(1).map(() => ""),
    ]),
  ]
  const widths =
    lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? []
  const [head = "", ...body] = lines.map(
    (line) => `| ${line.map((it, i) => it.padEnd(widths[i] ?? 0)).join(" | ")} |`,
  )
  return [head, `|${widths.map((it) => "-".repeat(it + 2)).join("|")}|`, ...body].join("\n")
}

/** Cells in which the control differs so much from the baseline that the run should be repeated. */
export function disturbedCells({ cells }: RowResult): string[] {
  const isOff = ({ contender, ratio }: Finding) =>
    contender.isControl === true && Math.abs(ratio.median - 1) > MAX_CONTROL_ERROR
  return cells.filter(({ findings }) => findings.some(isOff)).map(({ cell }) => cell.title)
}

/** The costs of a row as bars. */
export function toChart({ row, cells, connections }: RowResult): Chart {
  return {
    title: connections > 1 ? `${row.title}, ${connections} connections` : row.title,
    subtitle: `${row.quantity}, in ${row.unit}: shorter is better`,
    groups: cells.map(({ cell, findings }) => ({
      title: cell.title,
      bars: findings
        .filter(({ contender }) => !contender.isControl)
        .map(({ contender, cost, ratio }, index) => ({
          label: contender.title,
          value: cost.median,
          note: index === 0 ? digits(cost.median) : `${digits(cost.median)}, ${times(ratio.median)}`,
          isOurs: contender.isOurs === true,
        })),
    })),
  }
}

/** Everything, with where it was found. */
export function toJson(results: readonly RowResult[]): string {
  const rows = results.map(({ row, connections, cells, missing }) => ({
    name: row.name,
    connections,
    unit: row.unit,
    cells: cells.map(({ cell, findings }) => ({
      name: cell.name,
      contenders: findings.map(({ contender, ...found }) => ({ name: contender.name, ...found })),
    })),
    missing: missing.map(({ contender, reason }) => ({ name: contender.name, reason })),
  }))
  return `${JSON.stringify({ ...circumstances(), rows }, undefined, 2)}\n`
}

/** When and on what. */
export function circumstances(): Record<"date" | "node" | "ws" | "cpu", string> {
  const processors = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    ws: versionOf("ws"),
    cpu: `${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}, ${process.platform} ${process.arch}`,
  }
}

/** One sentence about when and how a row was measured. */
export function toSentence({ row, connections, cells }: RowResult): string {
  const { date, node, ws, cpu } = circumstances()
  const versions = cells[0]?.findings
    .map(({ contender }) => contender)
    .filter((it) => it.version)
    .map((it) => `${it.title} ${it.version}`)
  return [
    `${row.quantity}: \`npm run bench -- ${row.name}\` on ${date},`,
    `${connections === 1 ? "one connection" : `${connections.toLocaleString("en")} connections`},`,
    `Node ${[node, `ws ${ws}`, ...new Set(versions)].join(", ")}, ${cpu}.`,
    "Medians, with the quartiles of the ratio in brackets.",
  ].join(" ")
}

function nameOf({ title, isOurs }: Contender): string {
  return isOurs ? `**${title}**` : title
}

function showFinding(
  { contender, cost, ratio, extra }: Finding,
  isBaseline: boolean,
  unit: string,
  { detail }: Cell,
): string {
  const price = `${digits(cost.median)} ${unit}`
  const beside = detail ? `; ${detail(cost.median, extra)}` : ""
  if (isBaseline) return price + beside
  return `${contender.isOurs ? `**${price}**` : price}, ${times(ratio.median)} ${range(ratio)}${beside}`
}

/** A ratio in words: what is dearer is "more". */
function times(ratio: number): string {
  if (digits(ratio) === "1.00") return "1.00 ×"
  return ratio >= 1 ? `${digits(ratio)} × less` : `${digits(1 / ratio)} × more`
}

function range({ low, high }: Spread): string {
  const bounds = low + high >= 2 ? [low, high] : [1 / high, 1 / low]
  return `(${bounds.map(digits).join("–")})`
}

function digits(value: number): string {
  if (value < 0.1) return value.toFixed(3)
  return value < 10 ? value.toFixed(2) : value.toFixed(1)
}
