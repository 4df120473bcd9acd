import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))
const ROW = /^\| ([A-Z]\d+) \| .* \| (.*) \|$/gm

/** The rows of docs/promises.md: a promise's line, and the files said to prove it. */
function promises(): { line: string; tests: string[] }[] {
  const page = readFileSync(join(root, "docs/promises.md"), "utf8")
  return [...page.matchAll(ROW)].map(([, line = "", tests = ""]) => ({
    line,
    tests: [...tests.matchAll(/\(\.\.\/(test\/[^)]+)\)/g)].map(([, path = ""]) => path),
  }))
}

describe("the promises of docs/promises.md", () => {
  it("are more than forty, each once", () => {
    const lines = promises().map((it) => it.line)
    expect(lines.length).toBeGreaterThan(40)
    expect(new Set(lines).size).toBe(lines.length)
  })

  it.each(promises())("$line is proved by tests that name it", ({ line, tests }) => {
    expect(tests).not.toEqual([])
    for (const test of tests) {
      expect(existsSync(join(root, test)), `${test} exists`).toBe(true)
      expect(readFileSync(join(root, test), "utf8"), `${test} names ${line}`).toMatch(
        new RegExp(`\\b${line}\\b`),
      )
    }
  })
})
