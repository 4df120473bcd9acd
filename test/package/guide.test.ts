/**
 * The two programs that docs/first-server.md and docs/first-client.md end with, run as a reader runs them: copied into a folder
 * with the package in it.
 */

import { type ChildProcess, spawn } from "node:child_process"
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, it } from "vitest"
import { inTime } from "../support/deadline.js"

const root = fileURLToPath(new URL("../..", import.meta.url))
const PROGRAM = /<!-- run: (\S+) -->\n```ts\n([\s\S]*?)^```$/m
const TIMEOUT_MS = 20_000

let folder: string
const children: ChildProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-guide-"))
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }))
  await mkdir(join(folder, "node_modules"))
  await symlink(root, join(folder, "node_modules", "holdfast"), "dir")
  for (const page of ["docs/first-server.md", "docs/first-client.md"]) {
    const [, name = "", code = ""] = PROGRAM.exec(await readFile(join(root, page), "utf8")) ?? []
    await writeFile(join(folder, name), code)
  }
})

afterAll(async () => {
  for (const child of children) if (child.exitCode === null) child.kill("SIGKILL")
  await rm(folder, { recursive: true, force: true })
})

it("the first server and the first client talk to each other, and end when they are told to", async () => {
  const server = start("server.ts", [])
  const url = await server.line(/^ws:/)
  const client = start("client.ts", [url.replace("name=ada", "name=grace")])
  await client.line(/^\(open\)$/)
  client.child.stdin?.write("hello\n")
  expect(await client.line(/hello/)).toBe("grace: hello")
  client.child.stdin?.end()
  await client.line(/^\(closed\)$/)
  expect(await inTime(client.exit, "the client to end", TIMEOUT_MS)).toBe(0)
  server.child.kill("SIGTERM")
  expect(await inTime(server.exit, "the server to end", TIMEOUT_MS)).toBe(0)
  expect([server.errors(), client.errors()]).toEqual(["", ""])
})

/** Runs a program of the folder from its TypeScript; `line` resolves with the next line that is like a pattern. */
function start(file: string, args: readonly string[]) {
  const tsx = fileURLToPath(import.meta.resolve("tsx"))
  const child = spawn(process.execPath, ["--import", `file://${tsx}`, file, ...args], {
    cwd: folder,
    env: { ...process.env, PORT: "0" },
    stdio: ["pipe", "pipe", "pipe"],
  })
  children.push(child)
  let errors = ""
  child.stderr.setEncoding("utf8").on("data", (text) => {
    errors += text
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  async function find(pattern: RegExp): Promise<string> {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) throw new Error(`${file} ended before it printed ${pattern}:\n${errors}`)
      if (pattern.test(value)) return value
    }
  }
  return {
    child,
    exit: new Promise<number | null>((resolve) => child.once("exit", resolve)),
    line: (pattern: RegExp) => inTime(find(pattern), `${file} to print ${pattern}`, TIMEOUT_MS),
    errors: () => errors,
  }
}
