import type { LimitOptions } from "holdfast/server"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { ConnectionLimits, type Place, sharedBreach } from "../../../src/server/connection-limits.js"
import { resolveLimits } from "../../../src/server/limit-options.js"

function limitsOf(options: LimitOptions, clock = new VirtualClock()) {
  const limits = new ConnectionLimits(resolveLimits(options), clock)
  return {
    limits,
    clock,
    /** Somebody comes in; the name of the limit where he cannot. */
    enter(address?: string): Place | string {
      const place = limits.enter(address)
      return "refusal" in place ? place.reason : place
    },
  }
}

const seconds = (headers: Readonly<Record<string, string>> = {}) => Number(headers["Retry-After"])

describe("S43: places", () => {
  it("are as many as the limit says, and can be taken again", () => {
    const { limits, enter } = limitsOf({ connections: 2 })
    const first = enter("203.0.113.1") as Place
    enter("203.0.113.2")
    expect(limits.isFull).toBe(true)
    expect(enter("203.0.113.3")).toBe("connections")
    limits.leave(first)
    expect(limits.isFull).toBe(false)
    expect(enter("203.0.113.3")).toMatchObject({ network: "203.0.113.3" })
    expect(limits.size).toBe(2)
  })

  it("are 20,000 by default", () => {
    const { limits, enter } = limitsOf({})
    for (let i = 0; i < 20_000; i += 1) enter("203.0.113.1")
    expect([limits.size, enter("203.0.113.1")]).toEqual([20_000, "connections"])
  })

  it("have no number where the limit is off", () => {
    const { limits, enter } = limitsOf({ connections: false })
    for (let i = 0; i < 30_000; i += 1) enter()
    expect([limits.size, limits.isFull]).toEqual([30_000, false])
  })

  it("are counted for each address", () => {
    const { limits, enter } = limitsOf({ perAddress: 2 })
    const places = [enter("203.0.113.1"), enter("203.0.113.1")] as Place[]
    expect(enter("203.0.113.1")).toBe("perAddress")
    expect(enter("203.0.113.2")).toMatchObject({ network: "203.0.113.2" })
    for (const place of places) limits.leave(place)
    expect(enter("203.0.113.1")).toMatchObject({ network: "203.0.113.1" })
  })

  it("are not counted for a client whose address is not known", () => {
    const { enter } = limitsOf({ perAddress: 1 })
    expect([enter(), enter(), enter()]).not.toContain("perAddress")
  })

  it.each([
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"],
    ["2001:db8::1", "2001:0DB8:0:0:1:2:3:4", "2001:db8:0:1::1"],
    ["::1", "::2", "1::1"],
    ["fe80::1%eth0", "fe80::2%eth1", "fe80:0:0:1::1"],
  ])("of an IPv6 network are one address's: %s and %s, but not %s", (one, neighbour, stranger) => {
    const { enter } = limitsOf({ perAddress: 1 })
    enter(one)
    expect(enter(neighbour)).toBe("perAddress")
    expect(enter(stranger)).toMatchObject({ network: expect.stringMatching(/^[\da-f:]+::\/64$/) })
  })

  it("are counted for each user, once it is known who that is", () => {
    const { limits, enter } = limitsOf({ perUser: 1 })
    const [mine, also, other, nobody] = [enter(), enter(), enter(), enter()] as Place[] as [
      Place,
      Place,
      Place,
      Place,
    ]
    expect(limits.claim(mine, "ann")).toBeUndefined()
    expect(limits.claim(also, "ann")).toMatchObject({ reason: "perUser", refusal: { status: 429 } })
    expect(limits.claim(other, "bob")).toBeUndefined()
    expect(limits.claim(nobody, undefined)).toBeUndefined()
    limits.leave(also)
    limits.leave(mine)
    expect(limits.claim(enter() as Place, "ann")).toBeUndefined()
  })

  it("are given out at the rate of upgrades, refused ones included", () => {
    const { clock, enter } = limitsOf({ upgradesPerSecond: 10, upgradeBurst: 3, connections: 2 })
    expect([enter(), enter(), enter(), enter()].slice(2)).toEqual(["connections", "upgradesPerSecond"])
    clock.stall(100)
    expect([enter(), enter()]).toEqual(["connections", "upgradesPerSecond"])
  })
})

describe("S43: who finds no place", () => {
  it.each([
    ["all places are taken", { connections: 1 }, 503, 5, 30],
    ["his address has its share", { perAddress: 1 }, 429, 5, 30],
    ["too many come at once", { upgradesPerSecond: 1, upgradeBurst: 1 }, 503, 1, 5],
  ])("because %s is told when to come back, not all at the same time", (_, options, status, min, max) => {
    const { limits, enter } = limitsOf(options)
    enter("203.0.113.1")
    const waits = new Set<number>()
    for (let i = 0; i < 1_000; i += 1) {
      const refused = limits.enter("203.0.113.1")
      if (!("refusal" in refused)) throw new Error("there was a place")
      expect(refused.refusal.status).toBe(status)
      waits.add(seconds(refused.refusal.headers))
    }
    expect(waits.size).toBe(max - min + 1)
    expect([Math.min(...waits), Math.max(...waits)]).toEqual([min, max])
  })

  it.each([
    [{ msBeforeNext: 4_200, remainingPoints: 0 }, 5, 6],
    [{ msBeforeNext: 0 }, 1, 2],
    [{ msBeforeNext: -1 }, 1, 2],
    [{ msBeforeNext: Number.NaN }, 1, 2],
    [{ msBeforeNext: Number.POSITIVE_INFINITY }, 1, 2],
    [{ byAddress: { msBeforeNext: 5 } }, 1, 2],
    [undefined, 1, 2],
  ])("at a shared limiter is told what that says: %j", (rejection, min, max) => {
    const refused = sharedBreach(rejection)
    expect(refused).toMatchObject({ check: "limits", reason: "sharedLimiter", refusal: { status: 429 } })
    expect(seconds(refused?.refusal.headers)).toBeGreaterThanOrEqual(min)
    expect(seconds(refused?.refusal.headers)).toBeLessThanOrEqual(max)
  })

  it("but the failure of a shared limiter is nobody's breach", () => {
    expect(sharedBreach(new Error("ECONNREFUSED"))).toBeUndefined()
  })
})
