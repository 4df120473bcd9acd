import { describe, expect, it } from "vitest"
import { SERVERS } from "../../../bench/contenders.js"
import { cpuCell } from "../../../bench/cpu.js"
import type { CrowdStage } from "../../../bench/crowd-stage.js"
import { measureRow } from "../../../bench/measure.js"
import { toJson, toMarkdown, toSentence } from "../../../bench/report.js"
import { fanOut } from "../../../bench/rows/fan-out.js"
import { ROWS } from "../../../bench/rows.js"

const TOY = { clients: 20, laps: 1, share: 0.01, roundMs: 1 }

describe("the bench", () => {
  // other runtimes are downloaded, which is no business of a test
  const rows = ROWS.map((row) => ({ ...row, contenders: row.contenders.filter((it) => !it.runtime) }))

  it.each(rows)(
    "measures each contender of $name in each cell, with every delivery checked",
    { timeout: 60_000 },
    async (row) => {
      const result = await measureRow(row, TOY)
      const names = row.contenders.map((it) => it.name)
      const missing = result.missing.map(({ contender }) => contender.name)
      expect(result.cells.map(({ cell }) => cell.name)).toEqual(row.cells.map((it) => it.name))
      for (const { findings } of result.cells) {
        expect(findings.map(({ contender }) => contender.name)).toEqual(
          names.filter((it) => !missing.includes(it)),
        )
        for (const { count, values } of findings) {
          expect(count).toBeGreaterThan(0)
          expect(values).toHaveLength(1)
          // memory may shrink beside so few connections
          expect(values[0]).toBeGreaterThan(row.name === "idle" ? Number.NEGATIVE_INFINITY : 0)
        }
      }
      expect(toMarkdown(result).split("\n")).toHaveLength(2 + row.contenders.length)
      expect(toSentence(result)).toContain(`npm run bench -- ${row.name}`)
      expect(JSON.parse(toJson([result])).rows[0].cells).toHaveLength(row.cells.length)
    },
  )

  it("asks each row by a name of its own, ours among its contenders and its baseline once more as its control", () => {
    expect(new Set(ROWS.map((it) => it.name)).size).toBe(ROWS.length)
    for (const { contenders } of ROWS) {
      const [baseline, control] = contenders
      expect(["ws", "by-hand"]).toContain(baseline?.name)
      expect(control).toMatchObject({
        name: `${baseline?.name}-again`,
        source: baseline?.source,
        isControl: true,
      })
      expect(contenders.filter((it) => it.isControl)).toHaveLength(1)
      expect(contenders.filter((it) => it.isOurs).map((it) => it.name)).toEqual(["holdfast"])
    }
  })

  it("measures nothing where a message is missing", async () => {
    const lossy = cpuCell<CrowdStage>({
      name: "lossy",
      title: "one more is expected than sent",
      rounds: 1,
      async run({ server, crowd }) {
        const received = crowd.receive(2, 200)
        server.tell("publish", 1)
        await received
        return 2 * crowd.size
      },
    })
    const row = { ...fanOut, contenders: [SERVERS.ws], cells: [lossy] }
    await expect(measureRow(row, TOY)).rejects.toThrow("after 200 ms 20 of 20")
  })

  it("goes on without a contender that there is none of here, and says so", async () => {
    const absent = { ...SERVERS.bun, runtime: "Abacus" }
    const row = { ...fanOut, contenders: [SERVERS.ws, absent], cells: fanOut.cells.slice(0, 1) }
    const result = await measureRow(row, TOY)
    expect(result.cells[0]?.findings.map((it) => it.contender.name)).toEqual(["ws"])
    expect(toMarkdown(result)).toContain("missing: there is no Abacus for this machine")
  })

  it("does not go on without its baseline", async () => {
    const row = { ...fanOut, contenders: [{ ...SERVERS.ws, runtime: "Abacus" }, SERVERS.holdfast] }
    await expect(measureRow(row, TOY)).rejects.toThrow("the baseline is missing")
  })
})
