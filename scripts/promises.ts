/**
 * The command `npm run promises`: rewrites the last column of docs/promises.md from the tests that name each line.
 * Lines, words and figures are written by hand.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const page = `${root}docs/promises.md`

const tests = readdirSync(`${root}test`, { recursive: true, encoding: "utf8" })
  // the one about that page names lines of its own
  .filter((file) => /\.test(-d)?\.ts$/.test(file) && file !== "package/promises.test.ts")
  .sort()
  .map((file) => ({ file, text: readFileSync(`${root}test/${file}`, "utf8") }))

const unproved: string[] = []
const lines = readFileSync(page, "utf8").split("\n").map(rewrite)
writeFileSync(page, lines.join("\n"))
if (unproved.length > 0) throw new Error(`no test names ${unproved.join(", ")}`)

function rewrite(line: string): string {
  const [, id, promise, figure] = /^\| ([A-Z]\d+) \| (.*?) \| (.*?) \|/.exec(line) ?? []
  if (!id) return line
  const isNamed = new RegExp(`\\b${id}\\b`)
  const proofs = tests.filter(({ text }) => isNamed.test(text)).map(({ file }) => file)
  if (proofs.length === 0) unproved.push(id)
  const links = proofs.map((file) => `[${file}](../test/${file})`)
  return `| ${id} | ${promise} | ${figure} | ${links.join(", ")} |`
}
