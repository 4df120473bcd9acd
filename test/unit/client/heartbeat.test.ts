import { json, type ReconnectingClientOptions, text } from "holdfast"
import { describe, expect, it } from "vitest"
import { fakeClient, openClient } from "../../support/client-fake.js"
import type { FrameSocket } from "../../support/client-network.js"
import { RecordingLogger } from "../../support/recording-logger.js"

type Options = Omit<ReconnectingClientOptions<unknown, unknown>, "clock">

/** An open client with the heartbeat's defaults, over a browser's socket unless said otherwise. */
function beating(options: Options & { make?: "frames" | "browser"; answersLiteral?: boolean } = {}) {
  const logger = new RecordingLogger()
  return openClient<unknown, unknown>({ codec: json(), heartbeat: {}, logger, ...options }).then((fake) => ({
    ...fake,
    warnings: () => logger.lines.filter(({ level }) => level === "warn"),
  }))
}

describe("a heartbeat of ping frames", () => {
  it("C11 pings at once and then after intervalMs of silence, and tells the round-trip time", async () => {
    const { client, clock, network, log } = await beating({ make: "frames" })
    const socket = network.last as FrameSocket
    expect(socket.pings).toEqual(["1"])
    expect(client.rttMs).toBe(0)
    network.latencyMs = 30
    await clock.advance(60_000)
    expect(socket.pings).toEqual(["1", "2", "3", "4"])
    expect(log.pongs).toEqual([0, 30, 30, 30])
    expect(client.rttMs).toBe(30)
    expect(socket.received).toEqual([])
  })

  it("C11 pings as often when it may wait longer for the answer than between two pings", async () => {
    const { clock, network } = await beating({
      make: "frames",
      heartbeat: { intervalMs: 1_000, timeoutMs: 3_000 },
    })
    await clock.advance(4_500)
    expect((network.last as FrameSocket).pings).toHaveLength(5)
  })

  it("C11 takes any inbound frame for life: one that hears enough does not ping", async () => {
    const { clock, network } = await beating({ make: "frames" })
    const socket = network.last as FrameSocket
    for (let i = 0; i < 60; i += 1) {
      await clock.advance(5_000)
      if (i % 2 === 0) socket.deliver('"news"')
      else socket.emit("ping", {})
    }
    expect(socket.pings).toEqual(["1"])
  })

  it("C11 takes any inbound frame for the answer, and a wrong pong for no round-trip time", async () => {
    const { client, clock, network, log } = await beating({ make: "frames" })
    const socket = network.last as FrameSocket
    socket.ping = (payload = "") => void socket.pings.push(payload)
    await clock.advance(15_000)
    expect(socket.pings).toHaveLength(2)
    await clock.advance(4_000)
    socket.pong("made up")
    await clock.advance(2_000)
    expect(client.state).toBe("open")
    expect(log.pongs).toEqual([0])
  })

  it("C11 leaves the words ping and pong to the application where there are frames", async () => {
    const { network, log } = await beating({ make: "frames", codec: text() as never })
    network.last.deliver("pong")
    expect(log.messages).toEqual(["pong"])
  })

  it("C11 can be given other times, and be turned off", async () => {
    const quick = await beating({ make: "frames", heartbeat: { intervalMs: 1_000, timeoutMs: 500 } })
    await quick.clock.advance(4_500)
    expect((quick.network.last as FrameSocket).pings).toHaveLength(5)
    const off = await beating({ make: "frames", heartbeat: false })
    await off.clock.advance(3_600_000)
    expect((off.network.last as FrameSocket).pings).toEqual([])
    expect(off.clock.pending).toBe(0)
  })
})

describe("a heartbeat that only listens", () => {
  /** A client whose codec has no words, over a socket without ping frames. */
  const listening = (options: Options & { make?: "frames" | "browser" } = {}) =>
    beating({ codec: text() as never, heartbeat: { idleTimeoutMs: 30_000 }, ...options })

  it("C11 takes silence for death after idleTimeoutMs, and not before, and sends nothing", async () => {
    const { client, clock, network, log, warnings } = await listening()
    for (let i = 0; i < 20; i += 1) {
      await clock.advance(29_999)
      network.last.deliver("news")
    }
    await clock.advance(29_999)
    expect([client.state, network.sockets.length]).toEqual(["open", 1])
    await clock.advance(1)
    expect(client.state).toBe("waiting")
    expect(log.errors).toMatchObject([
      { stage: "socket", error: { code: "CONNECTION_LOST", message: "nothing came in within 30000 ms" } },
    ])
    expect([network.received, warnings()]).toEqual([[], []])
    await clock.advance(1_050)
    expect(client.state).toBe("open")
    await Promise.all([client.close(), clock.advance(1)])
    expect(clock.pending).toBe(0)
  })

  it("C11 listens beside words that a server does not answer", async () => {
    const { client, clock, network, warnings } = await listening({ codec: json() })
    await clock.advance(20_000)
    network.last.deliver('"news"')
    await clock.advance(29_999)
    expect(client.state).toBe("open")
    await clock.advance(1)
    expect(client.state).toBe("waiting")
    expect(warnings()).toEqual([])
  })

  it("C14 gives what came in while the page slept 5 s to be read", async () => {
    for (const isAlive of [true, false]) {
      const { client, clock, network } = await listening()
      clock.stall(3_600_000)
      await clock.advance(4_999)
      if (isAlive) network.last.deliver("news")
      await clock.advance(1)
      expect(client.state).toBe(isAlive ? "open" : "waiting")
      if (isAlive) await clock.advance(29_998)
      expect(client.state).toBe(isAlive ? "open" : "waiting")
    }
  })

  it("C11 judges nothing while nothing is read", async () => {
    const { client, clock, network } = await listening({ make: "frames" })
    ;(network.last as FrameSocket).ping = () => {}
    const reader = client.iterate({ maxMessages: 1 })
    network.last.deliver("1")
    await clock.advance(300_000)
    expect(client.state).toBe("open")
    await reader.next()
    await clock.advance(19_000)
    network.last.deliver("2")
    expect(client.state).toBe("open")
  })

  it.each([0, -1, Number.NaN, "1"])("C11 throws for an idleTimeoutMs of %s", (idleTimeoutMs) => {
    expect(() => fakeClient({ heartbeat: { idleTimeoutMs: idleTimeoutMs as number } })).toThrow(
      "heartbeat.idleTimeoutMs must be a number from 1",
    )
  })
})

describe("a heartbeat of literal words", () => {
  it("C11 sends ping where there are no frames, and keeps the pong to itself", async () => {
    const { client, clock, network, log } = await beating({ answersLiteral: true })
    network.latencyMs = 20
    await clock.advance(60_000)
    expect(network.last.received).toEqual(["ping", "ping", "ping", "ping"])
    expect(log.messages).toEqual([])
    expect(log.errors).toEqual([])
    expect(log.pongs).toEqual([0, 40, 40, 40])
    expect(client.rttMs).toBe(40)
  })

  it("C11 prefers words to the frames of a socket that pings and never tells of a pong, as React Native's", async () => {
    const { client, clock, network } = fakeClient({
      codec: json() as never,
      heartbeat: {},
      answersLiteral: true,
    })
    network.onDial = (socket) => {
      Object.assign(socket, { ping: () => {} })
      socket.accept()
    }
    await clock.advance(59_000)
    expect(network.last.received).toEqual(["ping", "ping", "ping", "ping"])
    expect(client.state).toBe("open")
    expect(network.sockets).toHaveLength(1)
  })

  it("C11 takes its words from the codec, or from the options", async () => {
    const literalPing = { ping: "…", pong: "!" }
    const given = await beating({ codec: text() as never, heartbeat: { literalPing } })
    expect(given.network.last.received).toEqual(["…"])
    given.network.last.deliver("!")
    given.network.last.deliver("pong")
    expect(given.log.messages).toEqual(["pong"])
    expect(given.log.pongs).toEqual([0])
  })

  it("C11 does not declare dead a server that never answers the words, and says so once", async () => {
    const { client, clock, network, warnings } = await beating()
    await clock.advance(3_600_000)
    expect(client.state).toBe("open")
    expect(warnings()).toHaveLength(1)
    for (let i = 0; i < 3; i += 1) {
      network.last.cut()
      await clock.advance(60_000)
    }
    expect(client.state).toBe("open")
    expect(network.sockets).toHaveLength(4)
    expect(warnings()).toHaveLength(1)
  })

  it("C11 says once that it is blind where a codec has no words", async () => {
    const { clock, network, warnings } = await beating({ codec: text() as never })
    for (let i = 0; i < 3; i += 1) {
      network.last.cut()
      await clock.advance(60_000)
    }
    expect(warnings()).toHaveLength(1)
    expect(network.received).toEqual([])
  })

  it("C11 declares dead a server that answered before and falls silent", async () => {
    const { client, clock, network, log } = await beating({ answersLiteral: true })
    await clock.advance(20_000)
    network.last.blackHole()
    await clock.advance(20_000)
    expect(network.sockets).toHaveLength(2)
    expect(client.state).toBe("open")
    expect(log.errors).toMatchObject([{ stage: "socket", error: { code: "CONNECTION_LOST" } }])
  })

  it("C11 remembers from connection to connection that the server answers", async () => {
    const { client, clock, network } = await beating({ answersLiteral: true })
    await clock.advance(20_000)
    network.onDial = (socket) => {
      socket.accept()
      socket.blackHole()
    }
    network.last.cut()
    await clock.advance(1_050)
    expect(client.state).toBe("open")
    await clock.advance(20_000)
    expect(client.state).not.toBe("open")
  })

  it("C11 is not held against a server whose messages show that it lives", async () => {
    const { client, clock, network, warnings } = await beating()
    for (let i = 0; i < 100; i += 1) {
      await clock.advance(9_000)
      network.last.deliver('"news"')
    }
    expect(client.state).toBe("open")
    expect(warnings()).toEqual([])
  })

  it("C11 goes out after what onOpen sends, so that a login comes first", async () => {
    const { clock, network } = await beating({
      onOpen: async ({ sendNow }) => {
        await null
        sendNow("login")
      },
    })
    await clock.advance(1)
    expect(network.received).toEqual(['"login"', "ping"])
  })
})
