/**
 * The command `npm run release -- 1.2.3`: checks that the repository is ready for that version, writes it down, and
 * makes the commit and the tag. Publishing is the work of the pipeline that the pushed tag starts.
 */

import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const CHANGELOG = `${root}CHANGELOG.md`

/** What a version looks like (Semantic Versioning 2.0.0, without build metadata). */
const VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/

/** What stands in the way of a release, one sentence each. */
export function findObstacles(version: string, state: RepositoryState): string[] {
  const heading = `## ${version} — unreleased`
  const obstacles = [
    !VERSION.test(version) && `"${version}" is no version: say, 1.2.3.`,
    state.branch !== "main" && `The branch is ${state.branch}; releases are made on main.`,
    state.changes !== "" && "There are changes that are not committed.",
    state.tags.includes(`v${version}`) && `The tag v${version} exists.`,
    !state.changelog.includes(heading) && `CHANGELOG.md has no heading "${heading}".`,
    !state.hasRepository && "package.json has no `repository`, which npm's provenance needs.",
  ]
  return obstacles.filter((it) => it !== false)
}

/** What a release depends on. */
export interface RepositoryState {
  readonly branch: string
  /** What git says of the work tree; empty where it is clean. */
  readonly changes: string
  readonly tags: readonly string[]
  readonly changelog: string
  readonly hasRepository: boolean
}

/** The changelog with a version's heading dated. */
export function dated(changelog: string, version: string, date: string): string {
  return changelog.replace(`## ${version} — unreleased`, `## ${version} — ${date}`)
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim()
}

function release(version: string): void {
  const changelog = readFileSync(CHANGELOG, "utf8")
  const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as object
  const obstacles = findObstacles(version, {
    branch: git("branch", "--show-current"),
    changes: git("status", "--porcelain"),
    tags: git("tag", "--list").split("\n"),
    changelog,
    hasRepository: "repository" in manifest,
  })
  if (obstacles.length > 0) {
    console.error(obstacles.join("\n"))
    process.exitCode = 1
    return
  }
  execFileSync("npm", ["run", "check"], { cwd: root, stdio: "inherit" })
  execFileSync("npm", ["version", version, "--no-git-tag-version", "--allow-same-version"], { cwd: root })
  writeFileSync(CHANGELOG, dated(changelog, version, new Date().toISOString().slice(0, 10)))
  git("commit", "--all", "--message", `Release ${version}`)
  git("tag", "--annotate", `v${version}`, "--message", `holdfast ${version}`)
  console.log(`Tagged v${version}. Push it: git push --follow-tags`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) release(process.argv[2] ?? "")
