/**
 * A recipe of the documentation, run as it stands: what its page declares as given is written by the test, and whatever
 * port it asks for becomes a free one.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Program, startProgram } from "./demo-process.js"

const root = new URL("../../", import.meta.url)

/** The blocks of TypeScript on a recipe's page, in order. */
function blocksOf(recipe: string): string[] {
  const page = readFileSync(new URL(`docs/recipes/${recipe}.md`, root), "utf8")
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

/** Runs a block as a program. `given` goes before it, `after` behind it. */
function runRecipe(recipe: string, { index = 0, given = "", after = "" } = {}): Program {
  const folder = new URL(".reports/recipes/", root)
  mkdirSync(folder, { recursive: true })
  const file = `${recipe}-${index}.mts`
  writeFileSync(new URL(file, folder), `${given}\n${blockOf(recipe, index)}\n${after}\n`)
  const preload = fileURLToPath(new URL("test/support/free-port.mjs", root))
  return startProgram(`../.reports/recipes/${file}`, [], { NODE_OPTIONS: `--import ${preload}` })
}

/** Runs a block that listens. */
export async function serveRecipe(
  recipe: string,
  options: { index?: number; given?: string; after?: string } = {},
): Promise<Serving> {
  const program = runRecipe(recipe, options)
  const [, port] = await program.line(/^listening on (\d+)$/)
  return { program, port: Number(port), url: (path) => `ws://127.0.0.1:${port}${path}` }
}
