/**
 * The command `npm run readme`: writes the tables of README.md and of some pages that are made from something else: what other
 * libraries do, what was measured and whether that meets its mark, what imports weigh. A test compares.
 */

import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { section, withSection } from "../bench/page.js"
import { type Comparison, clients, servers } from "./comparison.js"
import type { Budget } from "./size-budget.js"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (file: string) => readFileSync(`${root}${file}`, "utf8")

/** The columns of a table of ratios: what they are called here, and how their row begins in docs/performance.md. */
type Columns = ReadonlyMap<string, RegExp>

const SERVERS: Columns = new Map([
  ["holdfast", /^\*\*holdfast\*\*$/],
  ["socket.io", /^socket\.io$/],
  ["crossws", /^crossws$/],
  ["Bun's own", /^Bun$/],
])

const CLIENTS: Columns = new Map([
  ["holdfast", /^\*\*holdfast\*\*$/],
  ["partysocket", /^partysocket$/],
  ["reconnecting-websocket", /^reconnecting-websocket$/],
])

/** The rows of a table of ratios: the table in docs/performance.md, its column, and what it is called here. */
const SERVER_RATIOS = [
  ["fan-out", "1 message, then wait", "a message to 500 connections, CPU"],
  ["fan-out", "10 in one burst", "10 in one burst, CPU"],
  ["fan-out", "100 in one burst", "100 in one burst, CPU"],
  ["rooms", "100 sends in one burst", "100 sends among 1,000 rooms of 10, CPU"],
  ["compressed", "10 in one burst", "the same compressed, 1 KiB of JSON, CPU"],
  ["echo", "JSON, parsed and written", "echo of JSON, CPU"],
  ["mixed", "echo, amid bursts of 10 to all", "an echo amid bursts to others, time of 99 in 100"],
  ["handshakes", "opened", "a handshake, CPU"],
  ["idle", "idle", "an idle connection, memory"],
] as const

const CLIENT_RATIOS = [
  ["client", "text received", "a text received, CPU"],
  ["client", "JSON received", "a JSON message received, CPU"],
  ["client", "JSON sent", "a JSON message sent, CPU"],
] as const

/**
 * What was aimed at: the table in docs/performance.md, its column, and how many times less it should be than the baseline, or
 * than the server that is named.
 */
const MARKS: readonly (readonly [table: string, column: string, mark: number, beside?: string])[] = [
  ["fan-out", "1 message, then wait", 1.1],
  ["fan-out", "1 message, then wait", 1.65, "socket.io"],
  ["fan-out", "10 in one burst", 9],
  ["fan-out", "10 in one burst", 1 / 1.3, "Bun's own"],
  ["fan-out", "100 in one burst", 45],
  ["fan-out", "100 in one burst", 1, "Bun's own"],
  ["fan-out", "10 publishers at once", 7],
  ["rooms", "100 sends in one burst", 1.45],
  ["rooms", "100 sends in one burst", 2.5, "socket.io"],
  ["compressed", "1 message, then wait", 25],
  ["compressed", "1 message, then wait", 3, "Bun's own"],
  ["compressed", "10 in one burst", 100],
  ["echo", "text", 1 / 1.02],
  ["echo", "JSON, parsed and written", 1 / 1.02],
  ["mixed", "1 message to all, then wait", 1],
  ["mixed", "echo, amid bursts of 10 to all", 1],
  ["handshakes", "opened", 1 / 1.15],
  ["idle", "idle", 1 / 1.4],
  ["client", "text received", 1 / 1.15],
  ["client", "text sent", 1 / 1.15],
]

/** The pages with their tables as they should be, by file. */
export function renderPages(): ReadonlyMap<string, string> {
  const tables = {
    servers: comparisonTable(servers),
    clients: comparisonTable(clients),
    "server-ratios": ratioTable(SERVER_RATIOS, SERVERS, "beside `ws`"),
    "client-ratios": ratioTable(CLIENT_RATIOS, CLIENTS, "beside a bare socket"),
  }
  let readme = read("README.md")
  for (const [name, table] of Object.entries(tables)) readme = withSection(readme, name, table)
  const weight = withSection(read("docs/weight.md"), "weight", weightTable())
  return new Map([
    ["README.md", readme],
    ["docs/weight.md", weight],
    ["docs/performance.md", withSection(read("docs/performance.md"), "marks", markTable())],
  ])
}

function comparisonTable({ packages, rows }: Comparison): string {
  const head = packages.map((it) => (it === "holdfast" ? it : `${it} ${versionOf(it)}`))
  return toTable(
    ["", ...head],
    [...rows].map(([feature, cells]) => [feature, ...cells.map(([text]) => text)]),
  )
}

function ratioTable(
  rows: typeof SERVER_RATIOS | typeof CLIENT_RATIOS,
  columns: Columns,
  corner: string,
): string {
  const page = read("docs/performance.md")
  const body = rows.map(([table, column, name]) => {
    const ratios = [...columns.values()].map((row) => ratioOf(page, table, column, row))
    return [isShaky(page, table, column) ? `${name} ³` : name, ...ratios, `\`npm run bench -- ${table}\``]
  })
  const table = toTable([corner, ...columns.keys(), "made by"], body)
  return table.includes("³") ? `${table}\n\n${SHAKY}` : table
}

function markTable(): string {
  const page = read("docs/performance.md")
  const body = MARKS.map(([table, column, mark, beside]) => {
    const ratio = (name: string) => ratioOf(page, table, column, SERVERS.get(name) as RegExp)
    const less = timesLess(ratio("holdfast")) / (beside ? timesLess(ratio(beside)) : 1)
    const title = `${table}: ${column}${beside ? `, beside ${beside}` : ""}`
    return [title, beside ? inWords(less) : ratio("holdfast"), aim(mark), less >= mark ? "yes" : "**no**"]
  })
  return toTable(["", "found", "aimed at", "met"], body)
}

/** "8.99 × less" is 8.99; "1.25 × more" is 0.8. */
function timesLess(ratio: string): number {
  const times = Number.parseFloat(ratio)
  return ratio.endsWith("more") ? 1 / times : times
}

/** 8.99 is "8.99 × less"; 0.8 is "1.25 × more". */
function inWords(timesLess: number): string {
  return timesLess > 1 ? `${toFigures(timesLess)} × less` : `${toFigures(1 / timesLess)} × more`
}

function aim(mark: number): string {
  if (mark === 1) return "no more"
  return `${mark > 1 ? "≥" : "≤"} ${inWords(mark)}`
}

function toFigures(ratio: number): number {
  return Number(ratio.toPrecision(3))
}

const SHAKY =
  "³ Proves little: the machine was not quiet, and the same server once more was off by more than 5 %. Repeat it on yours."

/** Whether the page says that a column proves little. */
function isShaky(page: string, table: string, column: string): boolean {
  const [, columns = ""] = /so these prove little: (.*)\.$/m.exec(section(page, table)) ?? []
  return columns.split("; ").includes(column)
}

/** A ratio of docs/performance.md in its own words, e.g. "8.99 × less"; a dash where a table has no such row. */
function ratioOf(page: string, table: string, column: string, row: RegExp): string {
  const lines = section(page, table)
    .split("\n")
    .filter((it) => it.startsWith("|"))
  const [head = [], , ...body] = lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((it) => it.trim()),
  )
  const index = head.indexOf(column)
  if (index < 0) throw new Error(`docs/performance.md has no column "${column}" in its table "${table}"`)
  const cell = body.find(([name = ""]) => row.test(name))?.[index]
  return cell === undefined ? "–" : (/[\d.]+ ×(?: more| less)?/.exec(cell)?.[0] ?? cell)
}

function weightTable(): string {
  const budgets: readonly Budget[] = JSON.parse(read("size-budget.json"))
  const body = budgets.map((it) => [
    `\`import ${it.import} from "${it.from}"\``,
    `${(it.maxGzipBytes / 1_000).toFixed(1)} kB`,
  ])
  return toTable(["import", "at most, gzipped"], body)
}

function versionOf(name: string): string {
  return JSON.parse(read(`node_modules/${name}/package.json`)).version
}

function toTable(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`
  return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n")
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, text] of renderPages()) writeFileSync(`${root}${file}`, text)
}
