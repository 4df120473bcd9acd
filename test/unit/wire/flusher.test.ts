import { describe, expect, it } from "vitest"
import { Flusher } from "../../../src/wire/flusher.js"
import { frame } from "../../support/frames.js"
import { TurnClock } from "../../support/turn-clock.js"

function setUp(clock = new TurnClock()) {
  const flusher = new Flusher(clock)
  const flushed: string[] = []
  const outbox = (name: string, onFlush?: () => void) => ({
    flush() {
      flushed.push(name)
      onFlush?.()
    },
  })
  return { clock, flusher, flushed, outbox }
}

describe("Flusher", () => {
  it("S11 flushes at the end of the turn, in the order of asking", () => {
    const { clock, flusher, flushed, outbox } = setUp()
    for (const name of ["a", "b", "c"]) flusher.add(outbox(name))
    expect(flushed).toEqual([])
    expect(clock.turnsToCome).toBe(1)
    clock.turn()
    expect(flushed).toEqual(["a", "b", "c"])
    expect(clock.turnsToCome).toBe(0)
  })

  it("flushes what asks later in a later turn", () => {
    const { clock, flusher, flushed, outbox } = setUp()
    flusher.add(outbox("a"))
    clock.turn()
    flusher.add(outbox("b"))
    expect(flushed).toEqual(["a"])
    clock.turn()
    expect(flushed).toEqual(["a", "b"])
  })

  it("flushes what asks during a flush, after it", () => {
    const { clock, flusher, flushed, outbox } = setUp()
    flusher.add(outbox("a", () => flusher.add(outbox("late"))))
    flusher.add(outbox("b"))
    clock.turn()
    expect(flushed).toEqual(["a", "b"])
    clock.turn()
    expect(flushed).toEqual(["a", "b", "late"])
    expect(clock.turnsToCome).toBe(0)
  })

  it("S11 begins every turn from a root of its own, so that nothing of the last turn is kept", () => {
    const { clock, flusher, outbox } = setUp()
    const first = flusher.root
    const shared = frame("a")
    expect(flusher.root.append(shared)).toBe(first.append(shared))
    flusher.add(outbox("a"))
    clock.turn()
    expect(flusher.root).not.toBe(first)
  })

  // nothing was ever flushed again, of anybody
  it("goes on behind an outbox that throws, and does not hide what it threw", () => {
    const { clock, flusher, flushed, outbox } = setUp()
    const fail = () => {
      throw new Error("a socket of somebody else's")
    }
    flusher.add(outbox("a"))
    flusher.add(outbox("bad", fail))
    flusher.add(outbox("b"))
    clock.turn()
    expect(flushed).toEqual(["a", "bad", "b"])
    expect(() => clock.turn()).toThrow("somebody else's")
    flusher.add(outbox("c"))
    clock.turn()
    expect(flushed).toEqual(["a", "bad", "b", "c"])
    expect(clock.turnsToCome).toBe(0)
  })

  it("S14 slices a flush that holds the event loop, and keeps the order", () => {
    const { flusher, flushed, outbox, clock } = setUp(new TurnClock(6))
    const names = Array.from({ length: 1_000 }, (_, i) => String(i))
    for (const name of names) flusher.add(outbox(name))
    let turns = 0
    let longest = 0
    while (flushed.length < names.length) {
      const before = flushed.length
      turns += 1
      clock.turn()
      longest = Math.max(longest, flushed.length - before)
    }
    expect(flushed).toEqual(names)
    expect(turns).toBeGreaterThan(5)
    expect(longest).toBeLessThanOrEqual(192)
  })

  it("S14 does not slice a flush that is quick", () => {
    const { clock, flusher, flushed, outbox } = setUp()
    for (let i = 0; i < 10_000; i += 1) flusher.add(outbox(String(i)))
    clock.turn()
    expect(flushed).toHaveLength(10_000)
  })

  it("S14 lets nothing overtake a sliced flush", () => {
    const { clock, flusher, flushed, outbox } = setUp(new TurnClock(6))
    for (let i = 0; i < 300; i += 1) flusher.add(outbox("early"))
    clock.turn()
    expect(flushed.length).toBeLessThan(300)
    flusher.add(outbox("late"))
    while (clock.turnsToCome > 0) clock.turn()
    expect(flushed.indexOf("late")).toBe(300)
    expect(flushed).toHaveLength(301)
  })
})
