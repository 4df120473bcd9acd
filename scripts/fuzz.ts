/**
 * Tries the properties of the tests from new seeds, and more often: `npm run fuzz`, or `npm run fuzz -- 100` for so many
 * times as often as the tests do. A failure prints the seed and the smallest case that fails.
 */

import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"

const factor = process.argv[2] ?? "20"
const files = readdirSync("test", { recursive: true, encoding: "utf8" })
  .map((name) => `test/${name}`)
  .filter((file) => file.endsWith(".test.ts") && readFileSync(file, "utf8").includes("support/properties.js"))
const { status } = spawnSync("npx", ["vitest", "run", "--testTimeout=600000", ...files], {
  env: { ...process.env, HOLDFAST_FUZZ: factor },
  stdio: "inherit",
})
process.exitCode = status ?? 1
