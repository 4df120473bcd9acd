/**
 * The command `npm run matrix:page`: puts the tables of the last full run of the matrix into docs/runtimes.md. The run itself only
 * prints them, so that a run in a pipeline leaves the work tree as it is.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { withSection } from "../bench/page.js"

const root = fileURLToPath(new URL("..", import.meta.url))
const parts = `${root}.reports/matrix`
const PAGE = `${root}docs/runtimes.md`

let page = readFileSync(PAGE, "utf8")
for (const file of readdirSync(parts)) {
  const name = file.replace(/^\d-|\.md$/g, "")
  const lines = readFileSync(`${parts}/${file}`, "utf8").split("\n")
  const table = lines
    .filter((it) => it.startsWith("|"))
    .map((it) => it.replaceAll(/ {2,}/g, " ").replaceAll(/-{4,}/g, "---"))
  if (table.some((it) => it.includes("| failed |"))) throw new Error(`${file} has a cell that failed`)
  if (!table[0]?.includes("Bun")) throw new Error("the last run was not a full one: npm run matrix")
  page = withSection(page, name, table.join("\n"))
}
const [heading = ""] = readFileSync(`${parts}.md`, "utf8").split("\n")
page = withSection(page, "run", `Run on ${heading.replace(/\.$/, "")}.`)
writeFileSync(PAGE, page)
