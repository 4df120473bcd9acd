/**
 * Tables of the matrix, as Markdown that reads well in a terminal too. It knows no test.
 */

import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** Where the parts of a report are kept until all of them are there. */
export const PARTS = fileURLToPath(new URL("../../.reports/matrix", import.meta.url))

/** A table that is filled cell by cell, in any order. */
export class MatrixTable {
  readonly #rows: readonly string[]
  readonly #cells = new Map<string, Map<string, string>>()

  constructor(rows: readonly string[], columns: readonly string[]) {
    this.#rows = rows
    for (const column of columns) this.#cells.set(column, new Map())
  }

  /** Fills one cell. One that is never filled has failed. */
  set(row: string, column: string, text: string): void {
    this.#cells.get(column)?.set(row, text)
  }

  /** Keeps the table as one part of the report. Parts are put together in the order of their names. */
  async save(name: string, heading: string): Promise<void> {
    await writeFile(join(PARTS, `${name}.md`), `${heading}\n\n${this}\n`)
  }

  toString(): string {
    const head = ["", ...this.#cells.keys()]
    const body = this.#rows.map((row) => [
      row,
      ...[...this.#cells.values()].map((it) => it.get(row) ?? "failed"),
    ])
    const widths = head.map((_, i) => Math.max(...[head, ...body].map((line) => line[i]?.length ?? 0)))
    const format = (line: string[]) => `| ${line.map((it, i) => it.padEnd(widths[i] ?? 0)).join(" | ")} |`
    return [format(head), format(widths.map((it) => "-".repeat(it))), ...body.map(format)].join("\n")
  }
}
