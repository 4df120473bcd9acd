/**
 * What an import costs a page: bundles it from `dist` as a browser's bundler would, minifies, gzips, and compares
 * with size-budget.json. Knows nothing of the sources; run `npm run build` first.
 */

import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"

const root = fileURLToPath(new URL("..", import.meta.url))

/** A line of the table of budgets. */
export interface Budget {
  readonly name: string
  /** The import clause, e.g. `{ ReconnectingClient }`. */
  readonly import: string
  readonly from: string
  readonly maxGzipBytes: number
}

export interface Size extends Budget {
  readonly minifiedBytes: number
  readonly gzipBytes: number
}

/** Reads the table of budgets and measures every line of it. */
export async function measureSizes(): Promise<Size[]> {
  const budgets: Budget[] = JSON.parse(readFileSync(`${root}/size-budget.json`, "utf8"))
  return Promise.all(budgets.map(measureSize))
}

/** The sizes as a table for a terminal. */
export function formatSizes(sizes: readonly Size[]): string {
  const rows = sizes.map((size) => [
    size.name,
    `${size.gzipBytes} B gzipped of ${size.maxGzipBytes} B`,
    `${size.minifiedBytes} B minified`,
  ])
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(width(i)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
}

/** Measures one import, of this package or of any other that is installed. */
export async function measureSize(budget: Budget): Promise<Size> {
  const result = await build({
    stdin: { contents: `export ${budget.import} from "${budget.from}"`, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "error",
    tsconfigRaw: {}, // tsconfig.json maps the package's name to its sources; here the built files count
  })
  const code = result.outputFiles[0]?.contents ?? new Uint8Array()
  return { ...budget, minifiedBytes: code.length, gzipBytes: gzipSync(code, { level: 9 }).length }
}
