/** What every page must be: it says nothing twice, and it speaks to its reader alone. */

import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { markdownPages } from "../../scripts/links.js"

const root = fileURLToPath(new URL("../..", import.meta.url))
const pages = markdownPages(root)

/** The lines of a page that are no code and no rule of a table. */
function proseOf(page: string): string[] {
  const text = readFileSync(root + page, "utf8").replaceAll(/^(```|~~~)[\s\S]*?^\1$/gm, "")
  return text.split("\n").filter((it) => !/^\|[\s|:-]*$|^<!--/.test(it))
}

/** The rows of each table of a page, without their heads. */
function tablesOf(page: string): string[][] {
  const tables = readFileSync(root + page, "utf8").match(/(?:^\|.*\n)+/gm) ?? []
  return tables.map((it) => it.trim().split("\n").slice(2))
}

/** What stands more than once in a list. */
function doubles(lines: readonly string[]): string[] {
  return lines.filter((line, i) => lines.indexOf(line) !== i)
}

describe.each(pages)("%s", (page) => {
  it("begins with its one heading of the first level", () => {
    const [first, ...others] = proseOf(page)
    expect(first).toMatch(/^# ./)
    expect(others.filter((it) => it.startsWith("# "))).toEqual([])
  })

  it("says no line and no heading twice", () => {
    const lines = proseOf(page)
    expect(doubles(lines.filter((it) => it.length > 40 && !it.startsWith("|")))).toEqual([])
    expect(doubles(lines.filter((it) => /^#+ /.test(it)))).toEqual([])
  })

  it("has no row of a table twice, nor two about the same name or of almost the same words", () => {
    for (const rows of tablesOf(page)) {
      expect(doubles(rows)).toEqual([])
      expect(doubles(rows.flatMap((it) => /^\| (`[^`|]+`|\[[^|]+\]) \|/.exec(it)?.[1] ?? []))).toEqual([])
      expect(doubles(rows.filter((it) => it.length > 70).map((it) => it.slice(0, 60)))).toEqual([])
    }
  })

  it("has no list in which two points begin with the same link", () => {
    const points = proseOf(page).flatMap((it) => /^(?:- |\d\. )(\[[^\]]+\]\([^)]+\)):/.exec(it)?.[1] ?? [])
    expect(doubles(points)).toEqual([])
  })
})

describe("the doors", () => {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8"))
  const doors = Object.keys(exports).filter((it) => it !== "./package.json")

  it.each(["README.md", "docs/architecture.md"])("are all in the table of %s, and no others", (page) => {
    const [table = ""] =
      /## Doors\n[\s\S]*?((?:^\|.*\n)+)/m.exec(readFileSync(root + page, "utf8"))?.slice(1) ?? []
    const firsts = [...table.matchAll(/^\| (`.*?`) \|/gm)].map(([, cell = ""]) => cell)
    // `holdfast/metrics/prometheus`, `/opentelemetry`: the second lies beside the first
    const named = firsts.flatMap((cell) => {
      const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, it = ""]) => it)
      return names.map((it) => (it.startsWith("/") ? names[0]?.replace(/\/[^/]*$/, it) : it))
    })
    expect(named.toSorted()).toEqual(doors.map((it) => `holdfast${it.slice(1)}`).toSorted())
  })
})
