import { describe, expect, it } from "vitest"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"

function setUp() {
  const clock = new VirtualClock()
  const log: string[] = []
  const note = (name: string) => () => void log.push(`${name}@${clock.now()}`)
  return { clock, log, note }
}

describe("K2: VirtualClock", () => {
  it("stands still by itself", async () => {
    const { clock, log, note } = setUp()
    clock.setTimer(note("a"), 0)
    await new Promise((resolve) => setImmediate(resolve))
    expect([clock.now(), log, clock.pending]).toEqual([0, [], 1])
  })

  it("moves on however little of a wait is left: the rest of one is rounded, and may be less than time can show", async () => {
    const { clock } = setUp()
    await clock.advance(20_000.3)
    const dueAt = clock.now() + 1_000
    let looks = 0
    const look = () => {
      looks += 1
      // what any deadline does that was woken too early, here by less than the clock can show
      if (clock.now() <= dueAt && looks < 10_000) clock.setTimer(look, 1e-13)
    }
    clock.setTimer(look, 1_000)
    await clock.advance(2_000)
    expect([looks, clock.pending]).toEqual([2, 0])
  })

  it("runs what falls due, in order of time and then of asking, each at its own time", async () => {
    const { clock, log, note } = setUp()
    clock.setTimer(note("c"), 30)
    clock.setTimer(note("a"), 10)
    clock.setTimer(note("b"), 10)
    clock.setTimer(note("late"), 31)
    await clock.advance(30)
    expect(log).toEqual(["a@10", "b@10", "c@30"])
    expect(clock).toMatchObject({ pending: 1 })
    expect(clock.now()).toBe(30)
  })

  it("runs what its callbacks set in motion, as long as it is due", async () => {
    const { clock, log, note } = setUp()
    clock.setTimer(() => {
      note("first")()
      clock.setTimer(note("second"), 5)
      clock.setTimer(note("late"), 6)
    }, 5)
    await clock.advance(10)
    expect(log).toEqual(["first@5", "second@10"])
  })

  it("lets promises settle between two callbacks, and before the first", async () => {
    const { clock, log, note } = setUp()
    clock.setTimer(async () => {
      await Promise.resolve()
      await Promise.resolve()
      note("promise")()
    }, 10)
    clock.setTimer(note("timer"), 10)
    void Promise.resolve().then(() => clock.setTimer(note("from a promise"), 5))
    await clock.advance(20)
    expect(log).toEqual(["from a promise@5", "promise@10", "timer@10"])
  })

  it("forgets a callback that was cleared, and ignores one that has run", async () => {
    const { clock, log, note } = setUp()
    const cleared = clock.setTimer(note("cleared"), 10)
    const run = clock.setTimer(note("run"), 10)
    clock.clearTimer(cleared)
    await clock.advance(10)
    clock.clearTimer(run)
    clock.clearTimer(undefined)
    expect(log).toEqual(["run@10"])
    expect(clock.pending).toBe(0)
  })

  it("takes a negative wait for none", async () => {
    const { clock, log, note } = setUp()
    clock.setTimer(note("a"), -5)
    await clock.advance(0)
    expect(log).toEqual(["a@0"])
  })

  it("defers to the end of the turn, and runs what is soon before", async () => {
    const { clock, log, note } = setUp()
    clock.defer(note("deferred"))
    clock.soon(note("soon"))
    expect(log).toEqual([])
    await clock.advance(0)
    expect(log).toEqual(["soon@0", "deferred@0"])
  })

  it("S32 makes timers late by a stall, and runs none meanwhile", async () => {
    const { clock, log, note } = setUp()
    clock.setTimer(note("a"), 10)
    clock.setTimer(note("b"), 60)
    clock.stall(50)
    expect([clock.now(), log]).toEqual([50, []])
    await clock.advance(0)
    expect(log).toEqual(["a@50"])
    await clock.advance(10)
    expect(log).toEqual(["a@50", "b@60"])
  })

  it("never goes backwards, also when a callback stalls", async () => {
    const { clock } = setUp()
    clock.setTimer(() => clock.stall(1_000), 10)
    await clock.advance(20)
    expect(clock.now()).toBe(1_010)
    await clock.advance(20)
    expect(clock.now()).toBe(1_030)
  })

  it("has a date that moves with it", async () => {
    const clock = new VirtualClock(1_000)
    await clock.advance(234)
    expect(clock.date()).toBe(1_234)
    expect(new VirtualClock().date()).toBe(1_700_000_000_000)
  })
})
