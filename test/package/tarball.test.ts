/**
 * The package as a stranger gets it: packed, installed into an empty project, imported from both module systems
 * and compiled against. Runs on `dist`, so `npm run build` comes first.
 */

import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import ts from "typescript"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const run = promisify(execFile)
const root = fileURLToPath(new URL("../..", import.meta.url))
const { resolve } = createRequire(import.meta.url)

const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
  exports: Record<string, unknown>
  peerDependencies: Record<string, string>
}
const DOORS = Object.keys(manifest.exports)
  .filter((name) => name !== "./package.json")
  .map((name) => `holdfast${name.slice(1)}`)
/** The doors whose types name Node's. */
const NODE_DOORS = ["holdfast/server", "holdfast/auth/jwt", "holdfast/testing/node"]
/** What some doors need beside the package, and the package does not bring. */
const OPTIONAL_PEERS = Object.keys(manifest.peerDependencies)
const NPM_FLAGS = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]

let project: string
let installed: string
let broughtAlong: string[]
let packedBytes: number
let unpackedBytes: number

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "holdfast-tarball-"))
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "stranger", private: true }))
  const packed = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], {
    cwd: root,
  })
  const [{ filename, size, unpackedSize }] = JSON.parse(packed.stdout)
  packedBytes = size
  unpackedBytes = unpackedSize
  await run("npm", ["install", `./${filename}`, "--omit=peer", ...NPM_FLAGS], { cwd: project })
  installed = join(project, "node_modules", "holdfast")
  broughtAlong = await readdir(join(project, "node_modules"))
  const peers = OPTIONAL_PEERS.map((name) => join(root, "node_modules", name))
  await run("npm", ["install", ...peers, ...NPM_FLAGS], { cwd: project })
})

afterAll(() => rm(project, { recursive: true, force: true }))

it("R7: holds the built files, the pages for whoever upgrades, the readme, the license, and nothing else", async () => {
  const files = await readdir(installed)
  const pages = ["CHANGELOG.md", "LICENSE", "README.md", "UPGRADING.md"]
  expect(files.sort()).toEqual([...pages, "dist", "package.json"])
})

it("holds for each door its code and its types in both module systems, and what doors share", async () => {
  const entries = DOORS.map((door) => (door === "holdfast" ? "index" : door.slice("holdfast/".length)))
  const own = entries.flatMap((it) =>
    [".js", ".js.map", ".cjs", ".cjs.map", ".d.ts", ".d.cts"].map((end) => it + end),
  )
  const files = (await builtFiles()).map((it) => relative(join(installed, "dist"), it).replaceAll("\\", "/"))
  expect(files).toEqual(expect.arrayContaining(own))
  const shared = /^(chunk-[A-Z0-9]{8}\.c?js(\.map)?|[a-z-]+-[\w-]{8}\.d\.c?ts)$/
  expect(files.filter((it) => !own.includes(it) && !shared.test(it))).toEqual([])
})

it("is no larger than it has reason to be", () => {
  expect(packedBytes).toBeLessThan(1_500_000)
  expect(unpackedBytes).toBeLessThan(6_000_000)
})

it("names no path of the machine that built it", async () => {
  const texts = await Promise.all((await builtFiles()).map((file) => readFile(file, "utf8")))
  expect(texts.filter((text) => text.includes(root))).toEqual([])
})

it("R7: brings its dependencies, and none of what a door may need besides", () => {
  expect(broughtAlong.filter((name) => !name.startsWith("."))).toEqual([
    "eventemitter3",
    "holdfast",
    "isomorphic-ws",
    "ws",
  ])
})

it("R7: runs no script on installation", async () => {
  const { scripts } = JSON.parse(await readFile(join(installed, "package.json"), "utf8"))
  expect(Object.keys(scripts)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/install$|^prepare$/)]),
  )
})

describe.each([
  ["ES modules", ".js", "module", (door: string) => `await import("${door}")`],
  ["CommonJS", ".cjs", "commonjs", (door: string) => `require("${door}")`],
] as const)("as %s", (_system, extension, inputType, load) => {
  /** Runs code that may leave a value in `result`, and returns that value once the process has ended by itself. */
  async function evaluate(code: string): Promise<unknown> {
    const script = `let result; ${code}; process.on("exit", () => console.log(JSON.stringify(result)))`
    const args = [`--input-type=${inputType}`, "--eval", script]
    const { stdout, stderr } = await run(process.execPath, args, { cwd: project, timeout: 10_000 })
    expect(stderr).toBe("")
    return JSON.parse(stdout) // fails on anything that was printed besides the result
  }

  it.each(DOORS)("opens %s", async (door) => {
    const names = await evaluate(`result = Object.keys(${load(door)})`)
    expect(names).not.toEqual([])
    expect(names).not.toContain("default")
  })

  it.each(DOORS)("importing %s does nothing: no output, no global, no listener, no timer", async (door) => {
    const changes = await evaluate(`
      let timers = 0
      for (const name of ["setTimeout", "setInterval", "setImmediate"]) {
        const start = globalThis[name]
        globalThis[name] = (...args) => { timers++; return start(...args) }
      }
      const state = () => [...Reflect.ownKeys(globalThis), ...process.eventNames()].map(String)
      const before = new Set(state())
      ${load(door)}
      result = { timers, added: state().filter((name) => !before.has(name)) }
    `)
    expect(changes).toEqual({ timers: 0, added: [] })
  })

  it("hands out the same value wherever two doors share a name", async () => {
    const doors = DOORS.map(load).join(", ")
    const differing = await evaluate(`
      const doors = [${doors}]
      const names = new Set(doors.flatMap(Object.keys))
      result = [...names].filter((name) => new Set(doors.filter((door) => name in door).map((door) => door[name])).size > 1)
    `)
    expect(differing).toEqual([])
  })

  it("defines every class once, so that no door carries a copy of its own", async () => {
    const homes = new Map<string, string[]>()
    for (const file of (await builtFiles()).filter((name) => name.endsWith(extension))) {
      for (const name of classNames(await readFile(file, "utf8"))) {
        homes.set(name, [...(homes.get(name) ?? []), file])
      }
    }
    expect(homes.size).toBeGreaterThan(0)
    expect([...homes].filter(([, files]) => files.length > 1)).toEqual([])
  })
})

describe("the types, with every declaration file checked", () => {
  it.each(["esm.mts", "cjs.cts"])("resolve in a Node project: %s", async (file) => {
    // Node's types come from this repository; the project itself has no @types of any package.
    const typeRoots = [dirname(dirname(resolve("@types/node/package.json")))]
    await compile(file, DOORS, { module: "node16", lib: ["ES2022"], types: ["node"], typeRoots })
  })

  it.each(["esm.mts", "cjs.cts"])("resolve in a bundler's project without Node's types: %s", async (file) => {
    const doors = DOORS.filter((door) => !NODE_DOORS.includes(door))
    const lib = ["ES2022", "DOM"]
    await compile(file, doors, { module: "preserve", moduleResolution: "bundler", lib, types: [] })
  })

  async function compile(
    file: string,
    doors: readonly string[],
    options: Record<string, unknown>,
  ): Promise<void> {
    const imports = doors.map((door, i) => `import * as door${i} from "${door}"`)
    const uses = doors.map((_, i) => `export const keys${i}: PropertyKey[] = Object.keys(door${i})`)
    const compilerOptions = { strict: true, noEmit: true, skipLibCheck: false, target: "ES2022", ...options }
    await writeFile(join(project, file), [...imports, ...uses].join("\n"))
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }))
    const tsc = join(dirname(resolve("typescript/package.json")), "bin", "tsc")
    const output = await run(process.execPath, [tsc, "--project", project], { cwd: project }).then(
      () => "",
      (error: { stdout?: string }) => error.stdout ?? String(error),
    )
    expect(output).toBe("")
  }
})

async function builtFiles(): Promise<string[]> {
  const entries = await readdir(join(installed, "dist"), { recursive: true, withFileTypes: true })
  return entries.filter((it) => it.isFile()).map((it) => join(it.parentPath, it.name))
}

function classNames(code: string): string[] {
  const source = ts.createSourceFile("module.js", code, ts.ScriptTarget.Latest, true)
  const names: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isClassLike(node)) {
      const holder = ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined
      const name = node.name ?? holder
      if (name) names.push(name.getText())
    }
    node.forEachChild(visit)
  }
  visit(source)
  return names
}
