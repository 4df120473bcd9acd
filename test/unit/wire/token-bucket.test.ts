import { describe, expect, it } from "vitest"
import { TokenBucket } from "../../../src/wire/token-bucket.js"
import { fc, runs } from "../../support/properties.js"

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

  // a debt of a trillionth of a millisecond made a timer that no clock could ever pass
  it("says for how long in whole milliseconds, after which next to nothing is owed", () => {
    const rates = fc.record({
      perSecond: fc.double({ min: 0.01, max: 1e8, noNaN: true }),
      burst: fc.nat(1e6),
    })
    const steps = fc.array(fc.record({ waitMs: fc.nat(5_000), count: fc.nat(1e6) }), { maxLength: 20 })
    const check = (
      rate: { perSecond: number; burst: number },
      taken: { waitMs: number; count: number }[],
    ) => {
      let now = 12_345.678
      const bucket = new TokenBucket(rate, now)
      for (const { waitMs, count } of taken) {
        now += waitMs
        bucket.take(now, count)
        const debtMs = bucket.debtMs(now)
        expect(Number.isInteger(debtMs)).toBe(true)
        now += debtMs
        expect(bucket.debtMs(now)).toBeLessThanOrEqual(1)
      }
    }
    fc.assert(fc.property(rates, steps, check), runs(500))
  })

  it("is calm from half full on", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 20 }, 0)
    bucket.take(0, 11)
    expect(bucket.isCalm(0)).toBe(false)
    expect(bucket.isCalm(100)).toBe(true)
  })
})
