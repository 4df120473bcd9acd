/**
 * Makes one script of a page's entry and everything it imports, the library included. It knows esbuild, and no page.
 */

import { fileURLToPath } from "node:url"
import { build } from "esbuild"

/** Bundles an entry. Resolves with the script's text. */
export async function bundleScript(entry: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    logLevel: "silent",
  })
  const [script] = outputFiles
  if (!script) throw new Error(`esbuild made no file of ${entry}`)
  return script.text
}
