/**
 * C31, C30 and C10 in every runtime: whatever goes wrong while a client connects, it comes back once the server has
 * healed, leaves no socket behind, and lets its process end. Runs on `dist`, so `npm run build` comes first.
 */

import { afterAll, beforeAll, describe, inject, it } from "vitest"
import { inTime, until } from "../support/deadline.js"
import { FAILURES, type Fault, FaultServer } from "../support/matrix-faults.js"
import { PageRunner } from "../support/matrix-page.js"
import { type ProgramEvent, type Run, type RunOptions, runProgram } from "../support/matrix-process.js"
import { MatrixTable } from "../support/matrix-report.js"

interface Course {
  readonly name: string
  readonly fault: Fault
  /** What the program does besides: see client-program.mjs. */
  readonly course?: "pause" | "give-up" | "idle"
  /** How many attempts it takes at least, where that is not one more than the server fails. */
  readonly attempts?: number
  readonly options?: object
}

/** What an attempt that hangs costs; every other one has the default of 10 s, so that a busy machine changes nothing. */
const HANG = { connectTimeoutMs: 400 }

/** A process with nothing left to do ends at once. A timer that was forgotten is one of 10 s. */
const LINGER_MS = 5_000

const COURSES: readonly Course[] = [
  // two, for Node 24 and later ask a second time by themselves when they are answered 401
  { name: "answered 401", fault: "401", attempts: 2 },
  { name: "refused", fault: "refused" },
  { name: "reset", fault: "reset" },
  { name: "hangs", fault: "hang", options: HANG },
  { name: "ended by the server while connecting", fault: "end" },
  { name: "paused while connecting", fault: "held", course: "pause", attempts: 2 },
  { name: "reset once open", fault: "cut" },
]
const GIVEN_UP: Course = { name: "closed while connecting", fault: "held", course: "give-up" }
const IDLE: Course = { name: "no fault, a heartbeat", fault: "none", course: "idle" }

/** A runtime, and which of its WebSockets. */
interface Column {
  readonly title: string
  readonly isNative: boolean
  run(options: RunOptions): Promise<Run>
}

let pages: PageRunner
const CHROMIUM: Column = { title: "Chromium", isNative: true, run: (options) => pages.runClient(options) }
const SERVICE_WORKER: Column = {
  title: "Chromium, service worker",
  isNative: true,
  run: (options) => pages.runClientInServiceWorker(options),
}

const columns: readonly Column[] = [
  ...inject("runtimes").flatMap((runtime) => {
    const run = (options: RunOptions) => runProgram(runtime, "client-main.mjs", options)
    const byDefault = { title: `${runtime.title}, ws`, isNative: false, run }
    return runtime.hasWebSocket
      ? [byDefault, { title: `${runtime.title}, native`, isNative: true, run }]
      : [byDefault]
  }),
  CHROMIUM,
  SERVICE_WORKER,
]

let table: MatrixTable
const fill = (row: Course, column: Column, text: string) => table.set(row.name, headingOf(column), text)

beforeAll(async () => {
  pages = await PageRunner.start()
  table = new MatrixTable(
    [...COURSES, GIVEN_UP, IDLE].map((it) => it.name),
    columns.map(headingOf),
  )
})

afterAll(async () => {
  await table.save("1-client", "Attempts until a message had come back, and the milliseconds that took:")
  await pages[Symbol.asyncDispose]()
})

describe.each(columns)("$title", (column) => {
  // in the short form, a service worker shows no more than that it works: whatever fails, fails as in a page
  const isBrief = column === SERVICE_WORKER && !inject("isFull")
  it.concurrent.for(isBrief ? COURSES.filter((it) => it.fault === "cut") : COURSES)(
    "$name: comes back, and ends",
    async (course, { expect }) => {
      const { run, server } = await play(column, course)
      const [message] = run.events.filter((it) => it.event === "message")
      const attempts = count(run, "connecting")
      expect(attempts, server.summary).toBeGreaterThanOrEqual(course.attempts ?? FAILURES + 1)
      expect(message).toMatchObject({ isEqual: true })
      expect(run.events.slice(-3)).toMatchObject([
        { event: "closing" },
        { event: "closed" },
        { event: "end", cause: "closed" },
      ])
      for (const event of run.events) {
        if (event.event === "error") expect(event.stage).toMatch(/^(connect|socket)$/)
        if (event.event === "error" && course.fault === "401" && !column.isNative)
          expect(event.status).toBe(401)
        if (event.event === "waiting") expect(event.lost).toBe(1006)
      }
      expect(server.codes.at(-1)).toBe(4001)
      fill(course, column, `${attempts}, ${message?.ms} ms`)
    },
  )

  it.concurrent("closed while connecting: ends at once", async ({ expect }) => {
    const { run } = await play(column, GIVEN_UP)
    const end = run.events.at(-1)
    expect(run.events).toMatchObject([
      { event: "connecting" },
      { event: "closed" },
      { event: "end", cause: "closed" },
    ])
    fill(GIVEN_UP, column, `ends, ${end?.ms} ms`)
  })

  if (isBrief) return

  it.concurrent("no fault: stays, and its heartbeat is answered", async ({ expect }) => {
    const { run, server } = await play(column, IDLE)
    expect(count(run, "connecting")).toBe(1)
    const pongs = run.events.filter((it) => it.event === "pong")
    expect(pongs.map((it) => it.isTime)).toEqual([true])
    expect(run.events.filter((it) => it.event === "message")).toMatchObject([{ isEqual: true }])
    expect(server.codes).toEqual([4001])
    fill(IDLE, column, `1, ${run.events.at(-1)?.ms} ms`)
  })
})

/** Runs one cell: the program must have ended by itself, without a word of complaint, and left no socket open. */
async function play(column: Column, { fault, course, options = {} }: Course) {
  await using server = await FaultServer.start(fault)
  const onEvent = (it: ProgramEvent) => {
    if (it.event === "waiting") void server.clientWaits()
  }
  const { url, control } = server
  const task = { url, control, course, isNative: column.isNative && !isInBrowser(column), options }
  const run = await inTime(column.run({ task, onEvent }), "the program to end", 25_000).catch((cause) => {
    throw new Error(`${cause.message}\n${server.summary}`, { cause })
  })
  const story = run.events.map((it) => JSON.stringify(it)).join("\n")
  if (run.trouble) throw new Error(`${run.trouble}\n${story}`)
  if (run.lingerMs > LINGER_MS) throw new Error(`ended only ${run.lingerMs} ms after its client:\n${story}`)
  await until(() => server.size === 0, "all sockets to close")
  return { run, server }
}

function isInBrowser(column: Column): boolean {
  return column === CHROMIUM || column === SERVICE_WORKER
}

/** A browser tells its version once it runs. */
function headingOf(column: Column): string {
  return isInBrowser(column) ? column.title.replace("Chromium", pages.title) : column.title
}

function count(run: Run, event: string): number {
  return run.events.filter((it) => it.event === event).length
}
