import { InvalidOptionError, type SocketLike } from "holdfast"
import type { DrainOptions } from "holdfast/server"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { drain, resolveDrain } from "../../../src/server/drain.js"
import { stubHub } from "../../support/stub-hub.js"
import { StubSocket, StubStream } from "../../support/stub-socket.js"

/** A socket that knows when it was told to close. */
class TimedSocket extends StubSocket {
  closedAt = Number.NaN
  readonly #clock: VirtualClock

  constructor(clock: VirtualClock) {
    super()
    this.#clock = clock
  }

  override close(code?: number, reason?: string): void {
    this.closedAt = this.#clock.now()
    super.close(code, reason)
  }
}

function crowd(count: number) {
  const clock = new VirtualClock()
  const { hub } = stubHub({ clock, heartbeat: false })
  const sockets = Array.from({ length: count }, () => new TimedSocket(clock))
  const streams = sockets.map(() => new StubStream())
  const connections = sockets.map((socket, i) => hub.add(socket as SocketLike, { stream: streams[i] }))
  return {
    clock,
    hub,
    sockets,
    streams,
    connections,
    begin: (options: DrainOptions = {}) => drain(connections, resolveDrain(options), clock),
    /** How many were closed in each tenth of a second, over every way to cut time into tenths. */
    busiestTenth(): number {
      const times = sockets.map((it) => it.closedAt).sort((a, b) => a - b)
      let [most, from] = [0, 0]
      for (const [to, time] of times.entries()) {
        while (time - (times[from] as number) >= 100) from += 1
        most = Math.max(most, to - from + 1)
      }
      return most
    },
  }
}

describe("S50: a drain", () => {
  it.each([
    [5_000, 10_000],
    [1_000, 10_000],
    [1_000, 4_000],
    [100, 10_000],
    [50, 10_000],
  ])("of %d over %d ms sees no tenth of a second with more than 3 %% of them", async (count, windowMs) => {
    const { clock, sockets, begin, busiestTenth } = crowd(count)
    const report = begin({ windowMs })
    await clock.advance(windowMs)
    expect(await report).toEqual({ closed: count, forced: 0, ms: expect.any(Number) })
    expect(sockets.every((it) => it.closes[0]?.code === 1012)).toBe(true)
    // however small, a tenth of a second may have one
    expect(busiestTenth()).toBeLessThanOrEqual(Math.max(1, 0.03 * count))
  })

  it("takes its window, not the same moments twice", async () => {
    const moments = await Promise.all(
      [1, 2].map(async () => {
        const { clock, sockets, begin } = crowd(100)
        const report = begin()
        await clock.advance(10_000)
        expect((await report).ms).toBeGreaterThan(9_800)
        return sockets.map((it) => it.closedAt)
      }),
    )
    expect(moments[0]).not.toEqual(moments[1])
  })

  it("does not hurry after the process was stalled", async () => {
    const { clock, begin, busiestTenth } = crowd(5_000)
    const report = begin()
    await clock.advance(1_000)
    clock.stall(5_000)
    await clock.advance(20_000)
    expect((await report).closed).toBe(5_000)
    expect(busiestTenth()).toBeLessThanOrEqual(150)
  })

  it("closes everybody at once where the window is nothing", async () => {
    const { clock, sockets, begin } = crowd(1_000)
    const report = begin({ windowMs: 0 })
    await clock.advance(0)
    expect(await report).toMatchObject({ closed: 1_000, forced: 0 })
    expect(new Set(sockets.map((it) => it.closedAt))).toEqual(new Set([0]))
  })

  it("of nobody is over at once", async () => {
    const { clock, begin } = crowd(0)
    expect(await begin()).toEqual({ closed: 0, forced: 0, ms: 0 })
    expect(clock.pending).toBe(0)
  })

  it("begins with those who have been silent longest, and ends with those who wait for bytes", async () => {
    const { clock, sockets, streams, begin } = crowd(4)
    const [waiting, late, silent, early] = sockets as [TimedSocket, TimedSocket, TimedSocket, TimedSocket]
    streams[0]?.stall()
    streams[0]?.write(Buffer.alloc(1_000))
    await clock.advance(1_000)
    early.receive("x")
    await clock.advance(1_000)
    late.receive("x")
    await clock.advance(1_000)
    const report = begin()
    await clock.advance(20_000)
    await report
    const order = [silent, early, late, waiting].map((it) => it.closedAt)
    expect(order).toEqual([...order].sort((a, b) => a - b))
  })

  it("flushes what was sent before it closes", async () => {
    const { clock, hub, sockets, streams, begin } = crowd(3)
    hub.broadcast("last words")
    const report = begin({ windowMs: 0 })
    for (const [i, stream] of streams.entries()) {
      expect(stream.writes).toHaveLength(1)
      expect(sockets[i]?.closes).toHaveLength(1)
    }
    await clock.advance(0)
    await report
  })

  it("waits 5 s for each client, then cuts it, and says how many it had to", async () => {
    const { clock, sockets, begin } = crowd(10)
    for (const socket of sockets.slice(0, 3)) socket.isMute = true
    const report = begin({ windowMs: 0, closeTimeoutMs: 2_000 })
    await clock.advance(1_999)
    expect(sockets.filter((it) => it.readyState === 3)).toHaveLength(7)
    await clock.advance(1)
    expect(await report).toEqual({ closed: 7, forced: 3, ms: 2_000 })
    expect(clock.pending).toBe(0)
  })

  it("waits 5 s by default", async () => {
    const { clock, sockets, begin } = crowd(1)
    Object.assign(sockets[0] ?? {}, { isMute: true })
    const report = begin({ windowMs: 0 })
    await clock.advance(4_999)
    expect(sockets[0]?.readyState).toBe(2)
    await clock.advance(1)
    expect(await report).toEqual({ closed: 0, forced: 1, ms: 5_000 })
  })

  it("takes those who go before their turn, or were going already, for gone", async () => {
    const { clock, sockets, connections, begin } = crowd(10)
    void connections[0]?.close(4000)
    const report = begin()
    for (const socket of sockets.slice(0, 5)) socket.end(1006)
    await clock.advance(10_000)
    expect(await report).toMatchObject({ closed: 10, forced: 0 })
  })

  it.each<[keyof DrainOptions, unknown[]]>([
    ["windowMs", [-1, Number.NaN, 2 ** 31, "10s", false]],
    ["closeTimeoutMs", [0, -1, Number.NaN, 2 ** 31, "5s", false]],
    ["code", [1006, 999, 5_000, "1012", false]],
    ["reason", [42, false, null]],
  ])("refuses a %s that cannot be", (option, values) => {
    for (const value of values) expect(() => resolveDrain({ [option]: value })).toThrow(InvalidOptionError)
    expect(() => resolveDrain({ [`${option}s`]: 1 } as DrainOptions)).toThrow(InvalidOptionError)
  })
})
