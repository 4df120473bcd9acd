/**
 * A recipe of the documentation, run as it stands: what its page declares as given is written by the test, and whatever
 * port it asks for becomes a free one.
 */

import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { type Program, startProgram } from "./demo-process.js"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** The blocks of TypeScript on a recipe's page, in order. */
function blocksOf(recipe: string): string[] {
  const page = readFileSync(join(root, `docs/recipes/${recipe}.md`), "utf8")
  return [...page.matchAll(/^```tsx?\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code)
}

/** The block of this place. Throws where there is none. */
export function blockOf(recipe: string, index = 0): string {
  const code = blocksOf(recipe)[index]
  if (code === undefined) throw new Error(`${recipe} has no block ${index}`)
  return code
}

/** A recipe that listens. */
export interface Serving {
  readonly program: Program
  readonly port: number
  /** Where its WebSockets are. */
  url(path: string): string
}

/** How a block is made into a program. */
export interface RecipeOptions {
  /** Which block of the page. @defaultValue 0 */
  readonly index?: number
  /** What the page declares as given. */
  readonly given?: string
  /** What the test does with it. */
  readonly after?: string
  /** What of it is not to be had in a test, such as an address, and what is in its place. */
  readonly replace?: readonly [from: string, to: string]
}

/** Runs a block as a program. */
export async function runRecipe(recipe: string, options: RecipeOptions = {}): Promise<Program> {
  const { index = 0, given = "", after = "", replace: [from, to] = ["", ""] } = options
  const file = `.reports/recipes/${recipe}-${index}.mjs`
  const code = blockOf(recipe, index).replace(from, to)
  // put together beforehand, because that is sooner done than by a loader in each process
  await build({
    stdin: { contents: `${given}\n${code}\n${after}\n`, loader: "ts", resolveDir: root },
    outfile: join(root, file),
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    alias: { holdfast: join(root, "src") },
    logLevel: "silent",
  })
  return startProgram(`../${file}`, [], {
    NODE_OPTIONS: `--import ${join(root, "test/support/free-port.mjs")}`,
  })
}

/** Runs a block that listens. */
export async function serveRecipe(recipe: string, options: RecipeOptions = {}): Promise<Serving> {
  const program = await runRecipe(recipe, options)
  const [, port] = await program.line(/^listening on (\d+)$/)
  return { program, port: Number(port), url: (path) => `ws://127.0.0.1:${port}${path}` }
}
