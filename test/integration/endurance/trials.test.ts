import { readFileSync } from "node:fs"
import { expect, it, vi } from "vitest"
import { drainTrial, judgeDrain } from "../../../bench/endurance/drain.js"
import { hold, judgeHold } from "../../../bench/endurance/hold.js"
import { judgeRolling, rolling } from "../../../bench/endurance/rolling.js"
import { judgeSoak, slopeOf, soak } from "../../../bench/endurance/soak.js"
import { judgeStall, stall } from "../../../bench/endurance/stall.js"
import { judgeStorm, storm } from "../../../bench/endurance/storm.js"
import { binned, toTable, type Verdict } from "../../../bench/endurance/trial.js"
import { section } from "../../../bench/page.js"

// a dozen processes start in each: on a busy machine that takes a while
vi.setConfig({ testTimeout: 60_000 })

const page = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8")

/** How clients come back within a second instead of half a minute. */
const QUICK = { backoff: { initialMs: 400, maxMs: 1_000 }, closeCodes: { 1012: "now" } } as const

/** Each line of the page's table is a figure that the trial still gives. */
function expectDocumented(name: string, verdict: Verdict): void {
  const firstCells = (table: string) =>
    [...table.matchAll(/^\| ([^|]+?) \|/gm)].map((it) => it[1]?.replace(/[\d.]+/g, "n"))
  expect(firstCells(section(page, name))).toEqual(firstCells(toTable(verdict)))
}

it("R10: idle connections with rooms and a heartbeat stay, and every ping is answered", async () => {
  const heartbeat = { intervalMs: 500, timeoutMs: 10_000 }
  const held = await hold({ connections: 200, seconds: 1.5, heartbeat })
  expect(held).toMatchObject({ open: 200, dropped: 0 })
  expect(held.pings).toBeGreaterThanOrEqual(200)
  expect(held.wsBytes).toBeGreaterThan(0)
  expectDocumented("hold", judgeHold(held))
})

it("R11: clients that are cut at once spread their tries, and all of them are back once", async () => {
  const found = await storm({ clients: 100, outageMs: 600, deadlineMs: 10_000, options: QUICK })
  expect(found).toMatchObject({ back: 100, accepted: 100 })
  expect(found.opens).toHaveLength(100)
  // what they meant to do, which no busy machine changes: even on a tenth of a second there are about 33
  expect(found.firstDelays).toHaveLength(100)
  expect(Math.max(...binned(found.firstDelays, 0, 400))).toBeLessThan(65)
  expect(Math.min(...found.firstDelays)).toBeGreaterThanOrEqual(99)
  expectDocumented("storm", judgeStorm(found))
})

it("R23: on SIGTERM everybody is sent everything, then closed with 1012, and the process ends by itself with 0", async () => {
  const drained = await drainTrial({ connections: 100, windowMs: 500, words: 20 })
  expect(drained).toMatchObject({
    codes: { 1012: 100 },
    complete: 100,
    report: { closed: 100, forced: 0 },
    exit: { code: 0, signal: null },
  })
  expectDocumented("drain", judgeDrain(drained))
})

it("R23: a rolling restart of two servers loses nothing that was confirmed, and everybody is back", async () => {
  const rolled = await rolling({
    clients: 20,
    everyMs: 50,
    windowMs: 300,
    deadlineMs: 10_000,
    options: QUICK,
  })
  expect(rolled).toMatchObject({ back: 20, lost: 0, doubled: 0, exitCodes: [0, 0] })
  expect(rolled.confirmed).toBeGreaterThan(20)
  // whatever a server has is known to its sender: confirmed, or reported as open
  expect(rolled.received).toBe(rolled.confirmed + rolled.arrivedUnconfirmed)
  expectDocumented("rolling", judgeRolling(rolled))
})

it("R13: connections that come and go leave no descriptor, connection or room behind", async () => {
  const options = { connections: 100, churn: 20, broadcasts: 5, sampleSeconds: 1, settledAfter: 1 }
  const soaked = await soak({ ...options, seconds: 2 })
  expect(soaked).toMatchObject({ dropped: 0, left: { connections: 0, rooms: 0 }, came: 160 })
  expect(soaked.samples).toHaveLength(3)
  expect(new Set(soaked.samples.map((it) => it.ownDescriptors)).size).toBe(1)
  expect(soaked.messages).toBeGreaterThan(0)
  expectDocumented("soak", judgeSoak(soaked))
})

it("R13: the slope is that of the line through what came after the warm-up", () => {
  const sample = (seconds: number, mebibytes: number) => ({
    seconds,
    residentBytes: mebibytes * 1_048_576,
    ownDescriptors: 20,
  })
  const samples = [sample(0, 10), sample(60, 500), sample(120, 100), sample(180, 103), sample(240, 106)]
  const options = {
    seconds: 240,
    connections: 1,
    churn: 1,
    broadcasts: 1,
    sampleSeconds: 60,
    settledAfter: 120,
  }
  expect(slopeOf({ samples, options })).toBeCloseTo(3)
})

it("R12: one that stops reading is cut with its limit kept, and the others get everything", async () => {
  const stalled = await stall({ readers: 50, messages: 60, bytes: 24_000, everyMs: 5, rounds: 1 })
  expect(stalled.mostBuffered).toBeLessThanOrEqual(1_048_576)
  expect(stalled.causes).toEqual({ overflow: 1 })
  expect(stalled.delivered).toBe(3 * 60 * 50)
  expectDocumented("stall", judgeStall(stalled))
})
