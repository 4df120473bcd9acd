import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { section } from "../../bench/page.js"
import { runtimeTitles } from "../../scripts/runtimes.js"
import { SERVER_ROWS } from "../matrix/rows.js"

const page = readFileSync(fileURLToPath(new URL("../../docs/runtimes.md", import.meta.url)), "utf8")

/** The cells of a table of the page. */
function table(name: string): string[][] {
  const lines = section(page, name).split("\n")
  return lines
    .filter((it) => it.startsWith("|"))
    .map((it) =>
      it
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

describe("docs/runtimes.md", () => {
  it.each(["client", "imports", "server", "compression"])(
    "has a column for each runtime of the matrix: %s",
    (name) => {
      const [head = []] = table(name)
      const isThere = (title: string) => head.some((it) => it.startsWith(title))
      expect(runtimeTitles.filter((it) => !isThere(it))).toEqual([])
      expect(isThere("Node 20.")).toBe(true)
    },
  )

  it("has a row for everything that is tried of a server", () => {
    const rows = table("server").slice(2)
    expect(rows.map(([row]) => row)).toEqual(Object.values(SERVER_ROWS))
  })

  it("has no cell that failed, and none that is empty", () => {
    const cells = ["client", "imports", "server", "compression"].flatMap((it) => table(it).slice(2).flat())
    expect(cells.length).toBeGreaterThan(150)
    expect(cells.filter((it) => it === "" || it === "failed")).toEqual([])
  })
})
