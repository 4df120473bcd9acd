/**
 * C36 in every runtime: importing the root door prints nothing, starts nothing, adds nothing, and keeps nothing alive.
 * Runs on `dist`, so `npm run build` comes first.
 */

import { runInNewContext } from "node:vm"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { bundleDoor, PageRunner } from "../support/matrix-page.js"
import { runProgram } from "../support/matrix-process.js"
import { MatrixTable } from "../support/matrix-report.js"

const PLACES = [
  { name: "in the main thread", file: "import-program.mjs" },
  { name: "in a worker", file: "import-worker.mjs" },
] as const

const NOTHING = { events: [{ calls: [], added: [], hasClient: true }], trouble: "" }

const runtimes = inject("runtimes")
let pages: PageRunner
let table: MatrixTable

beforeAll(async () => {
  pages = await PageRunner.start()
  const titles = [...runtimes.map((it) => it.title), pages.title]
  table = new MatrixTable(
    PLACES.map((it) => it.name),
    titles,
  )
})

afterAll(async () => {
  await table.save("2-imports", "What importing `holdfast` does:")
  await pages[Symbol.asyncDispose]()
})

describe.each(runtimes)("$title", (runtime) => {
  it.each(PLACES)("importing does nothing $name, and the process ends", async ({ name, file }) => {
    expect(await runProgram(runtime, file)).toMatchObject(NOTHING)
    table.set(name, runtime.title, "nothing")
  })
})

describe("Chromium", () => {
  it.each([
    { name: "in the main thread", place: "page" },
    { name: "in a worker", place: "worker" },
  ] as const)("importing does nothing $name", async ({ name, place }) => {
    expect(await pages.importDoor(place)).toMatchObject(NOTHING)
    table.set(name, pages.title, "nothing")
  })
})

it("importing does nothing where there is no window, no process, no timer and no WebSocket", async () => {
  const world = {}
  runInNewContext(`${await bundleDoor()}; globalThis.hasClient = typeof holdfast.ReconnectingClient`, world)
  expect(Object.keys(world).sort()).toEqual(["hasClient", "holdfast"])
  expect(world).toMatchObject({ hasClient: "function" })
})
