import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { IdleStack } from "../../../src/pool/idle-stack.js"

function stackOf(timeoutMs: number | false) {
  const clock = new VirtualClock()
  const expired: [string, number][] = []
  const stack = new IdleStack<string>(clock, timeoutMs, (item) => expired.push([item, clock.now()]))
  return { clock, stack, expired }
}

describe("a stack of idle items", () => {
  it("hands out the last that came", () => {
    const { stack } = stackOf(false)
    for (const item of ["a", "b", "c"]) stack.push(item)
    expect([stack.size, stack.pop(), stack.pop(), stack.pop(), stack.pop()]).toEqual([
      3,
      "c",
      "b",
      "a",
      undefined,
    ])
  })

  it("lets each go after its own time, with one timer", async () => {
    const { clock, stack, expired } = stackOf(100)
    for (const item of ["a", "b", "c"]) {
      stack.push(item)
      expect(clock.pending).toBe(1)
      await clock.advance(40)
    }
    await clock.advance(1_000)
    expect(expired).toEqual([
      ["a", 100],
      ["b", 140],
      ["c", 180],
    ])
    expect([stack.size, clock.pending]).toEqual([0, 0])
  })

  it("keeps no timer when it is empty, however it became so", () => {
    const { clock, stack } = stackOf(100)
    stack.push("a")
    stack.pop()
    expect(clock.pending).toBe(0)
    stack.push("b")
    stack.delete("b")
    stack.delete("b")
    expect(clock.pending).toBe(0)
  })

  it("waits for the next oldest when the oldest was taken out", async () => {
    const { clock, stack, expired } = stackOf(100)
    stack.push("a")
    await clock.advance(50)
    stack.push("b")
    stack.delete("a")
    await clock.advance(1_000)
    expect(expired).toEqual([["b", 150]])
  })

  it("lets all go at once that grew old while the process was stalled", async () => {
    const { clock, stack, expired } = stackOf(100)
    stack.push("a")
    stack.push("b")
    clock.stall(500)
    await clock.advance(0)
    expect(expired).toEqual([
      ["a", 500],
      ["b", 500],
    ])
  })
})
