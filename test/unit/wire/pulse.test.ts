import { describe, expect, it } from "vitest"
import { HEARTBEAT_DEFAULTS, Pulse, resolveHeartbeat } from "../../../src/wire/pulse.js"

const begin = (now = 0) => new Pulse(resolveHeartbeat({ intervalMs: 100, timeoutMs: 40 }), now)

/** A pulse that was pinged at 100 and not heard since. */
function pinged() {
  const pulse = begin()
  const payload = pulse.pinged(100)
  return { pulse, payload }
}

describe("Pulse", () => {
  it("asks for a ping once the peer has been silent for the interval", () => {
    const pulse = begin(1_000)
    expect(pulse.check(1_000)).toBe(100)
    expect(pulse.check(1_099)).toBe(1)
    expect(pulse.check(1_100)).toBe("ping")
  })

  it("S31 takes anything that came in for life", () => {
    const pulse = begin()
    pulse.seen(90)
    expect(pulse.seenAt).toBe(90)
    expect(pulse.check(100)).toBe(90)
    expect(pulse.check(190)).toBe("ping")
  })

  it("may be asked to ping early, but not a peer that was heard since", () => {
    const pulse = begin()
    expect(pulse.check(50, false, 0)).toBe("ping")
    pulse.seen(10)
    expect(pulse.check(50, false, 0)).toBe(60)
  })

  it("waits for the answer as long as the timeout, and then gives up", () => {
    const { pulse } = pinged()
    expect(pulse.isAwaiting).toBe(true)
    expect(pulse.check(100)).toBe(40)
    expect(pulse.check(139)).toBe(1)
    expect(pulse.check(140)).toBe("dead")
  })

  it("S31 takes any frame for the answer", () => {
    const { pulse } = pinged()
    pulse.seen(101)
    expect(pulse.isAwaiting).toBe(false)
    expect(pulse.check(140)).toBe(61)
    expect(pulse.rttMs).toBe(undefined)
  })

  it("takes a frame of the very moment of the ping for the answer", () => {
    const { pulse } = pinged()
    pulse.seen(100)
    expect(pulse.check(140)).toBe(60)
  })

  it("S31 takes the round-trip time from the ping's payload", () => {
    const { pulse, payload } = pinged()
    expect(pulse.answered(117, payload)).toBe(true)
    expect(pulse.rttMs).toBe(17)
  })

  it("S31 takes no round-trip time from the answer to an earlier ping, or from no ping at all", () => {
    const { pulse, payload } = pinged()
    const newer = pulse.pinged(130)
    expect(newer).not.toBe(payload)
    expect(pulse.answered(135, payload)).toBe(false)
    expect(pulse.answered(136, "something else")).toBe(false)
    expect(pulse.rttMs).toBe(undefined)
    expect(pulse.seenAt).toBe(136)
    expect(pulse.answered(137, newer)).toBe(true)
    expect(pulse.rttMs).toBe(7)
    expect(begin().answered(5, "1")).toBe(false)
  })

  it("takes a pong without payload for the answer to the last ping", () => {
    const { pulse } = pinged()
    expect(pulse.answered(105)).toBe(true)
    expect(pulse.rttMs).toBe(5)
  })

  it("S32 repeats an unanswered ping once when the look comes late, before it gives up", () => {
    const { pulse } = pinged()
    expect(pulse.check(500, true)).toBe("ping")
    pulse.pinged(500)
    expect(pulse.check(520)).toBe(20)
    expect(pulse.check(540, true)).toBe("dead")
  })

  it("S32 repeats it again after an answer in between", () => {
    const { pulse } = pinged()
    expect(pulse.check(500, true)).toBe("ping")
    pulse.pinged(500)
    pulse.seen(501)
    expect(pulse.check(540)).toBe(61)
    expect(pulse.check(601)).toBe("ping")
    pulse.pinged(601)
    expect(pulse.check(900, true)).toBe("ping")
  })

  it("S32 a late look at a peer that is not awaited changes nothing", () => {
    const pulse = begin()
    pulse.seen(450)
    expect(pulse.check(500, true)).toBe(50)
  })
})

describe("resolveHeartbeat", () => {
  it("S31 has the documented defaults", () => {
    expect(HEARTBEAT_DEFAULTS).toEqual({ intervalMs: 15_000, timeoutMs: 10_000 })
    expect(resolveHeartbeat()).toEqual(HEARTBEAT_DEFAULTS)
  })

  it.each([
    [{ intervalMs: 0 }, /^heartbeat\.intervalMs .* received 0$/],
    [{ intervalMs: Number.NaN }, /^heartbeat\.intervalMs .* received NaN$/],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, /^heartbeat\.timeoutMs .* received Infinity$/],
    [{ timeoutMs: false as never }, /^heartbeat\.timeoutMs .* received false$/],
    [{ interval: 5 } as never, /^heartbeat\.interval .* received "interval"$/],
  ])("refuses %o", (options, message) => {
    expect(() => resolveHeartbeat(options)).toThrow(message)
  })
})
