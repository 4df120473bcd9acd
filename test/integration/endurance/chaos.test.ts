import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { chaos, judgeChaos } from "../../../bench/chaos/chaos.js"
import { CARRIERS } from "../../../bench/chaos/engines.js"
import { Ledger, lossesOf } from "../../../bench/chaos/ledger.js"
import { toTable } from "../../../bench/endurance/trial.js"
import { section } from "../../../bench/page.js"

const page = readFileSync(new URL("../../../docs/scaling.md", import.meta.url), "utf8")

it.concurrent.each(CARRIERS)(
  "A2: over %s, nodes and engine that die and hang at random make no duplicate, no disorder and no loss untold",
  {
    timeout: 90_000,
  },
  async (carrier) => {
    const found = await chaos({
      carrier,
      ...{
        nodes: 3,
        clients: 40,
        rooms: 6,
        seconds: 3,
        everyMs: 20,
        faultEveryMs: 700,
        markMs: 500,
        seed: 7,
      },
    })
    const verdict = judgeChaos(found)
    expect(verdict.checks.filter((it) => !it.isMet)).toEqual([])
    // what proves nothing where nothing happened
    expect(found.killed + found.engineFaults).toBeGreaterThan(0)
    expect(found.heard).toBeGreaterThan(0)
    expect(found.crowd.received).toBeGreaterThan(0)
    const firstCells = (table: string) => [...table.matchAll(/^\| ([^|]+?) \|/gm)].map((it) => it[1])
    expect(firstCells(section(page, `chaos ${carrier}`))).toEqual(firstCells(toTable(verdict)))
  },
)

it("a ledger tells what came twice, what was overtaken, and what is missing untold", () => {
  const ledger = new Ledger()
  for (const it of ["entry a p 3", "entry a p 4", "entry a p 4", "entry a q 9", "entry b p 1"])
    ledger.take(it)
  expect(ledger).toMatchObject({ doubled: 1, misordered: 0, untold: 0 })
  ledger.take("entry a p 3")
  expect(ledger.misordered).toBe(1)
  ledger.take("entry a p 8")
  expect(ledger.untold).toBe(3)
  ledger.take("loss b 9")
  ledger.take("loss a 2")
  expect(ledger.untold).toBe(1)
  ledger.take("loss a 1")
  expect([ledger.untold, ledger.toldInAll]).toEqual([0, 12])
})

it("losses are bounded by what publishers wrote down: exactly for the living, from both sides for the dead", () => {
  const heard = [
    { room: "a", publisher: "p", first: 3, last: 10, received: 6 },
    { room: "b", publisher: "q", first: 2, last: 4, received: 3 },
  ]
  const began = { startedAt: 5_000, readyAt: 6_000 }
  const listener = { startedAt: 0, readyAt: 1_000 }
  const publishers = new Map([
    ["p", { ...began, isAlive: true, rooms: { a: 11 } }],
    ["q", { ...began, isAlive: false, rooms: { b: 9 } }],
  ])
  expect(Object.fromEntries(lossesOf(heard, publishers, listener))).toEqual({
    a: { least: 5, most: 5 },
    b: { least: 0, most: 6 },
  })
  const late = { startedAt: 7_000, readyAt: 8_000 }
  expect(lossesOf(heard, publishers, late).get("a")).toEqual({ least: 3, most: 3 })
})
