/**
 * The tables of the README: what they say of others is what those publish, and what they say of this package is a promise or a
 * measurement that stands elsewhere.
 */

import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { section } from "../../bench/page.js"
import { clientImports, clients, type Evidence, servers } from "../../scripts/comparison.js"
import { renderPages } from "../../scripts/readme.js"
import { measureSize } from "../../scripts/size-budget.js"

const root = fileURLToPath(new URL("../..", import.meta.url))
const read = (file: string) => readFileSync(`${root}${file}`, "utf8")
const promises = read("docs/promises.md")

/** A row of what was aimed at. */
const MARK = /^\| ([\w-]+: .*?) \| (.*?) \| (.*?) \| (yes|\*\*no\*\*) \|$/gm

/** A figure of a row of promises that was aimed at. */
const PROMISED = /\[([^\]]+)\]\(performance\.md#what-was-aimed-at\): ([^;|]+?)(?:;| \|)/g

/** What a ratio saves, as a logarithm: "2 × less" is as much above zero as "2 × more" is below. */
function saved(ratio: string): number {
  return Math.log(Number.parseFloat(ratio)) * (ratio.endsWith("more") ? -1 : 1)
}

/** Every cell of both tables. */
const claims = [servers, clients].flatMap(({ packages, rows }) =>
  [...rows].flatMap(([feature, cells]) =>
    cells.map(([text, ...evidence], i) => ({ library: packages[i] ?? "nobody", feature, text, evidence })),
  ),
)

/** What is wrong with a piece of evidence, in words; nothing where it holds. */
function flaw(it: Evidence): string | undefined {
  if ("promise" in it) return promises.includes(`| ${it.promise} |`) ? undefined : `no promise ${it.promise}`
  const text = read(`node_modules/${it.file}`)
  if ("has" in it) return it.has.test(text) ? undefined : `${it.file} has no ${it.has}`
  return it.lacks.test(text) ? `${it.file} has ${it.lacks}` : undefined
}

describe("the tables of features", () => {
  it("have a cell for each library in each row", () => {
    for (const { packages, rows } of [servers, clients])
      for (const [feature, cells] of rows) expect(cells.length, feature).toBe(packages.length)
  })

  it.each(claims)("say of $library for a reason: $feature: $text", ({ evidence }) => {
    expect(evidence).not.toEqual([])
    expect(evidence.map(flaw).filter((it) => it !== undefined)).toEqual([])
  })

  it("are told of evidence that does not hold", () => {
    expect(flaw({ promise: "Z1" })).toBe("no promise Z1")
    expect(flaw({ file: "ws/package.json", has: /"name": "socket.io"/ })).toContain("has no")
    expect(flaw({ file: "ws/package.json", lacks: /"name": "ws"/ })).toContain("has /")
  })
})

/** The cells of what was aimed at: its name, what was found, what was aimed at, and whether that is met. */
function marks(): string[][] {
  return [...section(read("docs/performance.md"), "marks").matchAll(MARK)].map(([, ...cells]) => cells)
}

describe("the pages that hold tables made from something else", () => {
  it.each([...renderPages()])("%s is as `npm run readme` writes it", (file, text) => {
    expect(read(file)).toBe(text)
  })

  it("S16: say of each figure that was aimed at whether it is met", () => {
    expect(marks().length).toBeGreaterThanOrEqual(15)
    for (const [name, found = "", aimedAt = "", met] of marks()) {
      const limit = aimedAt === "no more" ? 0 : saved(aimedAt.slice(2))
      expect(met, name).toBe(saved(found) >= limit ? "yes" : "**no**")
    }
  })

  it("P1, P2, P3, P4, P5, P6, P7, P8, P9, P12, P13: promise what was aimed at, each figure once", () => {
    const rows = promises.split("\n").filter((row) => /^\| P\d+ \|/.test(row))
    expect(rows).toHaveLength(13)
    const promised = rows.flatMap((row) =>
      [...row.matchAll(PROMISED)].map(([, name, figure]) => [name, figure]),
    )
    const aimedAt = marks().map(([name, , figure]) => [name, figure])
    expect(promised.map(String).sort()).toEqual(aimedAt.map(String).sort())
  })

  it("say what clients weigh, as they weigh", async () => {
    const weight = read("docs/weight.md")
    for (const [name, [clause, from]] of clientImports) {
      const { gzipBytes } = await measureSize({ name, import: clause, from, maxGzipBytes: 0 })
      const [, said] =
        new RegExp(`^\\| \`import ${clause} from "${from}"\` \\| [^|]*?([\\d.]+) kB`, "m").exec(weight) ?? []
      expect(Math.abs(Number(said) * 1_000 - gzipBytes), `${name}: ${gzipBytes} B`).toBeLessThan(500)
    }
  })
})
