/**
 * Programs that tests need and that are no npm packages: those on the PATH, or Debian's own package, installed when it
 * is missing. Knows nothing of the tests.
 */

import { spawnSync } from "node:child_process"
import { accessSync, constants, readFileSync, statSync } from "node:fs"
import { delimiter, join } from "node:path"

/** The first of these programs that is on the `PATH`, or in Debian's folders of servers. */
export function findProgram(names: readonly string[]): string | undefined {
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter).filter(Boolean),
    "/usr/sbin",
    "/usr/local/sbin",
  ]
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

/** Whether a path is a file that can be run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Whether this is Debian and the user is root. Elsewhere apt's packages may be something else. */
export function canInstall(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    return /^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"))
  } catch {
    return false
  }
}

/**
 * Installs packages, once.
 * @throws Error with one sentence, and apt's own words as the cause.
 */
export function installPackages(what: string, packages: readonly string[]): void {
  console.log(`${what} is missing; installing Debian's package (once).`)
  aptGet(what, "update")
  aptGet(what, "install", "-y", "--no-install-recommends", ...packages)
}

// The lock's timeout waits for another apt or dpkg that is at work.
function aptGet(what: string, ...args: string[]): void {
  const run = spawnSync("apt-get", ["-o", "DPkg::Lock::Timeout=300", "-q", ...args], {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  })
  if (run.status === 0) return
  const cause = run.error ?? new Error(run.stderr.trim())
  throw new Error(`${what} is missing and could not be installed: apt-get ${args[0]} failed.`, { cause })
}

/**
 * The path of a program, installed now where that is possible.
 * @throws Error with one sentence that says how to get it.
 */
export function ensureProgram(name: string, packageName: string): string {
  const found = findProgram([name])
  if (found) return found
  if (canInstall()) installPackages(name, [packageName])
  const path = findProgram([name])
  if (path) return path
  throw new Error(
    `The adapter tests need ${name}, and none was found: install it (on Debian, \`apt-get install ${packageName}\`).`,
  )
}
