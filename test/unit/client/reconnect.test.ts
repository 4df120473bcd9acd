import { describe, expect, it } from "vitest"
import { fakeClient, openClient } from "../../support/client-fake.js"

describe("reconnect()", () => {
  it("C8 during the backoff dials at once, and counts attempts anew", async () => {
    const { client, clock, network, log } = fakeClient()
    network.onDial = (socket) => socket.refuse()
    await clock.advance(20_000)
    expect(client.state).toBe("waiting")
    expect(log.changes.at(-1)?.attempt).toBeGreaterThan(2)
    const before = network.sockets.length
    client.reconnect()
    expect(client.state).toBe("connecting")
    expect(log.changes.at(-1)?.attempt).toBe(0)
    await clock.advance(50)
    expect(network.sockets).toHaveLength(before + 1)
    expect(client.retryAt).toBe(clock.date() - 50 + 1_050)
    await clock.advance(1_000)
    expect(network.sockets).toHaveLength(before + 2)
    expect(network.mostLive).toBe(1)
  })

  it("C8 while open replaces the connection, and what the old one does then is not heard", async () => {
    const { client, clock, network, log } = await openClient()
    const [old] = network.sockets
    client.reconnect()
    await clock.advance(10)
    expect(network.sockets).toHaveLength(2)
    expect(network.mostLive).toBe(1)
    expect(old?.closes).toEqual([{ code: 1000, reason: "" }])
    expect(log.states).toEqual(["connecting", "open", "connecting", "open"])
    expect(log.changes.map((it) => it.isReconnect)).toEqual([false, false, true, true])
    old?.emit("message", { data: "late" })
    old?.emit("error", {})
    old?.emit("close", { code: 1011, reason: "" })
    expect(client.state).toBe("open")
    expect(log.messages).toEqual([])
    expect(log.errors).toEqual([])
    expect(old?.listenerCount).toBe(0)
  })

  it("C8 while connecting lets the attempt go on, and counts anew", async () => {
    const { client, clock, network } = fakeClient()
    network.onDial = () => {}
    await clock.advance(1)
    client.reconnect()
    await clock.advance(1)
    expect(network.sockets).toHaveLength(1)
    network.last.accept()
    expect(client.state).toBe("open")
  })

  it.each(["idle", "paused"] as const)("C8 while %s dials", async (state) => {
    const { client, clock, network } = fakeClient({ autoConnect: false })
    await clock.advance(1)
    if (state === "paused") client.pause()
    expect(client.state).toBe(state)
    client.reconnect()
    await clock.advance(1)
    expect(client.state).toBe("open")
    expect(network.sockets).toHaveLength(1)
  })

  it("C8 while closing or closed does nothing", async () => {
    const { client, clock, network } = await openClient()
    void client.close()
    client.reconnect()
    expect(client.state).toBe("closing")
    await clock.advance(1)
    client.reconnect()
    await clock.advance(60_000)
    expect(client.state).toBe("closed")
    expect(network.sockets).toHaveLength(1)
  })

  it("C8 again and again never has two live sockets, nor more than one that is closing", async () => {
    const { client, clock, network } = await openClient()
    network.latencyMs = 40
    for (let i = 0; i < 100; i += 1) {
      client.reconnect()
      await clock.advance(i % 7 === 0 ? 100 : 45)
    }
    expect(network.mostLive).toBe(1)
    expect(network.mostUnclosed).toBeLessThanOrEqual(2)
    await clock.advance(1_000)
    expect(client.state).toBe("open")
    expect(network.live).toEqual([network.last])
  })

  it("C8 keeps what waits, and sends it over the new connection", async () => {
    const { client, clock, network } = await openClient()
    network.last.isStalled = true
    client.send("first")
    client.reconnect()
    expect(client.send("second")).toBe("queued")
    await clock.advance(1)
    expect(network.last.received).toEqual(["second"])
  })
})

describe("pause() and connect()", () => {
  it("C8 ends the connection and comes back, with the queue kept", async () => {
    const { client, clock, network, log } = await openClient()
    client.pause()
    client.pause()
    expect(client.state).toBe("paused")
    expect(client.send("kept")).toBe("queued")
    await clock.advance(3_600_000)
    expect(network.sockets).toHaveLength(1)
    expect(network.last.closes).toEqual([{ code: 1000, reason: "" }])
    expect(clock.pending).toBe(0)
    client.connect()
    await clock.advance(1)
    expect(network.received).toEqual(["kept"])
    expect(log.states).toEqual(["connecting", "open", "paused", "connecting", "open"])
  })

  it("C8 pausing ends an attempt and a wait too", async () => {
    const { client, clock, network } = fakeClient()
    network.onDial = () => {}
    await clock.advance(1)
    client.pause()
    expect(network.live).toEqual([])
    client.connect()
    await clock.advance(1)
    network.last.refuse()
    expect(client.state).toBe("waiting")
    expect(client.retryAt).toBeDefined()
    client.pause()
    expect(client.retryAt).toBeUndefined()
    await clock.advance(60_000)
    expect(network.sockets).toHaveLength(2)
    expect(clock.pending).toBe(0)
  })

  it("C8 connect() does nothing where it already connects, is open or waits", async () => {
    const { client, clock, network } = fakeClient()
    client.connect()
    client.connect()
    await clock.advance(1)
    client.connect()
    network.onDial = (socket) => socket.refuse()
    network.last.cut()
    client.connect()
    expect(client.state).toBe("waiting")
    expect(network.sockets).toHaveLength(1)
  })
})

describe("a socket that was replaced", () => {
  it("C30 is not heard, whatever it tells later, and holds no listener", async () => {
    const { client, clock, network, log } = await openClient({ make: "node22" })
    const [old] = network.sockets
    network.last.cut()
    await clock.advance(1_050)
    expect(client.state).toBe("open")
    const before = log.count
    for (const type of ["open", "message", "error", "close", "ping", "pong"]) {
      old?.emit(type, { code: 1006, reason: "", data: "late" })
    }
    expect(log.count).toBe(before)
    expect(client.state).toBe("open")
    expect(old?.listenerCount).toBe(0)
    expect(network.mostLive).toBe(1)
  })

  it("C30 does not get what is sent", async () => {
    const { client, clock, network } = await openClient()
    network.last.cut()
    client.send("waits")
    await clock.advance(1_050)
    client.send("goes")
    await clock.advance(1)
    expect(network.sockets.map(({ received }) => received)).toEqual([[], ["waits", "goes"]])
  })

  it("C30 may be replaced again from the abort signal of one of its predecessors", async () => {
    const signals: AbortSignal[] = []
    const { client, clock, network, log } = fakeClient({
      url: ({ signal }) => {
        signals.push(signal)
        return "ws://far.example/"
      },
    })
    await clock.advance(1)
    network.last.isDeaf = true
    client.reconnect()
    await clock.advance(1)
    network.last.isDeaf = true
    signals[0]?.addEventListener("abort", () => client.reconnect())
    client.reconnect()
    await clock.advance(60_000)
    expect([client.state, network.live.length]).toEqual(["open", 1])
    expect(network.mostUnclosed).toBeLessThanOrEqual(3)
    expect(log.errors).toEqual([])
  })

  it("C30 stays away when it is paused or closed from there", async () => {
    for (const leave of ["pause", "close"] as const) {
      const signals: AbortSignal[] = []
      const { client, clock, network } = fakeClient({
        url: ({ signal }) => {
          signals.push(signal)
          return "ws://far.example/"
        },
      })
      await clock.advance(1)
      network.last.isDeaf = true
      client.reconnect()
      await clock.advance(1)
      signals[0]?.addEventListener("abort", () => void client[leave]())
      client.reconnect()
      await clock.advance(60_000)
      expect([client.state, network.live.length]).toEqual([leave === "pause" ? "paused" : "closed", 0])
    }
  })
})
