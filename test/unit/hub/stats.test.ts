import { createHub, type OverflowPolicy, text } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { Histogram } from "../../../src/hub/histogram.js"
import { RecordingAdapter } from "../../support/recording-adapter.js"
import { addPeer, stubHub } from "../../support/stub-hub.js"

describe("S53: hub.stats()", () => {
  it("is all zero at first, and a plain object through and through", () => {
    const { hub } = stubHub()
    const stats = hub.stats()
    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats)
    expect(stats).toMatchObject({
      connections: { now: 0, total: 0, slow: 0, closedByCode: {}, closedByCause: {} },
      upgrades: {},
      messages: { in: 0, out: 0, framesEncoded: 0, lostByReason: {} },
      bytes: { in: 0, out: 0, buffered: 0 },
      throttles: 0,
      rooms: 0,
      memberships: 0,
      handlerMs: { count: 0, sum: 0 },
      pingMs: { count: 0 },
      receivers: { count: 0 },
      adapter: { state: "up", publishes: { ok: 0, failed: 0 }, gaps: 0, missedMessages: 0 },
    })
  })

  it("counts connections: now, ever, and ended by code and cause", () => {
    const { hub, add } = stubHub()
    const [first, second, third] = [add(), add(), add()]
    first?.socket.end(1000)
    second?.socket.end(1006)
    third?.connection.terminate()
    add()
    expect(hub.stats().connections).toEqual({
      now: 1,
      total: 4,
      slow: 0,
      closedByCode: { 1000: 1, 1006: 2 },
      closedByCause: { peer: 2, local: 1 },
    })
  })

  it("counts messages and bytes of those who are here and of those who have gone", async () => {
    const { hub, add, flush } = stubHub()
    const [staying, leaving] = [add(), add()]
    hub.on("message", () => {})
    staying.socket.receive("four")
    leaving.socket.receive("seven77")
    hub.broadcast("to all")
    staying.connection.send("to one")
    await flush()
    const before = hub.stats()
    leaving.socket.end()
    const after = hub.stats()
    for (const { messages, bytes } of [before, after]) {
      expect(messages).toMatchObject({ in: 2, out: 3, framesEncoded: 2 })
      expect(bytes).toEqual({ in: 11, out: 3 * 8, buffered: 0 })
    }
  })

  it("counts what waits, and for how many", async () => {
    const { hub, add, flush } = stubHub()
    const { stream } = add()
    add()
    stream.stall()
    stream.writableHighWaterMark = 100
    hub.broadcast("x".repeat(120))
    await flush()
    hub.broadcast("x".repeat(50))
    expect(hub.stats().connections.slow).toBe(1)
    await flush()
    expect(hub.stats().bytes.buffered).toBe(122 + 52)
    stream.unstall()
    expect(hub.stats()).toMatchObject({ connections: { slow: 0 }, bytes: { buffered: 0 } })
  })

  it.each<OverflowPolicy>(["drop-newest", "drop-oldest", "latest"])(
    "counts messages that are lost under %s, exactly",
    async (overflow) => {
      const { hub, add, flush } = stubHub({ overflow, maxBufferedBytes: 1_000 })
      const { stream } = add()
      stream.stall()
      stream.writableHighWaterMark = 100
      for (let i = 0; i < 30; i += 1) {
        hub.broadcast("x".repeat(98))
        await flush()
      }
      stream.unstall()
      await flush()
      expect(hub.stats().messages.lostByReason).toEqual({ [overflow]: 20 })
    },
  )

  it("counts what a reader that was cut off for being slow had still to get, and what others had", async () => {
    const { hub, add, flush } = stubHub({ maxBufferedBytes: 1_000 })
    const slow = add()
    slow.stream.stall()
    slow.stream.writableHighWaterMark = 100
    for (let i = 0; i < 12; i += 1) {
      hub.broadcast("x".repeat(98))
      await flush()
    }
    slow.socket.end(1006)
    const gone = add()
    gone.connection.send("never leaves")
    gone.socket.end(1006)
    const { messages, connections } = hub.stats()
    expect(connections.closedByCause).toEqual({ overflow: 1, peer: 1 })
    expect(messages.lostByReason).toEqual({ close: expect.any(Number), unsent: 1 })
    expect(messages.lostByReason.close).toBeGreaterThanOrEqual(2)
  })

  it("counts rooms and places in them, without the channels of users", async () => {
    const { hub } = stubHub()
    const one = addPeer(hub, { userId: "ann" })
    const two = addPeer(hub, { userId: "ann" })
    void one.connection.join(["a", "b"])
    void two.connection.join("a")
    await hub.ready
    expect(hub.stats()).toMatchObject({ rooms: 2, memberships: 3, subscriptions: 3 })
    two.socket.end()
    one.connection.leave("b")
    expect(hub.stats()).toMatchObject({ rooms: 1, memberships: 1 })
  })

  it("measures how many each message to a selection reaches, and nothing for those to one connection", () => {
    const { hub, add } = stubHub()
    for (let i = 0; i < 30; i += 1) add(undefined, i < 3 ? "few" : "many")
    hub.to("few").send("x")
    hub.broadcast("x")
    hub.to("nobody").send("x")
    add().connection.send("x")
    const { receivers } = hub.stats()
    expect(receivers).toMatchObject({ count: 3, sum: 33 })
    const at = (bound: number) => receivers.counts[receivers.bounds.indexOf(bound)]
    expect([at(0), at(5), at(50)]).toEqual([1, 1, 1])
  })

  it("measures how long messages are handled: synchronously, and until each promise has settled", async () => {
    const clock = new VirtualClock()
    const { hub, add } = stubHub({ clock, heartbeat: false })
    const { connection, socket } = add()
    const done: (() => void)[] = []
    const undo = connection.on("message", () => clock.stall(7))
    socket.receive("sync")
    expect(hub.stats().handlerMs).toMatchObject({ count: 1, sum: 7 })
    undo()
    hub.on("message", () => new Promise<void>((resolve) => done.push(resolve)))
    connection.on("message", () => Promise.reject(new Error("fails after all")))
    connection.on("error", () => {})
    socket.receive("async")
    await clock.advance(100)
    expect(hub.stats().handlerMs).toMatchObject({ count: 2, sum: 7 })
    await clock.advance(400)
    done[0]?.()
    await clock.advance(0)
    expect(hub.stats().handlerMs).toMatchObject({ count: 3, sum: 507 })
  })

  it("measures the round trips of heartbeats", async () => {
    const clock = new VirtualClock()
    const { hub, add } = stubHub({ clock, heartbeat: { intervalMs: 1_000, timeoutMs: 500 } })
    add()
    await clock.advance(2_500)
    expect(hub.stats().pingMs.count).toBeGreaterThanOrEqual(2)
  })

  it("counts breaches of a client's rate", () => {
    const { hub } = stubHub()
    const { socket } = addPeer(hub, { inboundLimits: { messages: { perSecond: 1, burst: 1 } } })
    for (let i = 0; i < 3; i += 1) socket.receive("x")
    expect(hub.stats().throttles).toBe(1)
  })

  it("tells how the adapter stands and for how long, what became of publishes, and what went missing", async () => {
    const clock = new VirtualClock()
    const answers = [undefined, Promise.resolve(), Promise.reject(new Error("no"))]
    const adapter = new RecordingAdapter({
      publish: () => {
        if (answers.length === 0) throw new Error("no")
        return answers.shift()
      },
    })
    const hub = createHub<string, string>({ adapter, clock, codec: text(), logger: false })
    expect(hub.stats().adapter.state).toBe("connecting")
    await hub.ready
    // it never said so, but it is usable
    expect(hub.stats().adapter.state).toBe("up")
    for (let i = 0; i < 4; i += 1) hub.broadcast("x")
    await clock.advance(0)
    adapter.context.onGap({ channels: "all", reason: "lost", count: 5 })
    adapter.context.onGap({ channels: "all", reason: "lost, who knows how many" })
    adapter.context.onState("down")
    await clock.advance(1_234)
    expect(hub.stats().adapter).toEqual({
      state: "down",
      forMs: 1_234,
      publishes: { ok: 2, failed: 2 },
      gaps: 2,
      missedMessages: 5,
    })
  })
})

describe("S53: a histogram", () => {
  it("puts a value on a bound below it, and one above all bounds into a bucket of its own", () => {
    const histogram = new Histogram([1, 10])
    for (const value of [0, 1, 1.1, 10, 10.1, 1_000]) histogram.observe(value)
    expect(histogram.stats()).toEqual({ bounds: [1, 10], counts: [2, 2, 2], count: 6, sum: 1_022.2 })
  })

  it("tells every value to those who listen, until they do not", () => {
    const histogram = new Histogram([1])
    const heard: number[] = []
    const undo = histogram.listen((value) => heard.push(value))
    histogram.observe(3)
    undo()
    histogram.observe(4)
    expect(heard).toEqual([3])
  })
})
