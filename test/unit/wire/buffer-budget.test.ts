import { describe, expect, it } from "vitest"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { type BudgetMember, BufferBudget } from "../../../src/wire/buffer-budget.js"
import { Flusher } from "../../../src/wire/flusher.js"
import { frame } from "../../support/frames.js"
import { outboxBench } from "../../support/outbox-bench.js"
import { fc } from "../../support/properties.js"

/** Members of a budget that say what they hold, and a list of those who were given up. */
function setUp(maxBytes: number | false) {
  const budget = new BufferBudget(maxBytes)
  const shed: string[] = []
  const members = new Map<string, BudgetMember & { waitingBytes: number }>()
  const add = (name: string, canShed = true) => {
    const it = {
      waitingBytes: 0,
      notedBytes: 0,
      shed() {
        if (!canShed) return false
        shed.push(name)
        it.waitingBytes = 0
        budget.note(it, 0)
        return true
      },
    }
    members.set(name, it)
    return it
  }
  const hold = (name: string, bytes: number) => {
    const it = members.get(name) ?? add(name)
    it.waitingBytes = bytes
    budget.note(it, bytes)
  }
  return { budget, shed, members, add, hold }
}

describe("S24 BufferBudget", () => {
  it("sums what its members hold, and forgets those who hold nothing", () => {
    const { budget, hold } = setUp(false)
    hold("a", 10)
    hold("b", 20)
    hold("a", 5)
    expect(budget.bufferedBytes).toBe(25)
    hold("b", 0)
    expect(budget.bufferedBytes).toBe(5)
  })

  it("gives up nobody where it is off", () => {
    const { hold, shed } = setUp(false)
    hold("a", 1e12)
    expect(shed).toEqual([])
  })

  it("gives up nobody up to the ceiling, and the one that holds the most above it", () => {
    const { budget, hold, shed } = setUp(100)
    hold("a", 30)
    hold("b", 50)
    hold("c", 20)
    expect(shed).toEqual([])
    hold("c", 21)
    expect([shed, budget.bufferedBytes, budget.shedCount]).toEqual([["b"], 51, 1])
  })

  it("gives up several, slowest first, until a tenth is free", () => {
    const { budget, hold, shed } = setUp(100)
    for (const [name, bytes] of [
      ["a", 5],
      ["b", 6],
      ["c", 7],
      ["d", 80],
    ] as const) {
      hold(name, bytes)
    }
    hold("e", 90)
    expect([shed, budget.bufferedBytes]).toEqual([["e", "d"], 18])
    const many = setUp(100)
    for (let i = 0; i < 51; i += 1) many.hold(String(i), 2)
    expect(many.budget.bufferedBytes).toBe(90)
  })

  it("of those who hold as much, gives up whoever has held it for longest", () => {
    const { hold, shed } = setUp(100)
    hold("late", 1)
    for (const name of ["x", "y", "z"]) hold(name, 30)
    hold("late", 0)
    hold("late", 30)
    expect(shed).toEqual(["x"])
  })

  it("counts again before it gives up anybody: what has left meanwhile is not held against them", () => {
    const { budget, hold, shed, members } = setUp(100)
    hold("a", 60)
    const a = members.get("a") as { waitingBytes: number }
    a.waitingBytes = 10
    hold("b", 60)
    expect([shed, budget.bufferedBytes]).toEqual([[], 70])
    hold("b", 91)
    expect(shed).toEqual(["b"])
  })

  it("passes over those who have nothing left to give up", () => {
    const { budget, add, hold, shed } = setUp(100)
    add("closing", false)
    hold("closing", 60)
    hold("b", 50)
    expect([shed, budget.shedCount]).toEqual([["b"], 1])
  })

  it("is not begun anew by what happens while it gives up somebody", () => {
    const { add, budget, hold, shed } = setUp(100)
    const a = add("a")
    const { shed: original } = a
    a.shed = () => {
      hold("b", 95)
      return original()
    }
    hold("b", 10)
    hold("a", 99)
    expect([shed, budget.bufferedBytes]).toEqual([["a", "b"], 0])
  })

  it("is never exceeded once a note has returned, and gives up no more than it must", () => {
    const step = fc.record({ name: fc.constantFrom("a", "b", "c", "d", "e"), bytes: fc.nat(60) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { budget, hold, shed, members } = setUp(100)
        for (const { name, bytes } of steps) {
          const others = [...members].filter(([it]) => it !== name).map(([, it]) => it.waitingBytes)
          const wanted = others.reduce((sum, it) => sum + it, bytes)
          const before = shed.length
          hold(name, bytes)
          expect(shed.length > before).toBe(wanted > 100)
          expect(budget.bufferedBytes).toBeLessThanOrEqual(wanted > 100 ? 90 : 100)
        }
      }),
    )
  })
})

describe("S24 outboxes with one budget", () => {
  const crowd = (count: number, maxTotalBufferedBytes: number) => {
    const clock = new VirtualClock()
    const flusher = new Flusher(clock)
    const budget = new BufferBudget(maxTotalBufferedBytes)
    const benches = Array.from({ length: count }, () => {
      const bench = outboxBench({ clock, flusher, budget, maxBufferedBytes: 1_000, overflow: "drop-newest" })
      bench.owner.onOverload = () => void bench.outbox.abandon(() => new Error("overload"))
      return bench
    })
    return { clock, budget, benches }
  }

  it("note nothing while everything leaves at once", async () => {
    const { benches, budget, clock } = crowd(3, 10)
    for (const { outbox } of benches) outbox.send(frame("x".repeat(98)))
    expect(budget.bufferedBytes).toBe(0)
    await clock.advance(0)
    for (const { outbox } of benches) expect([outbox.notedBytes, outbox.bufferedBytes]).toEqual([0, 0])
  })

  it("note what the sink does not take, what waits behind it, and what has left", async () => {
    const { benches, budget, clock } = crowd(1, 10_000)
    const [{ outbox, sink }] = benches as [(typeof benches)[0]]
    sink.stall()
    outbox.send(frame("x".repeat(118)))
    await clock.advance(0)
    expect([outbox.notedBytes, budget.bufferedBytes]).toEqual([120, 120])
    outbox.send(frame("more"))
    expect([outbox.notedBytes, budget.bufferedBytes]).toEqual([126, 126])
    sink.unstall()
    expect([outbox.notedBytes, budget.bufferedBytes]).toEqual([0, 0])
    sink.stall()
    outbox.send(frame("x".repeat(118)))
    await clock.advance(0)
    outbox.abandon(() => new Error("gone"))
    expect([outbox.notedBytes, budget.bufferedBytes]).toEqual([0, 0])
  })

  it("give up the slowest, whoever sends", async () => {
    const { benches, clock } = crowd(3, 700)
    const [slow, slower, quick] = benches as [(typeof benches)[0], (typeof benches)[0], (typeof benches)[0]]
    for (const { sink } of [slow, slower]) sink.stall()
    for (const { outbox } of benches) outbox.send(frame("x".repeat(118)))
    await clock.advance(0)
    for (let i = 0; i < 3; i += 1) slower.outbox.send(frame("x".repeat(98)))
    expect(slower.outbox.bufferedBytes).toBe(420)
    expect(slow.outbox.send(frame("x".repeat(98)))).toBe("queued")
    expect(slow.outbox.send(frame("x".repeat(98)))).toBe("queued")
    expect(benches.map(({ owner }) => owner.overloads)).toEqual([0, 1, 0])
    expect(slower.outbox.send(frame("late"))).toBe("closed")
    quick.outbox.send(frame("fine"))
    await clock.advance(0)
    expect(quick.sink.messages).toContain("fine")
  })

  it("say dropped of the very message that made it too much, and closed afterwards", async () => {
    const { benches, clock } = crowd(1, 150)
    const [{ outbox, owner, sink }] = benches as [(typeof benches)[0]]
    sink.stall()
    outbox.send(frame("x".repeat(118)))
    await clock.advance(0)
    expect(outbox.send(frame("x".repeat(98)))).toBe("dropped")
    expect(outbox.send(frame("x"))).toBe("closed")
    expect(owner.overloads).toBe(1)
  })

  it("give up one whose write alone is too much, and leave no listener on its sink", async () => {
    const { benches, clock } = crowd(1, 50)
    const [{ outbox, owner, sink }] = benches as [(typeof benches)[0]]
    sink.stall()
    expect(outbox.send(frame("x".repeat(118)))).toBe("sent")
    await clock.advance(0)
    expect([owner.overloads, sink.waiters]).toEqual([1, 0])
  })
})
