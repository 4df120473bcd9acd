import { describe, expect, it } from "vitest"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { Heartbeat } from "../../../src/wire/heartbeat.js"
import type { HeartbeatOptions } from "../../../src/wire/pulse.js"
import { mostWithin, RecordingPeer } from "../../support/heartbeat-peer.js"
import { seededRandom } from "../../support/seeded-random.js"

const INTERVAL_MS = 15_000

function crowd(size: number, options?: HeartbeatOptions) {
  const clock = new VirtualClock()
  const heartbeat = new Heartbeat(options, clock)
  const peers: RecordingPeer[] = []
  const add = () => {
    const peer = new RecordingPeer(clock)
    peers.push(peer)
    heartbeat.watch(peer)
  }
  return {
    clock,
    heartbeat,
    peers,
    /** All at the same moment. */
    addAll() {
      for (let i = 0; i < size; i += 1) add()
    },
    /** One after the other, at random moments within a span. */
    async addWithin(ms: number) {
      const random = seededRandom(2)
      for (let i = 0; i < size; i += 1) {
        add()
        await clock.advance((2 * random() * ms) / size)
      }
    },
    deaths: () => peers.flatMap((it) => it.diedAt),
    pingsPerSecond: (since = 0) =>
      mostWithin(
        1_000,
        peers.flatMap((it) => it.pingedAt).filter((it) => it >= since),
      ),
  }
}

describe("S30 pings to 3,000 peers", () => {
  const size = 3_000
  const limit = (2 * size * 1_000) / INTERVAL_MS

  it("are spread when all began at the same moment, and stay so", async () => {
    const { clock, addAll, pingsPerSecond, peers, deaths } = crowd(size)
    addAll()
    await clock.advance(120_000)
    expect(pingsPerSecond()).toBeLessThanOrEqual(limit)
    expect(peers.every((it) => it.pingedAt.length >= 7)).toBe(true)
    expect(deaths()).toEqual([])
  })

  it("are spread when they came one after the other", async () => {
    const { clock, addWithin, pingsPerSecond } = crowd(size)
    await addWithin(20_000)
    await clock.advance(60_000)
    expect(pingsPerSecond()).toBeLessThanOrEqual(limit)
  })

  it.each(["and answer", "and are dead"])(
    "are spread when all talked and fell silent at the same moment %s",
    async (how) => {
      const { clock, addAll, pingsPerSecond, peers, deaths } = crowd(size)
      addAll()
      for (const peer of peers) peer.isAlive = how === "and answer"
      for (let i = 0; i < 50; i += 1) {
        await clock.advance(700)
        for (const peer of peers) peer.chat()
      }
      const silentSince = clock.now()
      expect(peers.flatMap((it) => it.pingedAt).filter((it) => it > INTERVAL_MS)).toEqual([])
      await clock.advance(45_000)
      expect(pingsPerSecond(silentSince)).toBeLessThanOrEqual(limit)
      expect(deaths()).toHaveLength(how === "and answer" ? 0 : size)
    },
  )

  it("are spread when a part left and others came", async () => {
    const { clock, heartbeat, addAll, pingsPerSecond, peers } = crowd(size)
    addAll()
    await clock.advance(40_000)
    for (const peer of peers.slice(0, size / 2)) heartbeat.unwatch(peer)
    for (let i = 0; i < size / 2; i += 1) {
      const peer = new RecordingPeer(clock)
      peers.push(peer)
      heartbeat.watch(peer)
    }
    await clock.advance(60_000)
    expect(heartbeat.size).toBe(size)
    expect(pingsPerSecond(40_000)).toBeLessThanOrEqual(limit)
  })

  it("S31 find every dead one within 26 s, and none before its ping had the timeout to be answered", async () => {
    const { clock, addAll, peers } = crowd(size)
    addAll()
    await clock.advance(33_333)
    for (const peer of peers) peer.isAlive = false
    await clock.advance(30_000)
    for (const { diedAt, heardAt, pingedAt } of peers) {
      expect(diedAt).toHaveLength(1)
      expect((diedAt[0] as number) - heardAt).toBeLessThanOrEqual(26_000)
      expect((diedAt[0] as number) - (pingedAt.at(-1) as number)).toBeGreaterThanOrEqual(10_000)
    }
  })
})

describe("S32 a stall of the event loop", () => {
  it.each([
    { intervalMs: 15_000, timeoutMs: 10_000 },
    { intervalMs: 5_000, timeoutMs: 10_000 },
    { intervalMs: 15_000, timeoutMs: 45_000 },
    { intervalMs: 60_000, timeoutMs: 1_000 },
    { intervalMs: 60_000, timeoutMs: 200 },
  ])("of twice the timeout closes none of 200 healthy peers, whenever it comes: %o", async (options) => {
    const { clock, addAll, peers, deaths } = crowd(200, options)
    addAll()
    for (let i = 0; i < 40; i += 1) {
      // between pings and answers, and everywhere else
      await clock.advance((options.intervalMs / 7) * (1 + i / 40) + 10)
      clock.stall(2 * options.timeoutMs)
    }
    await clock.advance(3 * options.intervalMs)
    expect(deaths()).toEqual([])
    expect(peers.every((it) => it.pingedAt.length > 2)).toBe(true)
  })

  it("closes none when it hits every single tick", async () => {
    const { clock, addAll, deaths } = crowd(200)
    addAll()
    for (let i = 0; i < 100; i += 1) {
      clock.stall(20_000)
      await clock.advance(100)
    }
    expect(deaths()).toEqual([])
  })

  it("does not save a peer that is dead", async () => {
    const { clock, addAll, peers } = crowd(200)
    addAll()
    await clock.advance(20_000)
    for (const peer of peers) peer.isAlive = false
    clock.stall(20_000)
    await clock.advance(40_000)
    expect(peers.every((it) => it.diedAt.length === 1)).toBe(true)
  })
})
