import { Heartbeat, InvalidOptionError, text } from "holdfast"
import { describe, expect, it, vi } from "vitest"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { Connection } from "../../../src/wire/connection.js"
import type { InboundLimits } from "../../../src/wire/throttle.js"
import { connectedPair } from "../../support/connected-pair.js"
import { StubSocket } from "../../support/stub-socket.js"

const TEN_A_SECOND: InboundLimits = { messages: { perSecond: 10, burst: 20 } }

function limited(inboundLimits: InboundLimits = TEN_A_SECOND) {
  const it = connectedPair<string, string>({ codec: text(), identity: { inboundLimits } })
  const heard: string[] = []
  it.connection.on("message", ({ data }) => void heard.push(data))
  const flood = (count: number) => {
    for (let i = 0; i < count; i += 1) it.peer.send("x")
    return it.clock.advance(0)
  }
  return { ...it, heard, flood }
}

describe("S44: a peer that sends faster than it may", () => {
  it("is heard without a pause while it keeps to its burst and its rate", async () => {
    const { clock, connection, heard, flood } = limited()
    await flood(20)
    for (let second = 0; second < 60; second += 1) {
      await clock.advance(1_000)
      await flood(10)
      expect(connection.isReadingPaused).toBe(false)
    }
    expect(heard).toHaveLength(620)
    expect(connection.state).toBe("open")
  })

  it("is not read until the rate is kept again, and loses nothing", async () => {
    const { clock, connection, heard, flood } = limited()
    await flood(25)
    expect(connection.isReadingPaused).toBe(true)
    // the one that was too many had been read already
    expect(heard).toHaveLength(21)
    await clock.advance(99)
    expect(heard).toHaveLength(21)
    await clock.advance(1_000)
    expect(heard).toHaveLength(25)
    await clock.advance(1_000)
    expect(connection.isReadingPaused).toBe(false)
    expect(connection.state).toBe("open")
  })

  it("may be a sixteenth of a large burst ahead before it is noticed, and pays for that too", async () => {
    const { clock, connection, flood } = limited({ messages: { perSecond: 1_000, burst: 1_600 } })
    await flood(1_600)
    expect(connection.isReadingPaused).toBe(false)
    await flood(101)
    expect(connection.isReadingPaused).toBe(true)
    await clock.advance(102)
    expect(connection.isReadingPaused).toBe(false)
  })

  it("is read on no sooner than its listeners are ready as well", async () => {
    const { clock, connection, peer } = limited()
    const busy: (() => void)[] = []
    connection.on("message", () => new Promise<void>((resolve) => busy.push(resolve)))
    for (let i = 0; i < 40; i += 1) peer.send("x")
    await clock.advance(30_000)
    // the rate is kept again since long, and 16 listeners are busy
    expect([connection.isReadingPaused, busy.length]).toEqual([true, 16])
    for (const done of busy.splice(0)) done()
    await clock.advance(30_000)
    expect(busy.length).toBe(16)
  })

  it("is closed with 1008 when it goes on for ten seconds", async () => {
    const { clock, connection, heard, flood } = limited()
    await flood(21)
    // 5 % more than it may
    for (let at = 0; at < 9_880; at += 95) {
      await flood(1)
      await clock.advance(95)
    }
    expect(connection.state).toBe("open")
    const count = heard.length
    await flood(10)
    await clock.advance(1_000)
    expect(await connection.closed).toMatchObject({ code: 1008, cause: "rate-limit" })
    expect(heard.length).toBeLessThan(count + 3)
    expect(clock.pending).toBe(0)
  })

  it("is not heard once it was given up, read for one more burst, and cut when it does not close", async () => {
    const clock = new VirtualClock()
    const socket = new StubSocket()
    socket.isMute = true
    const connection = new Connection(socket, { inboundLimits: TEN_A_SECOND }, { clock, logger: false })
    const heard: unknown[] = []
    const breach = () => {
      for (let i = 0; i < 21; i += 1) socket.receive('"x"')
    }
    connection.on("message", ({ data }) => heard.push(data))
    breach()
    clock.stall(1_000)
    for (let second = 1; second < 10; second += 1) {
      breach()
      clock.stall(1_000)
    }
    expect([connection.state, heard.length]).toEqual(["open", 210])
    socket.receive('"x"')
    expect(socket.closes).toEqual([{ code: 1008, reason: "messages are sent too fast" }])
    for (let i = 0; i < 19; i += 1) socket.receive('"x"')
    expect(socket.isPaused).toBe(false)
    socket.receive('"x"')
    expect([socket.isPaused, heard.length]).toEqual([true, 210])
    await clock.advance(4_999)
    expect(connection.state).toBe("closing")
    await clock.advance(1)
    expect(await connection.closed).toMatchObject({ code: 1006, cause: "rate-limit" })
    expect(clock.pending).toBe(0)
  })

  it("has a fresh start once half of its burst has come back", async () => {
    const { clock, connection, flood } = limited()
    for (let breach = 0; breach < 10; breach += 1) {
      await flood(22)
      expect(connection.isReadingPaused).toBe(true)
      await clock.advance(3_000)
    }
    expect(connection.state).toBe("open")
  })

  it("counts pings, and pongs that nobody asked for, as messages", () => {
    const clock = new VirtualClock()
    const socket = new StubSocket()
    const connection = new Connection(socket, { inboundLimits: TEN_A_SECOND }, { clock, logger: false })
    for (let i = 0; i < 10; i += 1) {
      socket.emit("ping", Buffer.alloc(0))
      socket.emit("pong", Buffer.alloc(0))
    }
    expect(socket.isPaused).toBe(false)
    socket.emit("ping", Buffer.alloc(0))
    expect([socket.isPaused, connection.isReadingPaused]).toEqual([true, true])
  })

  it("is measured in bytes too", async () => {
    const { clock, connection, peer, heard } = limited({ bytes: { perSecond: 1_000, burst: 1_000 } })
    peer.send("x".repeat(1_000))
    await clock.advance(0)
    expect(connection.isReadingPaused).toBe(false)
    peer.send("x".repeat(500))
    peer.send("last")
    await clock.advance(499)
    expect([connection.isReadingPaused, heard.length]).toEqual([true, 2])
    await clock.advance(2)
    expect(heard.length).toBe(3)
  })

  it("is closed at once where reading cannot be paused and it owes another burst", () => {
    const socket = new StubSocket()
    Object.assign(socket, { pause: undefined, isMute: true })
    const identity = { inboundLimits: TEN_A_SECOND }
    const connection = new Connection(socket, identity, { clock: new VirtualClock(), logger: false })
    for (let i = 0; i < 40; i += 1) socket.receive('"x"')
    expect(connection.state).toBe("open")
    socket.receive('"x"')
    expect(socket.closes).toEqual([{ code: 1008, reason: "messages are sent too fast" }])
  })

  it("leaves no timer behind when it goes while it is paused", async () => {
    const { clock, connection, peer, flood } = limited()
    await flood(25)
    peer.terminate()
    connection.terminate()
    await clock.advance(0)
    expect(clock.pending).toBe(0)
  })

  it("is not taken for dead by a heartbeat meanwhile", async () => {
    const { clock, connection, flood } = limited({ messages: { perSecond: 0.01, burst: 1 } })
    new Heartbeat({ intervalMs: 1_000, timeoutMs: 1_000 }, clock).watch(connection)
    await flood(2)
    await clock.advance(60_000)
    expect([connection.isReadingPaused, connection.state]).toEqual([true, "open"])
  })
})

describe("S44: a rate", () => {
  const wrap = (inboundLimits: InboundLimits) =>
    new Connection(new StubSocket(), { inboundLimits }, { clock: new VirtualClock(), logger: false })

  // such a rate was waited for in a timer of 1 ms, for ever
  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("that cannot be kept throws: %d a second", (it) => {
    const rate = { perSecond: it, burst: 1 }
    expect(() => wrap({ messages: rate })).toThrow(InvalidOptionError)
    expect(() => wrap({ bytes: rate })).toThrow(InvalidOptionError)
    expect(() => wrap({ bytes: { perSecond: 1, burst: it } })).toThrow(InvalidOptionError)
  })

  it("may be so low that what is owed takes longer than a timer can wait", async () => {
    const clock = new VirtualClock()
    const socket = new StubSocket()
    const inboundLimits = { bytes: { perSecond: 0.001, burst: 1 } }
    const connection = new Connection(socket, { inboundLimits }, { clock, logger: false, codec: text() })
    const waits = vi.spyOn(clock, "setTimer")
    socket.receive("x".repeat(10_000))
    expect(connection.isReadingPaused).toBe(true)
    expect(waits).toHaveBeenLastCalledWith(expect.any(Function), 2_147_483_647)
    await clock.advance(2_147_483_647)
    expect([connection.isReadingPaused, waits.mock.calls.length]).toEqual([true, 2])
  })

  // the last of so many was counted to 0.2, and no reading was ever stopped for it
  it("may have a burst that is no whole number: whoever was given up is still not read for ever", () => {
    const clock = new VirtualClock()
    const socket = new StubSocket()
    Object.assign(socket, { isMute: true })
    const inboundLimits = { messages: { perSecond: 0.3, burst: 1.2 } }
    const connection = new Connection(socket, { inboundLimits }, { clock, logger: false })
    socket.receive('"x"')
    for (let second = 0; second <= 10; second += 1) {
      socket.receive('"x"')
      clock.stall(1_000)
    }
    expect(connection.state).toBe("closing")
    expect(socket.isPaused).toBe(false)
    socket.receive('"x"')
    socket.receive('"x"')
    expect(socket.isPaused).toBe(true)
  })
})
