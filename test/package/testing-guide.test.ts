/**
 * The tests that docs/testing.md shows, run as a reader runs them: with vitest and with Node's own runner, in a folder with
 * the package in it.
 */

import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))
const run = promisify(execFile)
const TIMEOUT_MS = 50_000

/** The blocks of the page that are whole test files, by what they import. */
const RUNNERS = ["vitest", "node:test"] as const
const counts = new Map<string, number>()
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-testing-"))
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }))
  await mkdir(join(folder, "node_modules"))
  await symlink(root, join(folder, "node_modules", "holdfast"), "dir")
  await symlink(dirname(packageFile("vitest")), join(folder, "node_modules", "vitest"), "dir")
  const page = await readFile(join(root, "docs/testing.md"), "utf8")
  for (const [, code = ""] of page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)) {
    const runner = RUNNERS.find((it) => code.includes(`from "${it}"`))
    if (!runner) continue
    const count = (counts.get(runner) ?? 0) + 1
    counts.set(runner, count)
    await writeFile(join(folder, `${runner.replace(":", "-")}-${count}.test.ts`), code)
  }
})

afterAll(() => rm(folder, { recursive: true, force: true }))

it("K6: shows both runners", () => {
  for (const runner of RUNNERS) expect(counts.get(runner)).toBeGreaterThan(0)
})

it("K6: its tests pass with node --test", { timeout: TIMEOUT_MS }, async () => {
  const tsx = `file://${fileURLToPath(import.meta.resolve("tsx"))}`
  const files = Array.from({ length: counts.get("node:test") ?? 0 }, (_, i) => `node-test-${i + 1}.test.ts`)
  const { stdout } = await node(["--import", tsx, "--test", "--test-reporter=tap", ...files])
  expect(stdout).toContain("# fail 0")
  expect(Number(/# pass (\d+)/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(files.length)
})

it("K6: its tests pass with vitest", { timeout: TIMEOUT_MS }, async () => {
  const vitest = join(dirname(packageFile("vitest")), "vitest.mjs")
  const { stdout } = await node([vitest, "run", "--reporter=json", "vitest-"])
  const report = JSON.parse(stdout.slice(stdout.indexOf("{")))
  expect(report).toMatchObject({ success: true, numFailedTests: 0, numTotalTests: counts.get("vitest") })
})

/** Runs Node in the folder, as if no other test runner had started it. */
function node(args: readonly string[]) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(VITEST|NODE_TEST|NODE_V8|TEST$|NODE_OPTIONS)/.test(name),
    ),
  )
  return run(process.execPath, args, { cwd: folder, env, timeout: TIMEOUT_MS })
}

function packageFile(name: string): string {
  return join(root, "node_modules", name, "package.json")
}
