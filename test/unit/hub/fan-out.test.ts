import { type Codec, createHub, text } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it, vi } from "vitest"
import { countSteps } from "../../support/count-steps.js"
import { stubHub } from "../../support/stub-hub.js"
import { TurnClock } from "../../support/turn-clock.js"

describe("S10: one broadcast is one serialisation and one frame", () => {
  it("at 5,000 receivers, who all get the very same buffer", async () => {
    const encode = vi.fn((message: string) => message)
    const codec: Codec<string, string> = { ...text(), encode }
    const { hub, add, flush } = stubHub({ codec })
    const peers = Array.from({ length: 5_000 }, () => add())
    expect(hub.broadcast("hello")).toEqual({ matched: 5_000, sent: 5_000, queued: 0, dropped: 0 })
    await flush()
    expect(encode).toHaveBeenCalledTimes(1)
    expect(hub.framesEncoded).toBe(1)
    expect(new Set(peers.flatMap(({ stream }) => stream.writes)).size).toBe(1)
    for (const peer of peers) expect(peer.stream.writes).toHaveLength(1)
    expect(peers[4_999]?.received()).toEqual(["hello"])
  })

  it("and none where nobody is meant", async () => {
    const { hub, add, flush } = stubHub()
    const { stream } = add()
    expect(hub.to("empty").send("hello")).toEqual({ matched: 0, sent: 0, queued: 0, dropped: 0 })
    await flush()
    expect(hub.framesEncoded).toBe(0)
    expect(stream.writes).toEqual([])
  })
})

describe("a fan-out whose listeners change whom it is for", () => {
  // it visited the one that had come back, who was told of a loss, left and came back, and so on for ever
  it("ends, and is for those who were there when it began", () => {
    const { hub, add } = stubHub({ overflow: "drop-newest", maxBufferedBytes: 100 })
    for (const id of ["a", "b"]) add(id, "r")
    let losses = 0
    hub.on("lagged", ({ connection }) => {
      losses += 1
      // it would go on and on
      if (losses > 10) return
      connection.leave("r")
      void connection.join("r")
      add(undefined, "r")
    })
    expect(hub.to("r").send("x".repeat(200))).toEqual({ matched: 2, sent: 0, queued: 0, dropped: 2 })
    expect([losses, hub.members("r").size]).toEqual([2, 4])
    expect(hub.broadcast("x".repeat(200))).toMatchObject({ matched: 4, dropped: 4 })
  })
})

describe("S11: outboxes are flushed once per tick and share their buffers", () => {
  it("writes a burst once to each receiver, concatenated once for all", async () => {
    const { hub, add, flush } = stubHub()
    const peers = [add("a", "r"), add("b", "r"), add("c", "r")]
    for (const word of ["one", "two", "three"]) hub.to("r").send(word)
    expect(peers.flatMap(({ stream }) => stream.writes)).toEqual([])
    await flush()
    const [first] = peers[0]?.stream.writes ?? []
    for (const { stream, received } of peers) {
      expect(stream.writes).toHaveLength(1)
      expect(stream.writes[0]).toBe(first)
      expect(received()).toEqual(["one", "two", "three"])
    }
  })

  it("shares between those with equal frames only", async () => {
    const { hub, add, flush } = stubHub()
    const [a, b, c] = [add("a", "r"), add("b", "r"), add("c", "r")]
    hub.to("r").send("one")
    c.connection.send("only c")
    hub.to("r").send("two")
    await flush()
    expect(a.stream.writes[0]).toBe(b.stream.writes[0])
    expect(c.stream.writes[0]).not.toBe(a.stream.writes[0])
    expect(c.received()).toEqual(["one", "only c", "two"])
  })

  it("writes at once with flush: immediate", () => {
    const { hub, add } = stubHub({ flush: "immediate" })
    const peers = [add("a", "r"), add("b", "r")]
    hub.to("r").send("one")
    hub.to("r").send("two")
    for (const { stream } of peers) expect(stream.writes).toHaveLength(2)
    expect(peers[0]?.stream.writes[1]).toBe(peers[1]?.stream.writes[1])
    expect(hub.framesEncoded).toBe(2)
  })
})

describe("S12, P10: a send to a room costs what its members cost, whatever else there is", () => {
  it.each([
    [80, 10],
    [8_000, 100_000],
  ])(
    "touches two connections of %i, beside %i other rooms",
    async (size, rooms) => {
      const { hub, add, flush } = stubHub()
      const others = (i: number) =>
        Array.from({ length: Math.ceil(rooms / (size - 2)) }, (_, k) => `other-${(i + k * size) % rooms}`)
      const peers = Array.from({ length: size }, (_, i) => add(`c${i}`, ...(i < 2 ? ["pair"] : others(i))))
      const touched: string[] = []
      for (const { connection } of peers) {
        const transmit = connection.transmit.bind(connection)
        connection.transmit = (frame) => {
          touched.push(connection.id)
          return transmit(frame)
        }
      }
      const pair = hub.to("pair")
      const steps = countSteps(() => pair.send("hello"))
      await flush()
      expect(touched).toEqual(["c0", "c1"])
      expect(steps).toBe(2)
    },
    20_000,
  )

  it.each([1, 10, 1_000])("is linear in the members: %i", (members) => {
    const { hub, add } = stubHub()
    for (let i = 0; i < 2_000; i += 1) add(`c${i}`, i < members ? "r" : "other")
    const room = hub.to("r")
    expect(countSteps(() => room.send("hello"))).toBe(members)
  })
})

describe("S14: a broadcast to many is flushed in slices", () => {
  it("gives the event loop back between slices and keeps each connection's order", async () => {
    const clock = new SlowClock()
    const { hub, add } = stubHub({ clock })
    const peers = Array.from({ length: 1_000 }, () => add())
    hub.broadcast("one")
    hub.broadcast("two")
    await clock.advance(1_000)
    expect(clock.deferred).toBe(Math.ceil(1_000 / 64))
    for (const peer of peers) expect(peer.received()).toEqual(["one", "two"])
  })

  it("holds the event loop for less than 25 ms at a time at 50,000 connections, whose writes take 30 µs each", async () => {
    const clock = new TurnClock()
    const hub = createHub<string, string>({ codec: text(), clock, logger: false, heartbeat: false })
    const order: number[] = []
    const nothing = () => {}
    const methods = { send: nothing, close: nothing, terminate: nothing, on: nothing, off: nothing }
    for (let i = 0; i < 50_000; i += 1) {
      const write = () => {
        order.push(i)
        clock.stall(0.03)
        return true
      }
      const stream = { writableLength: 0, writableHighWaterMark: 16_384, write, once: nothing, off: nothing }
      hub.add({ readyState: 1, bufferedAmount: 0, ...methods }, { stream })
    }
    hub.broadcast("hello")
    const slices: number[] = []
    let flushed = 0
    while (clock.turnsToCome > 0) {
      const start = clock.now()
      clock.turn()
      slices.push(clock.now() - start)
      if (slices.length !== 3) continue
      hub.broadcast("behind it")
      flushed = order.length
    }
    expect(Math.max(...slices)).toBeLessThan(25)
    expect(slices.length).toBeGreaterThan((50_000 * 0.03) / 25)
    // who had been served already is served again, behind the others, and those get both in one write
    expect(order).toHaveLength(50_000 + flushed)
    expect(order.every((it, i) => it === i % 50_000)).toBe(true)
  }, 20_000)
})

/** Lets every look at it cost a millisecond, and counts the turns of the event loop that were asked for. */
class SlowClock extends VirtualClock {
  deferred = 0

  override now(): number {
    this.stall(11)
    return super.now()
  }

  override defer(callback: () => void): void {
    this.deferred += 1
    super.defer(callback)
  }
}
