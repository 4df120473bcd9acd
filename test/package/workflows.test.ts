/** The pipelines in .github/workflows, read as the service reads them, and held against what the package says of itself. */

import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"

const root = fileURLToPath(new URL("../..", import.meta.url))
const folder = `${root}.github/workflows/`

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}
interface Job {
  readonly "runs-on": string
  readonly "timeout-minutes"?: number
  readonly strategy?: { readonly matrix: { readonly include: readonly Part[] } }
  readonly steps: readonly Step[]
}
interface Part {
  readonly os: string
  readonly node: number
  readonly tests: string
}
interface Workflow {
  readonly name: string
  readonly on: object
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

const files = readdirSync(folder)
const load = (file: string): Workflow => parse(readFileSync(folder + file, "utf8"), { strict: true })
const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"))
const projects = /name: "(\w+)"/g

describe.each(files)("%s", (file) => {
  const workflow = load(file)
  const jobs = Object.values(workflow.jobs)
  const steps = jobs.flatMap((it) => it.steps)

  it("is a workflow: a name, something it starts on, jobs with a machine, a time limit and steps", () => {
    expect(workflow.name).toMatch(/./)
    expect(Object.keys(workflow.on).length).toBeGreaterThan(0)
    expect(jobs.length).toBeGreaterThan(0)
    for (const job of jobs) {
      expect(job["runs-on"]).toMatch(/./)
      expect(job["timeout-minutes"]).toBeGreaterThan(0)
      for (const step of job.steps)
        expect([typeof step.uses, typeof step.run].sort()).toEqual(["string", "undefined"])
    }
  })

  it("names a version of each action it uses, and may write nothing", () => {
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@v\d+$/)
    expect(workflow.permissions.contents).toBe("read")
  })

  it("runs only scripts and files that there are", () => {
    for (const { run = "" } of steps) {
      for (const [, script = ""] of run.matchAll(/npm run ([\w:]+)/g))
        expect(manifest.scripts).toHaveProperty([script])
      for (const [path] of run.matchAll(/\.ci\/\w+/g)) expect(existsSync(root + path), path).toBe(true)
    }
  })
})

describe("the parts of CI", () => {
  const parts = load("ci.yml").jobs.parts?.strategy?.matrix.include ?? []
  const known = [...readFileSync(`${root}vitest.config.ts`, "utf8").matchAll(projects)].map(
    ([, name]) => name,
  )

  it("are projects of vitest.config.ts", () => {
    expect(parts.length).toBeGreaterThan(3)
    for (const { tests } of parts) expect(known).toEqual(expect.arrayContaining(tests.split(" ")))
  })

  it("run the lowest Node that the package says it takes, and the highest that there is", () => {
    const lowest = Number(/\d+/.exec(manifest.engines.node)?.[0])
    const versions = parts.map((it) => it.node)
    expect(Math.min(...versions)).toBe(lowest)
    expect(Math.max(...versions)).toBeGreaterThanOrEqual(26)
  })

  it("run unit tests on Windows, with the lowest and the highest", () => {
    const windows = parts.filter((it) => it.os.startsWith("windows") && it.tests.split(" ").includes("unit"))
    const versions = parts.map((it) => it.node)
    expect(windows.map((it) => it.node).sort()).toEqual([Math.min(...versions), Math.max(...versions)])
  })
})

it("publishes with provenance, from a tag, after everything that CI does", () => {
  const { on, permissions, jobs } = load("release.yml")
  expect(on).toEqual({ push: { tags: ["v*"] } })
  expect(permissions["id-token"]).toBe("write")
  const runs = jobs.publish?.steps.flatMap(({ run }) => run ?? []) ?? []
  expect(runs[0]).toBe(".ci/run")
  expect(runs.at(-1)).toBe("npm publish --provenance --access public")
  // nor can it be forgotten by whoever publishes by hand
  expect(manifest.publishConfig).toEqual({ access: "public", provenance: true })
})
