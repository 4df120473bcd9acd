/**
 * What was found, for people and for programs: a Markdown table, the bars of a chart, plain JSON. It knows nothing of
 * how it was found.
 */

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { cpus } from "node:os"
import type { Chart } from "./chart.js"
import type { Finding, RowResult } from "./measure.js"
import type { Spread } from "./statistics.js"

/** Beyond this difference between the baseline and the baseline, a run proves nothing. */
const MAX_CONTROL_ERROR = 0.05

/** One row as a table: CPU time of a delivery, and how many times less than the baseline that is. */
export function toMarkdown({ row, clients, cells }: RowResult): string {
  const heading = `${row.title}, ${clients} connections`
  const lines = [
    [heading, ...row.contenders.map((it) => it.title)],
    ...cells.map(({ cell, findings }) => [cell.title, ...findings.map(showFinding)]),
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

/** The costs of a row as bars; the last contender is the one the chart is about. */
export function toChart({ row, clients, cells }: RowResult): Chart {
  return {
    title: `${row.title} to ${clients} connections`,
    subtitle: "CPU time of the server for each delivery, in microseconds: shorter is better",
    groups: cells.map(({ cell, findings }) => ({
      title: cell.title,
      bars: findings
        .filter(({ contender }) => !contender.isControl)
        .map(({ contender, cost, ratio }, index, shown) => ({
          label: contender.title,
          value: cost.median,
          note: index === 0 ? digits(cost.median) : `${digits(cost.median)}, ${digits(ratio.median)} × less`,
          isOurs: index === shown.length - 1,
        })),
    })),
  }
}

/** Everything, with where it was found. */
export function toJson(results: readonly RowResult[]): string {
  const rows = results.map(({ row, clients, cells }) => ({
    name: row.name,
    clients,
    cells: cells.map(({ cell, findings }) => ({
      name: cell.name,
      contenders: findings.map(({ contender, ...found }) => ({ name: contender.name, ...found })),
    })),
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
    cpu: `${processors.length} × ${processors[0]?.model ?? "unknown"}, ${process.platform} ${process.arch}`,
  }
}

function showFinding({ contender, cost, ratio }: Finding, index: number): string {
  const price = `${digits(cost.median)} µs`
  if (index === 0) return `${price} (${range(cost)})`
  return contender.isControl ? `${price}, ${times(ratio)}` : `**${price}**, ${times(ratio)}`
}

function times(ratio: Spread): string {
  return `${digits(ratio.median)} × less (${range(ratio)})`
}

function range({ low, high }: Spread): string {
  return `${digits(low)}–${digits(high)}`
}

function digits(value: number): string {
  if (value < 0.1) return value.toFixed(3)
  return value < 10 ? value.toFixed(2) : value.toFixed(1)
}

function versionOf(name: string): string {
  const file = createRequire(import.meta.url).resolve(`${name}/package.json`)
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version
}
