import { json } from "holdfast"
import { describe, expect, it } from "vitest"
import { type StubPeer, stubHub } from "../../support/stub-hub.js"

describe("S31: dead peers are found", () => {
  it("and closed within 26 s with the defaults, with cause heartbeat", async () => {
    const { hub, add, clock } = stubHub()
    const [dead, alive] = [add("dead", "r"), add("alive", "r")]
    const closes: unknown[] = []
    hub.on("close", ({ connection, code, cause }) => closes.push([connection.id, code, cause]))
    dead.socket.isMute = true
    await clock.advance(24_000)
    expect(closes).toEqual([])
    await clock.advance(2_000)
    expect(closes).toEqual([["dead", 1006, "heartbeat"]])
    expect([hub.size, hub.members("r").size]).toEqual([1, 1])
    expect(alive.connection).toMatchObject({ state: "open", rttMs: 0 })
  })

  it("by the interval and timeout that are given", async () => {
    const { hub, add, clock } = stubHub({ heartbeat: { intervalMs: 600, timeoutMs: 300 } })
    add().socket.isMute = true
    await clock.advance(880)
    expect(hub.size).toBe(1)
    await clock.advance(60)
    expect(hub.size).toBe(0)
  })

  it("and only those that are silent are pinged: any inbound frame is life", async () => {
    const { add, clock } = stubHub()
    const [message, ping, silent] = [add(), add(), add()]
    for (let i = 0; i < 12; i += 1) {
      await clock.advance(5_000)
      message.socket.receive("hello")
      ping.socket.emit("ping", Buffer.alloc(0))
    }
    expect(message.socket.pings).toEqual([])
    expect(ping.socket.pings).toEqual([])
    expect(silent.socket.pings.length).toBeGreaterThanOrEqual(3)
  })

  it("unless heartbeat is false: no ping, no timer, no end", async () => {
    const { hub, add, clock } = stubHub({ heartbeat: false })
    const { socket } = add()
    socket.isMute = true
    await clock.advance(0)
    expect(clock.pending).toBe(0)
    await clock.advance(3_600_000)
    expect(socket.pings).toEqual([])
    expect(hub.size).toBe(1)
  })
})

describe("S30: one timer for all", () => {
  const PEERS = 1_000

  it("serves 1,000 connections, and is gone with the last of them", async () => {
    const { hub, add, clock } = stubHub()
    const peers = Array.from({ length: PEERS }, () => add())
    await clock.advance(20_000)
    expect(clock.pending).toBe(1)
    for (const { socket } of peers) socket.end()
    expect([hub.size, clock.pending]).toEqual([0, 0])
  })

  it("spreads the pings of a crowd that fell silent at once: in no second more than 2 × N / interval", async () => {
    const { add, clock } = stubHub()
    const peers = Array.from({ length: PEERS }, () => add())
    const pingsSoFar = () => peers.reduce((sum, { socket }) => sum + socket.pings.length, 0)
    const perSecond: number[] = []
    for (let second = 0; second < 60; second += 1) {
      const before = pingsSoFar()
      await clock.advance(1_000)
      perSecond.push(pingsSoFar() - before)
    }
    expect(Math.max(...perSecond)).toBeLessThanOrEqual((2 * PEERS) / 15)
    for (const { socket } of peers) expect(socket.pings.length).toBeGreaterThanOrEqual(3)
  })
})

describe("S32: a stalled process", () => {
  it.each([250, 10_000])(
    "closes none of 200 healthy clients, with a timeout of %i ms and stalls of twice that",
    async (timeoutMs) => {
      const { hub, add, clock } = stubHub({ heartbeat: { intervalMs: 15_000, timeoutMs } })
      const unread: (() => void)[] = []
      const read = () => {
        for (const handle of unread.splice(0)) handle()
      }
      for (let i = 0; i < 200; i += 1) {
        const { socket } = add()
        socket.ping = (payload = "") => void unread.push(() => socket.emit("pong", Buffer.from(payload)))
      }
      let stalls = 0
      for (let i = 0; i < 400; i += 1) {
        await clock.advance(250)
        if (unread.length > 0 && i % 3 === 0) {
          stalls += 1
          clock.stall(2 * timeoutMs)
          // a process that wakes up runs its timers before it reads
          await clock.advance(0)
        }
        read()
      }
      expect(stalls).toBeGreaterThan(5)
      expect(hub.size).toBe(200)
    },
  )
})

describe("S33: a peer from which nothing leaves", () => {
  it("is cut after writeTimeoutMs with data waiting, with a reason of its own", async () => {
    const { hub, add, clock } = stubHub({ heartbeat: false })
    const { stream } = add()
    const causes: string[] = []
    hub.on("close", ({ cause }) => causes.push(cause))
    stream.stall()
    hub.broadcast("hello")
    await clock.advance(9_999)
    expect(causes).toEqual([])
    await clock.advance(1)
    expect(causes).toEqual(["write-timeout"])
  })
})

describe("S34: the literal text ping", () => {
  const heardBy = ({ connection }: StubPeer) => {
    const heard: unknown[] = []
    connection.on("message", ({ data }) => heard.push(data))
    connection.on("error", ({ stage }) => heard.push(stage))
    return heard
  }

  it("is answered with pong before a json codec sees it, and counts as life", async () => {
    const { add, clock } = stubHub({ codec: json() })
    const peer = add()
    const heard = heardBy(peer)
    for (let i = 0; i < 3; i += 1) {
      peer.socket.receive("ping")
      peer.socket.receive('"ping"')
      await clock.advance(10_000)
    }
    expect(heard).toEqual(["ping", "ping", "ping"])
    expect(peer.received()).toEqual(["pong", "pong", "pong"])
    expect(peer.connection.messagesIn).toBe(3)
    expect(peer.socket.pings).toEqual([])
  })

  it("is a message like any other with text()", () => {
    const { add } = stubHub()
    const peer = add()
    const heard = heardBy(peer)
    peer.socket.receive("ping")
    expect(heard).toEqual(["ping"])
    expect(peer.received()).toEqual([])
  })

  it("may be other words, or none", () => {
    const words = stubHub({ literalPing: { ping: "?", pong: "!" } }).add()
    const none = stubHub({ codec: json(), literalPing: false }).add()
    const heard = [heardBy(words), heardBy(none)]
    for (const { socket } of [words, none]) for (const word of ["ping", "?"]) socket.receive(word)
    expect(heard).toEqual([["ping"], ["decode", "decode"]])
    expect([words.received(), none.received()]).toEqual([["!"], []])
  })
})
