import { describe, expect, it } from "vitest"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { Heartbeat } from "../../../src/wire/heartbeat.js"
import type { HeartbeatOptions } from "../../../src/wire/pulse.js"
import { LATENCY_MS, RecordingPeer } from "../../support/heartbeat-peer.js"

function setUp(options?: HeartbeatOptions) {
  const clock = new VirtualClock()
  const heartbeat = new Heartbeat(options, clock)
  const add = () => {
    const peer = new RecordingPeer(clock)
    heartbeat.watch(peer)
    return peer
  }
  return { clock, heartbeat, add }
}

describe("S31 a peer that falls silent", () => {
  it("is pinged after the interval, and found dead within 26 s, never before interval and timeout are over", async () => {
    // what matters is where within a tick of 250 ms it was last heard
    for (let offset = 0; offset < 1_000; offset += 25) {
      const { clock, add } = setUp()
      add()
      const peer = add()
      await clock.advance(20_000 + offset)
      peer.isAlive = false
      peer.chat()
      await clock.advance(30_000)
      const silence = (peer.diedAt[0] as number) - peer.heardAt
      expect(silence).toBeGreaterThanOrEqual(25_000)
      expect(silence).toBeLessThanOrEqual(26_000)
    }
  })

  it("is found dead in time when it never said a word", async () => {
    const { clock, add } = setUp()
    await clock.advance(110)
    const peer = add()
    peer.isAlive = false
    await clock.advance(24_999)
    expect(peer.diedAt).toEqual([])
    await clock.advance(1_001)
    expect(peer.diedAt).toHaveLength(1)
  })

  it.each([
    { intervalMs: 15_000, timeoutMs: 45_000 },
    { intervalMs: 5_000, timeoutMs: 10_000 },
    { intervalMs: 60_000, timeoutMs: 100 },
    { intervalMs: 30, timeoutMs: 10 },
    { intervalMs: 1, timeoutMs: 1 },
  ])(
    "is found dead by other settings, within two ticks of their sum: %o",
    async ({ intervalMs, timeoutMs }) => {
      const { clock, add } = setUp({ intervalMs, timeoutMs })
      const peer = add()
      peer.isAlive = false
      await clock.advance(intervalMs + timeoutMs - 1)
      expect(peer.diedAt).toEqual([])
      await clock.advance(1 + 2 * Math.max(1, intervalMs / 60))
      expect(peer.diedAt).toHaveLength(1)
    },
  )

  it("is told once, and not watched any more", async () => {
    const { clock, heartbeat, add } = setUp()
    const peer = add()
    peer.isAlive = false
    await clock.advance(26_000)
    expect(peer.isWatched).toBe(false)
    expect(heartbeat.size).toBe(0)
    await clock.advance(600_000)
    expect(peer).toMatchObject({ diedAt: { length: 1 }, pingedAt: { length: 1 } })
  })
})

describe("S31 any inbound frame", () => {
  it("counts as life: whoever talks is never pinged", async () => {
    const { clock, add } = setUp()
    const [talker, listener] = [add(), add()]
    for (let i = 0; i < 30; i += 1) {
      await clock.advance(10_000)
      talker.chat()
    }
    expect(talker.pingedAt).toEqual([])
    expect(listener.pingedAt.length).toBeGreaterThan(15)
  })

  it("counts as the answer to a ping", async () => {
    const { clock, add } = setUp()
    const peer = add()
    peer.isAlive = false
    for (let i = 0; i < 20; i += 1) {
      await clock.advance(15_250)
      expect(peer.pingedAt).toHaveLength(i + 1)
      await clock.advance(9_000)
      peer.chat()
    }
    expect(peer.diedAt).toEqual([])
  })
})

describe("Heartbeat", () => {
  it("S31 takes the round-trip time from the ping's payload", async () => {
    const { clock, add } = setUp()
    const peer = add()
    await clock.advance(15_000)
    expect(peer.pulse?.rttMs).toBe(undefined)
    await clock.advance(LATENCY_MS)
    expect(peer.pulse?.rttMs).toBe(LATENCY_MS)
  })

  it("never lets two pings carry the same payload", async () => {
    const { clock, add } = setUp()
    const peer = add()
    await clock.advance(600_000)
    expect(peer.payloads.length).toBeGreaterThan(30)
    expect(new Set(peer.payloads).size).toBe(peer.payloads.length)
  })

  it.each([
    { intervalMs: 15_000, timeoutMs: 10_000 },
    { intervalMs: 15_000, timeoutMs: 45_000 },
    { intervalMs: 5_000, timeoutMs: 10_000 },
    { intervalMs: 60_000, timeoutMs: 100 },
  ])("S31 pings a silent peer once in every interval, however long the timeout: %o", async (options) => {
    const { clock, add } = setUp(options)
    const peer = add()
    await clock.advance(20.5 * options.intervalMs)
    expect(peer.pingedAt.length).toBeGreaterThanOrEqual(19)
    expect(peer.pingedAt.length).toBeLessThanOrEqual(20)
    expect(peer.diedAt).toEqual([])
  })

  it("keeps a living peer for ever", async () => {
    const { clock, add } = setUp()
    const peers = Array.from({ length: 20 }, add)
    await clock.advance(3_600_000)
    expect(peers.flatMap((it) => it.diedAt)).toEqual([])
  })

  it("S30 runs on one timer, and on none while nobody is watched", async () => {
    const { clock, heartbeat, add } = setUp()
    expect(clock.pending).toBe(0)
    const peers = Array.from({ length: 100 }, add)
    // answers on the way would be timers of the test's own
    for (const peer of peers) peer.isAlive = false
    for (let i = 0; i < 100; i += 1) {
      await clock.advance(200)
      expect(clock.pending).toBe(1)
    }
    for (const peer of peers) heartbeat.unwatch(peer)
    expect(clock.pending).toBe(0)
    add()
    expect(clock.pending).toBe(1)
  })

  it("begins anew after it had nobody to watch", async () => {
    const { clock, heartbeat, add } = setUp()
    heartbeat.unwatch(add())
    await clock.advance(100_000)
    const peer = add()
    await clock.advance(14_750)
    expect(peer.pingedAt).toEqual([])
    await clock.advance(500)
    expect(peer.pingedAt).toHaveLength(1)
  })

  it("gives every watch up by the undo that watch returned", async () => {
    const { clock, heartbeat } = setUp()
    const peer = new RecordingPeer(clock)
    const unwatch = heartbeat.watch(peer)
    expect(peer.isWatched).toBe(true)
    unwatch()
    unwatch()
    expect(peer.isWatched).toBe(false)
    await clock.advance(100_000)
    expect(peer.pingedAt).toEqual([])
  })

  it("keeps the watch of a peer that is watched already", async () => {
    const { clock, heartbeat, add } = setUp()
    const peer = add()
    const { pulse } = peer
    await clock.advance(10_000)
    heartbeat.watch(peer)
    expect(peer.pulse).toBe(pulse)
    expect(heartbeat.size).toBe(1)
    await clock.advance(5_000)
    expect(peer.pingedAt).toHaveLength(1)
  })

  it("does not judge a peer whose reading is paused, and does once it is read again", async () => {
    const { clock, add } = setUp()
    const peer = add()
    peer.isAlive = false
    peer.isReadingPaused = true
    await clock.advance(300_000)
    expect(peer).toMatchObject({ diedAt: [], pingedAt: [] })
    peer.isReadingPaused = false
    await clock.advance(41_000)
    expect(peer.diedAt).toHaveLength(1)
  })

  it("does not judge a peer whose reading was paused while a ping was out", async () => {
    const { clock, add } = setUp()
    const peer = add()
    peer.isAlive = false
    await clock.advance(16_000)
    peer.isReadingPaused = true
    await clock.advance(60_000)
    expect(peer).toMatchObject({ diedAt: [], pingedAt: { length: 1 } })
  })

  it("neither pings nor buries a peer whose watch ended in the same tick, by the end of another", async () => {
    const { clock, heartbeat, add } = setUp({ intervalMs: 1, timeoutMs: 1 })
    const peers = [add(), add()]
    for (const peer of peers) {
      peer.isAlive = false
      peer.onDeath = () => {
        for (const other of peers) heartbeat.unwatch(other)
      }
    }
    await clock.advance(1_000)
    expect(peers.flatMap((it) => it.diedAt)).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it("may watch and unwatch from inside a ping", async () => {
    const { clock, heartbeat, add } = setUp()
    const peer = add()
    peer.ping = () => heartbeat.unwatch(peer)
    await clock.advance(60_000)
    expect(peer.diedAt).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it("refuses settings that cannot be", () => {
    expect(() => new Heartbeat({ intervalMs: 0 })).toThrow(/^heartbeat\.intervalMs .* received 0$/)
  })
})
