/**
 * S13 in every runtime: what a hub compresses once for all is understood by each runtime's own WebSocket. Deno's offers no
 * compression, and gets everything as it is.
 */

import { afterAll, expect, inject, it } from "vitest"
import { startCompressedEcho } from "../support/compressed-echo.js"
import { runProgram } from "../support/matrix-process.js"
import { MatrixTable } from "../support/matrix-report.js"

const ROW = "60 messages, there and back"

const runtimes = inject("runtimes")
const table = new MatrixTable(
  [ROW],
  runtimes.map((it) => it.title),
)

afterAll(() => table.save("4-compression", "What a hub compresses, read by the runtime's own WebSocket:"))

it.each(runtimes)("S13: compressed messages are understood by $title", async (runtime) => {
  const echo = await startCompressedEcho()
  const run = runProgram(runtime, "compression-main.mjs", { task: { url: echo.url } })
  const isCompressed = await Promise.race([echo.converse(), run.then((it) => expect.unreachable(it.trouble))])
  expect(isCompressed).toBe(!runtime.title.startsWith("Deno"))
  expect(await run).toMatchObject({
    events: [
      {
        event: "closed",
        code: 4000,
        extensions: isCompressed ? expect.stringContaining("permessage-deflate") : "",
      },
    ],
    trouble: "",
  })
  table.set(ROW, runtime.title, isCompressed ? "compressed" : "as they are")
})
