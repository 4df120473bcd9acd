/**
 * Compiles the programs of the bench, with the library's sources in them, for plain Node: what is measured is what
 * the sources say now, as the package's build would translate them, and no loader runs beside it.
 */

import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The compiled programs. */
export interface Compiled extends AsyncDisposable {
  /** The file to run for a program's source. */
  fileOf(source: string): string
}

/** Compiles programs into a folder that lasts until the result is disposed of. Packages are left out of it. */
export async function compile(sources: readonly string[]): Promise<Compiled> {
  // inside the repository, so that what is compiled finds the packages
  const reports = join(root, ".reports")
  await mkdir(reports, { recursive: true })
  const folder = await mkdtemp(join(reports, "bench-"))
  await build({
    entryPoints: [...new Set(sources)],
    outdir: folder,
    outbase: root,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: ["es2022", "node20"],
    tsconfig: join(root, "tsconfig.json"),
  })
  return {
    fileOf: (source) => join(folder, relative(root, source).replace(/\.ts$/, ".mjs")),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
