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
  // a client that is through may have ended before the hub knows that it is closed
  const wellEnded = run.then(({ trouble }) => expect(trouble).toBe(""))
  const [isCompressed] = await Promise.all([echo.converse(), wellEnded])
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
