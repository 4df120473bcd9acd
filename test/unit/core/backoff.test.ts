import { describe, expect, it } from "vitest"
import {
  BACKOFF_DEFAULTS,
  type BackoffOptions,
  backoffDelay,
  type Jitter,
  resolveBackoff,
} from "../../../src/core/backoff.js"
import { seededRandom } from "../../support/seeded-random.js"

const JITTERS: readonly Jitter[] = ["full", "equal", "decorrelated", "none"]
const at = (value: number) => () => value
const delay = (options: BackoffOptions, attempt: number, previousMs?: number) =>
  backoffDelay(resolveBackoff(options), attempt, previousMs)

describe("backoffDelay", () => {
  it("C1 has the documented defaults", () => {
    expect(BACKOFF_DEFAULTS).toEqual({
      initialMs: 2_000,
      factor: 2,
      maxMs: 30_000,
      floorMs: 100,
      jitter: "full",
      random: Math.random,
    })
    expect(Object.isFrozen(BACKOFF_DEFAULTS)).toBe(true)
  })

  it.each([
    [0, 2_000],
    [1, 4_000],
    [2, 8_000],
    [3, 16_000],
    [4, 30_000],
    [5, 30_000],
    [10_000, 30_000],
  ])("C1 full jitter before try %i lies between the floor and %i ms", (attempt, cap) => {
    expect(delay({ random: at(0) }, attempt)).toBe(100)
    expect(delay({ random: at(0.5) }, attempt)).toBe(100 + (cap - 100) / 2)
    expect(delay({ random: at(1) }, attempt)).toBe(cap)
  })

  it("C1 equal jitter lies between half the bound and the bound", () => {
    expect(delay({ jitter: "equal", random: at(0) }, 1)).toBe(2_000)
    expect(delay({ jitter: "equal", random: at(0.25) }, 1)).toBe(2_500)
    expect(delay({ jitter: "equal", random: at(1) }, 1)).toBe(4_000)
  })

  it("C1 decorrelated jitter lies between the first bound and three times the delay before", () => {
    expect(delay({ jitter: "decorrelated", random: at(0) }, 7, 3_000)).toBe(2_000)
    expect(delay({ jitter: "decorrelated", random: at(0.5) }, 7, 3_000)).toBe(5_500)
    expect(delay({ jitter: "decorrelated", random: at(1) }, 7, 3_000)).toBe(9_000)
    expect(delay({ jitter: "decorrelated", random: at(1) }, 7, 20_000)).toBe(30_000)
  })

  it("C1 decorrelated jitter begins from the first bound when there was no delay before", () => {
    expect(delay({ jitter: "decorrelated", random: at(1) }, 0)).toBe(6_000)
  })

  it("C1 without jitter the delay is the bound itself", () => {
    expect([0, 1, 2, 3, 4, 5].map((it) => delay({ jitter: "none" }, it))).toEqual([
      2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ])
  })

  it.each(JITTERS)("C1 %s never leaves the floor and the bound, on any draw and try", (jitter) => {
    const random = seededRandom(1)
    const settings = resolveBackoff({ jitter, random, initialMs: 10, floorMs: 50, maxMs: 3_000, factor: 1.7 })
    let previous = settings.initialMs
    for (let attempt = 0; attempt < 2_000; attempt += 1) {
      previous = backoffDelay(settings, attempt, previous)
      expect(previous).toBeGreaterThanOrEqual(50)
      expect(previous).toBeLessThanOrEqual(3_000)
    }
  })

  it.each(JITTERS)("%s stays a number after more failures than a float can raise a factor to", (jitter) => {
    for (const initialMs of [0, 1])
      expect(delay({ jitter, initialMs }, 5_000, initialMs)).toBeGreaterThanOrEqual(100)
  })

  it.each(["full", "equal", "decorrelated"] as const)(
    "C1 %s gives ≥ 100 values in 200 draws at the bound",
    (jitter) => {
      const settings = resolveBackoff({ jitter })
      const draws = Array.from({ length: 200 }, () => backoffDelay(settings, 20, settings.maxMs))
      expect(new Set(draws).size).toBeGreaterThanOrEqual(100)
    },
  )

  it("C1 full jitter is uniform between floor and bound", () => {
    const settings = resolveBackoff({ random: seededRandom(7) })
    const bins = new Array<number>(20).fill(0)
    for (let i = 0; i < 20_000; i += 1) {
      const bin = Math.floor(((backoffDelay(settings, 9) - 100) / (30_000 - 100)) * bins.length)
      bins[bin] = (bins[bin] ?? 0) + 1
    }
    // Pearson's statistic against 1,000 a bin; 43.8 is passed by chance once in a thousand (19 degrees of freedom)
    expect(bins.reduce((sum, it) => sum + (it - 1_000) ** 2 / 1_000, 0)).toBeLessThan(43.8)
  })

  it("repeats itself when chance does", () => {
    const series = (seed: number) => {
      const settings = resolveBackoff({ random: seededRandom(seed) })
      return [0, 1, 2, 3, 4].map((attempt) => backoffDelay(settings, attempt))
    }
    expect(series(3)).toEqual(series(3))
    expect(series(3)).not.toEqual(series(4))
  })
})

describe("resolveBackoff", () => {
  it.each([
    [{ initialMs: -1 }, /^backoff\.initialMs .* received -1$/],
    [{ initialMs: Number.POSITIVE_INFINITY }, /^backoff\.initialMs .* received Infinity$/],
    [{ factor: 0.5 }, /^backoff\.factor .* received 0\.5$/],
    [{ maxMs: Number.NaN }, /^backoff\.maxMs .* received NaN$/],
    [{ floorMs: 40_000 }, /^backoff\.floorMs .* received 40000$/],
    [{ jitter: "some" as Jitter }, /^backoff\.jitter .* received "some"$/],
    [{ random: 0.5 as never }, /^backoff\.random .* received 0\.5$/],
  ])("refuses %o", (options, message) => {
    expect(() => resolveBackoff(options)).toThrow(message)
  })

  it("names the option it was given under", () => {
    expect(() => resolveBackoff({ factor: 0 }, "client.retry")).toThrow(/^client\.retry\.factor/)
  })
})
