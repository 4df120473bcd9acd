import { setImmediate as turn } from "node:timers/promises"
import { createHub, text } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { expect, it } from "vitest"
import { liveBytes } from "../../support/garbage.js"
import { RecordingAdapter } from "../../support/recording-adapter.js"
import { addPeer } from "../../support/stub-hub.js"

const CYCLES = 100_000
const WARM_UP = 20_000
/** How many connections live through their cycles side by side. */
const LANES = 500

it("S60: 100,000 cycles of connect, join and close with random async delays leave every map empty and the heap within 5 %", async () => {
  const { hub, clock, adapter, cycles } = churningHub()
  await cycles(WARM_UP)
  const before = await liveBytes()
  await cycles(CYCLES)
  const after = await liveBytes()

  expect(hub.size).toBe(0)
  for (const room of ROOMS) expect(hub.members(room).size).toBe(0)
  expect(adapter.channels).toEqual(new Set(["everybody"]))
  expect(hub.stats()).toMatchObject({
    connections: { now: 0, total: WARM_UP + CYCLES, slow: 0 },
    bytes: { buffered: 0 },
    rooms: 0,
    memberships: 0,
    subscriptions: 0,
  })
  // the hub's own word to other nodes
  expect(clock.pending).toBe(1)
  const closing = hub.close()
  await clock.advance(5_000)
  await closing
  expect(clock.pending).toBe(0)
  expect(after / before).toBeLessThan(1.05)
}, 60_000)

const ROOMS = Array.from({ length: 50 }, (_, i) => `room-${i}`)

function churningHub() {
  const random = seeded(60)
  const clock = new VirtualClock()
  const pause = async () => {
    if (random(2) === 0) await null
    else await turn()
  }
  const adapter = new RecordingAdapter({ subscribe: () => (random(3) === 0 ? undefined : pause()) })
  const hub = createHub<string, string>({ codec: text(), clock, adapter, logger: false })
  hub.on("message", pause)

  const steps = [
    ({ connection }: Peer) => void connection.join(pick(ROOMS)),
    ({ connection }: Peer) => connection.join([pick(ROOMS), pick(ROOMS)]),
    ({ connection }: Peer) => connection.leave(pick(ROOMS)),
    ({ connection }: Peer) => void connection.send("direct"),
    ({ socket }: Peer) => socket.receive("hello"),
  ]
  const ends = [
    ({ connection }: Peer) => void connection.close(),
    ({ connection }: Peer) => connection.terminate(),
    ({ socket }: Peer) => socket.end(1006),
  ]
  type Peer = ReturnType<typeof connect>
  const pick = <T>(list: readonly T[]) => list[random(list.length)] as T
  const connect = () => addPeer(hub, { userId: random(2) === 0 ? `user-${random(20)}` : undefined })

  /** One life of a connection: what it waits for and how it ends is left to chance. */
  const live = async () => {
    const peer = connect()
    for (let i = random(3); i >= 0; i -= 1) {
      const pending = pick(steps)(peer)
      if (random(2) === 0) await pending
      if (random(4) === 0) await pause()
    }
    pick(ends)(peer)
    // a join that was still under way, or comes after the end, must not leave a trace
    void peer.connection.join(pick(ROOMS))
    await peer.connection.closed
  }
  /** Lets a tenth of a second pass in every turn of the event loop. */
  const passTime = () => {
    let isStopped = false
    const passing = (async () => {
      for (; !isStopped; await turn()) await clock.advance(100)
    })()
    return () => {
      isStopped = true
      return passing
    }
  }
  const cycles = async (count: number) => {
    const lane = async () => {
      for (let i = 0; i < count / LANES; i += 1) await live()
    }
    const stop = passTime()
    await Promise.all(Array.from({ length: LANES }, lane))
    await stop()
    // what lingers goes
    await clock.advance(5_000)
    for (const record of [adapter.subscribed, adapter.unsubscribed]) record.length = 0
  }
  return { hub, clock, adapter, cycles }
}

/** Whole numbers below a bound, the same in every run (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let it = Math.imul(state ^ (state >>> 15), state | 1)
    it ^= it + Math.imul(it ^ (it >>> 7), it | 61)
    return ((it ^ (it >>> 14)) >>> 0) % below
  }
}
