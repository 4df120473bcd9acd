import { describe, expect, it } from "vitest"
import { TokenBucket } from "../../../src/wire/token-bucket.js"

describe("a token bucket", () => {
  it("begins full, gives what it has, and fills steadily up to its burst", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 20 }, 0)
    expect(bucket.tryTake(0, 20)).toBe(true)
    expect(bucket.tryTake(0, 1)).toBe(false)
    expect(bucket.tryTake(99, 1)).toBe(false)
    expect(bucket.tryTake(100, 1)).toBe(true)
    expect(bucket.tryTake(60_000, 20)).toBe(true)
    expect(bucket.tryTake(60_000, 1)).toBe(false)
  })

  it("can be overdrawn, and says how long that takes to pay back", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 20 }, 0)
    expect(bucket.take(0, 20)).toBe(true)
    expect(bucket.debtMs(0)).toBe(0)
    expect(bucket.take(0, 5)).toBe(false)
    expect(bucket.debtMs(0)).toBe(500)
    expect(bucket.debtMs(400)).toBeCloseTo(100)
    expect(bucket.debtMs(500)).toBe(0)
    expect(bucket.isDeepInDebt).toBe(false)
    bucket.take(500, 21)
    expect(bucket.isDeepInDebt).toBe(true)
  })

  it("is calm from half full on", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 20 }, 0)
    bucket.take(0, 11)
    expect(bucket.isCalm(0)).toBe(false)
    expect(bucket.isCalm(100)).toBe(true)
  })
})
