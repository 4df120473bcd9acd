import { describe, expect, it, vi } from "vitest"
import { systemClock, Timer } from "../../../src/core/timer.js"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { inTime } from "../../support/deadline.js"

function setUp() {
  const clock = new VirtualClock()
  const rang = vi.fn()
  return { clock, rang, timer: new Timer(clock, rang) }
}

describe("Timer", () => {
  it("calls back once, when its time has come", async () => {
    const { clock, rang, timer } = setUp()
    timer.start(100)
    expect(timer.isArmed).toBe(true)
    await clock.advance(99)
    expect(rang).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(rang).toHaveBeenCalledOnce()
    expect(timer.isArmed).toBe(false)
    await clock.advance(1_000)
    expect(rang).toHaveBeenCalledOnce()
  })

  it("replaces a wait that is pending", async () => {
    const { clock, rang, timer } = setUp()
    timer.start(100)
    await clock.advance(50)
    timer.start(100)
    expect(clock.pending).toBe(1)
    await clock.advance(99)
    expect(rang).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(rang).toHaveBeenCalledOnce()
  })

  it("can be stopped, also when nothing is pending", async () => {
    const { clock, rang, timer } = setUp()
    timer.stop()
    timer.start(100)
    timer.stop()
    timer.stop()
    expect(clock.pending).toBe(0)
    await clock.advance(1_000)
    expect(rang).not.toHaveBeenCalled()
  })

  it("can be armed again by its own callback", async () => {
    const clock = new VirtualClock()
    let rings = 0
    const timer: Timer = new Timer(clock, () => {
      rings += 1
      if (rings < 3) timer.start(10)
    })
    timer.start(10)
    await clock.advance(1_000)
    expect(rings).toBe(3)
  })
})

describe("systemClock", () => {
  it("runs what is soon before what is deferred, and that before what has a time", async () => {
    const order: string[] = []
    await inTime(
      new Promise<void>((resolve) => {
        systemClock.setTimer(() => {
          order.push("timer")
          resolve()
        }, 20)
        systemClock.defer(() => order.push("deferred"))
        systemClock.soon(() => order.push("soon"))
        order.push("now")
      }),
      "the timer",
    )
    expect(order).toEqual(["now", "soon", "deferred", "timer"])
  })

  it("forgets a callback, and ignores one that was never there", async () => {
    const called = vi.fn()
    const handle = systemClock.setTimer(called, 0)
    systemClock.clearTimer(handle)
    systemClock.clearTimer(undefined)
    await inTime(new Promise<void>((resolve) => void systemClock.setTimer(resolve, 5)), "a later timer")
    expect(called).not.toHaveBeenCalled()
  })

  it("has a date of people and a time of its own", () => {
    expect(Math.abs(systemClock.date() - Date.now())).toBeLessThan(1_000)
    expect(systemClock.now()).toBeLessThanOrEqual(systemClock.now())
  })

  it("defers where there is no setImmediate", async () => {
    vi.stubGlobal("setImmediate", undefined)
    await inTime(new Promise<void>((resolve) => systemClock.defer(resolve)), "the deferred callback")
  })
})
