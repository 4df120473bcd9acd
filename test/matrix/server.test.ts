/**
 * The server side in every runtime: a hub on that runtime's `node:http` takes a client in, turns one away, answers, and
 * lets its process end. Runs on `dist`, so `npm run build` comes first.
 */

import { once } from "node:events"
import { afterAll, expect, inject, it } from "vitest"
import { WebSocket } from "ws"
import { inTime } from "../support/deadline.js"
import { type ProgramEvent, runProgram } from "../support/matrix-process.js"
import { MatrixTable } from "../support/matrix-report.js"

const ROW = "a message to the sender, a message to all"

const runtimes = inject("runtimes")
const table = new MatrixTable(
  [ROW],
  runtimes.map((it) => it.title),
)

afterAll(() => table.save("3-server", "A hub on `node:http`:"))

it.each(runtimes)("a hub attached to node:http serves a client on $title", async (runtime) => {
  const listening = new Listening()
  const run = runProgram(runtime, "server-main.mjs", { onEvent: (event) => listening.heard(event) })
  run.catch(listening.fail)
  const port = await inTime(listening.port, "the program to listen", 15_000)

  expect(await knock(port)).toContain("401")
  const client = new WebSocket(`ws://127.0.0.1:${port}/ws/open`)
  const received: unknown[] = []
  const all = new Promise<void>((resolve, reject) => {
    client.on("error", reject)
    client.on("message", (data) => received.push(JSON.parse(String(data))) === 2 && resolve())
  })
  client.on("open", () => client.send(JSON.stringify("hello")))
  await inTime(all, "two messages", 15_000)
  client.close(4001)

  expect(await run).toMatchObject({
    events: [{ event: "listening", port }, { event: "left", code: 4001 }, { event: "closed" }],
    trouble: "",
  })
  expect(received).toEqual([{ answer: "hello" }, { everybody: "hello" }])
  table.set(ROW, runtime.title, "arrive")
})

/** What a client is told that may not come in. */
async function knock(port: number): Promise<string> {
  const [error] = await once(new WebSocket(`ws://127.0.0.1:${port}/ws/locked`), "error").catch((it) => [it])
  return String(error)
}

/** The port that a program says it listens on. */
class Listening {
  heard = (_event: ProgramEvent) => {}
  fail = (_error: unknown) => {}
  readonly port = new Promise<number>((resolve, reject) => {
    this.heard = ({ event, port }) => void (event === "listening" && resolve(port as number))
    this.fail = reject
  })
}
