/**
 * The command: `npm run bench [-- name…] [--quick] [--clients n] [--cpu-prof]`. It picks rows and cells by name,
 * measures them, prints a table and writes the figures; a whole run also redraws the charts of the documentation.
 */

import { mkdir, writeFile } from "node:fs/promises"
import { dirname, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { drawChart } from "./chart.js"
import { type Effort, measureRow, type RowResult } from "./measure.js"
import { circumstances, disturbedCells, toChart, toJson, toMarkdown } from "./report.js"
import type { Row } from "./row.js"
import { fanOut } from "./rows/fan-out.js"

const ROWS: readonly Row[] = [fanOut]
const CLIENTS = 500
const FULL = { laps: 4, share: 1, roundMs: 60 }
const QUICK = { laps: 1, share: 0.6, roundMs: 60 }

const root = fileURLToPath(new URL("..", import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    clients: { type: "string", default: String(CLIENTS) },
    "cpu-prof": { type: "boolean", default: false },
  },
})
if (!/^[1-9]\d*$/.test(values.clients)) throw new Error(`--clients takes a number, got ${values.clients}`)
const effort: Effort = {
  ...(values.quick ? QUICK : FULL),
  clients: Number(values.clients),
  nodeOptions: values["cpu-prof"] ? ["--cpu-prof", `--cpu-prof-dir=${root}.reports/bench-profiles`] : [],
}
const isWhole = !values.quick && !values["cpu-prof"] && positionals.length === 0 && effort.clients === CLIENTS

const results: RowResult[] = []
for (const row of select(ROWS, positionals)) {
  const result = await measureRow(row, effort)
  results.push(result)
  console.log(`${toMarkdown(result)}\n`)
  const disturbed = disturbedCells(result)
  if (disturbed.length > 0) console.log(`Too noisy to count, by the control: ${disturbed.join("; ")}\n`)
  if (isWhole) await save(`docs/images/bench-${row.name}.svg`, drawChart(toChart(result)))
}
await save(".reports/bench.json", toJson(results))
console.log(
  Object.entries(circumstances())
    .map(([name, value]) => `${name} ${value}`)
    .join(", "),
)

/** Rows and cells that were named; all of them where nothing was. */
function select(rows: readonly Row[], names: readonly string[]): Row[] {
  const known = rows.flatMap((row) => [row.name, ...row.cells.map((it) => `${row.name}/${it.name}`)])
  const unknown = names.filter((it) => !known.includes(it))
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(", ")}; there are ${known.join(", ")}`)
  if (names.length === 0) return [...rows]
  return rows
    .map((row) => ({
      ...row,
      cells: row.cells.filter((it) => names.includes(row.name) || names.includes(`${row.name}/${it.name}`)),
    }))
    .filter((row) => row.cells.length > 0)
}

async function save(file: string, content: string): Promise<void> {
  const path = `${root}${file}`
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  console.log(`wrote ${relative(process.cwd(), path)}`)
}
