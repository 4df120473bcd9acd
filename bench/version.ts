/**
 * Which versions are installed.
 */

import { readFileSync } from "node:fs"

/** The version of an installed package. */
export function versionOf(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version
}
