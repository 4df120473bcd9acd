import { StopReconnecting } from "holdfast"
import { describe, expect, it, vi } from "vitest"
import { fakeSocket, openSocket } from "../../support/compat-fake.js"

describe("C39 after a loss", () => {
  it("C39 readyState is CLOSED between tries, CONNECTING during one, and retryCount counts them", async () => {
    const { socket, network, clock, lines } = await openSocket()
    const seen: [number, number][] = []
    const look = () => seen.push([socket.readyState, socket.retryCount])
    network.onDial = () => {}
    network.last.cut()
    look()
    await clock.advance(999)
    look()
    await clock.advance(1)
    look()
    network.last.accept()
    look()
    await clock.advance(5_000)
    look()
    expect(seen).toEqual([
      [3, 1],
      [3, 1],
      [0, 1],
      [1, 1],
      [1, 0],
    ])
    expect(lines).toEqual(["open @1", "close 1006 - unclean @3", "open @1"])
    socket.close()
  })

  it("C39 delays are drawn anew for each try, from the least to a bound that grows to the most", async () => {
    const options = {
      minReconnectionDelay: 1_000,
      maxReconnectionDelay: 4_000,
      reconnectionDelayGrowFactor: 1.5,
    }
    const delays: number[][] = [[], [], [], []]
    for (let i = 0; i < 200; i += 1) {
      const { socket, network, clock } = fakeSocket(options)
      const dialledAt: number[] = []
      network.onDial = (it) => {
        dialledAt.push(clock.now())
        it.refuse()
      }
      await clock.advance(16_000)
      socket.close()
      for (const [n, list] of delays.entries()) list.push((dialledAt[n + 1] ?? 0) - (dialledAt[n] ?? 0))
    }
    const bounds = [2_000, 3_000, 4_000, 4_000]
    for (const [n, list] of delays.entries()) {
      const most = bounds[n] as number
      expect(Math.min(...list)).toBeGreaterThanOrEqual(1_000)
      expect(Math.min(...list)).toBeLessThan(1_000 + most / 10)
      expect(Math.max(...list)).toBeLessThanOrEqual(most)
      expect(Math.max(...list)).toBeGreaterThan(most * 0.9)
    }
  })

  it("C39 a url function is asked once per try; one that never settles ends with the time-out", async () => {
    let asked = 0
    const url = () => {
      asked += 1
      if (asked === 1) return new Promise<string>(() => {})
      if (asked === 2) return Promise.reject(new Error("no token"))
      return "ws://far.example/?token=3"
    }
    const { socket, network, clock, lines } = fakeSocket({ url, connectionTimeout: 500 })
    await clock.advance(2_500)
    expect(lines).toEqual([
      "error TIMEOUT @3",
      "close 1006 - unclean @3",
      expect.stringMatching(/^error .*no token @3$/),
      "close 1006 - unclean @3",
      "open @1",
    ])
    expect([asked, network.sockets.length, socket.url]).toEqual([3, 1, "ws://far.example/?token=3"])
    socket.close()
  })

  it("C39 the last of maxRetries is one more close, with shouldReconnect false in it, and reconnect() begins anew", async () => {
    const { socket, network, clock, lines } = fakeSocket({ maxRetries: 2 })
    const willReturn: boolean[] = []
    socket.addEventListener("close", () => willReturn.push(socket.shouldReconnect))
    network.onDial = (it) => it.refuse()
    await clock.advance(60_000)
    expect(network.sockets).toHaveLength(3)
    expect(willReturn).toEqual([true, true, false])
    expect([socket.readyState, socket.retryCount, clock.pending]).toEqual([3, 2, 0])
    network.onDial = (it) => it.accept()
    socket.reconnect()
    expect([socket.readyState, socket.retryCount, socket.shouldReconnect]).toEqual([0, 0, true])
    await clock.advance(0)
    expect(lines.at(-1)).toBe("open @1")
    socket.close()
  })

  it.each([
    [1008, 3],
    [4401, 3],
    [1000, 1],
    [4000, 1],
  ])("C39 after close code %i it stands at readyState %i a minute later", async (code, readyState) => {
    const { socket, network, clock } = await openSocket()
    network.last.end(code)
    await clock.advance(60_000)
    expect(socket.readyState).toBe(readyState)
    socket.close()
  })

  it.each([
    [1012, ""],
    [4000, '{"retryAfterMs":5000}'],
  ])(
    "C39 after close code %i and reason %j it stays away for five seconds at least",
    async (code, reason) => {
      const { network, clock, socket } = await openSocket({ shouldReconnectOnClose: () => true })
      network.last.end(code, reason)
      await clock.advance(4_999)
      expect(network.sockets).toHaveLength(1)
      await clock.advance(25_001)
      expect(socket.readyState).toBe(1)
      socket.close()
    },
  )

  it("C39 a server that goes silent is noticed where it has answered literal pings, which no listener hears", async () => {
    const heartbeat = { intervalMs: 1_000, timeoutMs: 500, literalPing: { ping: "ping", pong: "pong" } }
    const { socket, network, clock, lines } = fakeSocket({ heartbeat })
    network.onDial = (it) => {
      it.answersLiteral = true
      it.accept()
    }
    await clock.advance(10_000)
    network.last.blackHole()
    await clock.advance(1_500)
    expect(lines).toEqual(["open @1", expect.stringMatching(/^error no answer/), "close 1006 - unclean @3"])
    socket.close()
  })

  it("C39 shouldReconnectOnClose decides, also against a code that says never", async () => {
    const codes: number[] = []
    const { socket, network, clock, lines } = await openSocket({
      shouldReconnectOnClose: ({ code, type }) => {
        codes.push(code)
        return type === "close" && code !== 4001
      },
    })
    network.last.end(1008)
    await clock.advance(1_000)
    expect(socket.readyState).toBe(1)
    network.last.end(4001)
    expect(socket.shouldReconnect).toBe(false)
    await clock.advance(60_000)
    expect(codes).toEqual([1008, 4001])
    expect(lines.slice(1)).toEqual(["close 1008 - clean @3", "open @1", "close 4001 - clean @3"])
    expect(clock.pending).toBe(0)
  })

  it("C39 StopReconnecting from a function ends it", async () => {
    const url = () => {
      throw new StopReconnecting("logged out")
    }
    const { socket, clock, lines } = fakeSocket({ url })
    await clock.advance(60_000)
    expect(lines).toEqual(["error logged out @3", "close 1006 - unclean @3"])
    expect([socket.shouldReconnect, clock.pending]).toEqual([false, 0])
  })
})

describe("C39 reconnect()", () => {
  it("C39 replaces an open connection, with its code, and tells of the close before it returns", async () => {
    const { socket, network, clock, lines } = await openSocket()
    const before = network.last
    socket.reconnect(4001, "again")
    expect(lines.slice(1)).toEqual(["close 4001 again clean @3"])
    expect(socket.readyState).toBe(0)
    before.deliver("late")
    await clock.advance(0)
    expect(before.closes).toEqual([{ code: 4001, reason: "again" }])
    expect(lines.slice(2)).toEqual(["open @1"])
    expect(network.live).toHaveLength(1)
    socket.close()
  })

  it("C39 dials at once while it waits, and tells of no second close", async () => {
    const { socket, network, clock, lines } = await openSocket()
    network.last.cut()
    socket.reconnect()
    await clock.advance(0)
    expect(lines).toEqual(["open @1", "close 1006 - unclean @3", "open @1"])
    await clock.advance(10_000)
    expect(network.sockets).toHaveLength(2)
    socket.close()
  })

  it("C39 gives up an attempt that hangs", async () => {
    const { socket, network, clock, lines } = fakeSocket()
    network.onDial = (it) => void (network.sockets.length > 1 && it.accept())
    await clock.advance(0)
    socket.reconnect()
    await clock.advance(0)
    expect(lines).toEqual(["close 1000 - clean @3", "open @1"])
    expect(network.live).toHaveLength(1)
    socket.close()
  })

  it("C39 inside an error event tells of the close of that attempt first", async () => {
    const { socket, network, clock, lines } = fakeSocket()
    network.onDial = (it) => (network.sockets.length === 1 ? it.refuse() : it.accept())
    socket.addEventListener("error", () => socket.reconnect(), { once: true })
    await clock.advance(0)
    expect(lines.slice(1)).toEqual(["close 1006 - unclean @3", "open @1"])
    await clock.advance(10_000)
    expect(network.sockets).toHaveLength(2)
    socket.close()
  })

  it("C39 inside every close event is heard once per close", async () => {
    const { socket, network, clock, lines } = await openSocket()
    socket.addEventListener("close", () => lines.length < 10 && socket.reconnect())
    network.last.end(4000)
    await clock.advance(0)
    expect(lines).toEqual(["open @1", "close 4000 - clean @3", "open @1"])
    expect(network.live).toHaveLength(1)
    lines.length = 10
    socket.close()
  })

  it("C39 starts a socket that was started closed", async () => {
    const { socket, network, clock, lines } = fakeSocket({ startClosed: true })
    socket.send("kept")
    await clock.advance(60_000)
    expect([socket.readyState, socket.shouldReconnect, network.sockets.length]).toEqual([3, false, 0])
    socket.reconnect()
    await clock.advance(0)
    expect([lines, network.received]).toEqual([["open @1"], ["kept"]])
    socket.close()
  })

  it("C39 revives a socket that was closed, with what was sent meanwhile", async () => {
    const { socket, network, clock, lines } = await openSocket()
    socket.close()
    socket.send("while closing")
    await clock.advance(0)
    socket.send("while closed")
    socket.reconnect()
    await clock.advance(0)
    expect(lines).toEqual(["open @1", "close 1000 - clean @3", "open @1"])
    expect(network.received).toEqual(["while closing", "while closed"])
    socket.close()
  })
})

describe("C39 debug", () => {
  it("C39 tells each step to debugLogger, and never what a message says", async () => {
    const said: unknown[][] = []
    const { socket, network } = await openSocket({ debug: true, debugLogger: (...args) => said.push(args) })
    socket.send("secret")
    network.last.end(4000)
    socket.close()
    const steps = said.map(([prefix, step]) => `${prefix} ${step}`)
    expect(steps).toEqual([
      "RWS> connect",
      "RWS> open event",
      "RWS> the server answers no ping: a dead line cannot be noticed",
      "RWS> close event",
    ])
    expect(JSON.stringify(said)).not.toContain("secret")
  })

  it("C39 is silence by default", async () => {
    const spies = (["log", "debug", "info", "warn", "error"] as const).map((it) => vi.spyOn(console, it))
    const { socket, network, clock } = await openSocket()
    network.last.cut()
    await clock.advance(1_000)
    socket.close()
    await clock.advance(1_000)
    expect(spies.flatMap((it) => it.mock.calls)).toEqual([])
  })
})
