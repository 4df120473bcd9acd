/**
 * The command: `npm run bench [-- name…] [--quick] [--clients n] [--cpu-prof]`. It picks rows and cells by name,
 * measures them, prints tables and writes the figures; what was measured in full also goes into the documentation.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { drawChart } from "./chart.js"
import { type Effort, measureRow, type RowResult } from "./measure.js"
import { withSection } from "./page.js"
import { disturbedCells, toChart, toJson, toMarkdown, toSentence } from "./report.js"
import type { Row } from "./row.js"
import { ROWS } from "./rows.js"

const CLIENTS = 500
const FULL = { laps: 4, share: 1, roundMs: 60 }
const QUICK = { laps: 1, share: 0.25, roundMs: 40 }
const PAGE = "docs/performance.md"

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
const isFull = !values.quick && !values["cpu-prof"] && effort.clients === CLIENTS

const results: RowResult[] = []
for (const row of select(ROWS, positionals)) {
  const start = performance.now()
  const result = await measureRow(row, effort)
  const seconds = Math.round((performance.now() - start) / 1_000)
  results.push(result)
  console.log(`\n${row.title} (${seconds} s)\n\n${describe(result)}\n`)
  if (
    process.env.NOWRITE !== "1" &&
    isFull &&
    row.cells.length === ROWS.find((it) => it.name === row.name)?.cells.length
  )
    await document(result)
}
await save(".reports/bench.json", toJson(results))

/** The table, and what has to be known about it. */
function describe(result: RowResult): string {
  const disturbed = disturbedCells(result)
  const warning = `The control is off by more than 5 %, so these prove little: ${disturbed.join("; ")}.`
  return [toMarkdown(result), toSentence(result), ...(disturbed.length > 0 ? [warning] : [])].join("\n\n")
}

async function document(result: RowResult): Promise<void> {
  const { name } = result.row
  await save(`docs/images/bench-${name}.svg`, drawChart(toChart(result)))
  const page = await readFile(`${root}${PAGE}`, "utf8")
  await save(
    PAGE,
    withSection(page, name, `${describe(result)}\n\n![${result.row.title}](images/bench-${name}.svg)`),
  )
}

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
