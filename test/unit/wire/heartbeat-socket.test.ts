import { describe, expect, it, vi } from "vitest"
import { socketPair } from "../../../src/testing/socket-pair.js"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { Connection } from "../../../src/wire/connection.js"
import { Heartbeat } from "../../../src/wire/heartbeat.js"
import { StubSocket } from "../../support/stub-socket.js"

function setUp() {
  const clock = new VirtualClock()
  const [socket, peer] = socketPair({ clock, latencyMs: 40 })
  return { clock, socket, peer, heartbeat: new Heartbeat(undefined, clock) }
}

describe("Heartbeat.watchSocket()", () => {
  it("keeps a socket that answers", async () => {
    const { clock, socket, heartbeat } = setUp()
    const died = vi.fn()
    heartbeat.watchSocket(socket, died)
    await clock.advance(300_000)
    expect(died).not.toHaveBeenCalled()
    expect(socket.readyState).toBe(1)
    expect(heartbeat.size).toBe(1)
  })

  it("S31 terminates a socket that is cut off, and says so first", async () => {
    const { clock, socket, heartbeat } = setUp()
    const states: number[] = []
    heartbeat.watchSocket(socket, () => states.push(socket.readyState))
    await clock.advance(60_000)
    socket.blackHole()
    await clock.advance(26_000)
    expect(states).toEqual([1])
    expect(socket.readyState).toBe(3)
    expect(heartbeat.size).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it("S31 takes a message or a ping of the peer for life", async () => {
    const { clock, socket, peer, heartbeat } = setUp()
    const ping = vi.spyOn(socket, "ping")
    heartbeat.watchSocket(socket)
    for (let i = 0; i < 20; i += 1) {
      await clock.advance(10_000)
      if (i % 2) peer.send("hello")
      else peer.ping()
    }
    expect(ping).not.toHaveBeenCalled()
  })

  it("ends the watch with the socket", async () => {
    const { clock, socket, peer, heartbeat } = setUp()
    const died = vi.fn()
    heartbeat.watchSocket(socket, died)
    peer.close(1000)
    await clock.advance(1_000)
    expect(heartbeat.size).toBe(0)
    expect(clock.pending).toBe(0)
    await clock.advance(60_000)
    expect(died).not.toHaveBeenCalled()
  })

  it("ends the watch by the undo, and leaves the socket alone", async () => {
    const { clock, socket, heartbeat } = setUp()
    const stop = heartbeat.watchSocket(socket)
    stop()
    stop()
    socket.blackHole()
    await clock.advance(60_000)
    expect(socket.readyState).toBe(1)
    expect(heartbeat.size).toBe(0)
  })

  it("terminates the socket even when onDead throws, and logs what it threw", async () => {
    const { clock, socket, heartbeat } = setUp()
    const logged = vi.spyOn(console, "error").mockImplementation(() => {})
    const failure = new Error("onDead failed")
    heartbeat.watchSocket(socket, () => {
      throw failure
    })
    socket.blackHole()
    await clock.advance(26_000)
    expect(socket.readyState).toBe(3)
    expect(logged).toHaveBeenCalledExactlyOnceWith(
      expect.any(String),
      expect.objectContaining({ err: failure }),
    )
  })

  it("does not ping a socket that is still connecting, which would throw", async () => {
    const clock = new VirtualClock()
    const socket = new StubSocket()
    socket.readyState = 0
    const heartbeat = new Heartbeat(undefined, clock)
    heartbeat.watchSocket(socket)
    await clock.advance(16_000)
    expect(socket.pings).toEqual([])
  })

  it("hears sockets of Node's style", async () => {
    const clock = new VirtualClock()
    const socket = new StubSocket()
    const heartbeat = new Heartbeat(undefined, clock)
    heartbeat.watchSocket(socket)
    await clock.advance(100_000)
    expect(socket.pings.length).toBeGreaterThanOrEqual(6)
    expect(socket.readyState).toBe(1)
    socket.isMute = true
    await clock.advance(26_000)
    expect(socket.readyState).toBe(3)
    expect(socket.listenerCount("message")).toBe(0)
    expect(socket.listenerCount("pong")).toBe(0)
  })
})

describe("Heartbeat.watch() of a connection", () => {
  it("S1 S31 gives the connection its round-trip time", async () => {
    const { clock, socket, heartbeat } = setUp()
    const connection = new Connection(socket, {}, { clock })
    const rtts: number[] = []
    connection.on("pong", ({ rttMs }) => rtts.push(rttMs))
    heartbeat.watch(connection)
    expect(connection.rttMs).toBe(undefined)
    await clock.advance(16_000)
    expect(connection.rttMs).toBe(80)
    expect(rtts).toEqual([80])
  })

  it("S31 closes a connection that is cut off, with a cause of its own", async () => {
    const { clock, socket, heartbeat } = setUp()
    const connection = new Connection(socket, {}, { clock })
    heartbeat.watch(connection)
    socket.blackHole()
    await clock.advance(26_000)
    expect(await connection.closed).toMatchObject({ code: 1006, cause: "heartbeat" })
  })
})
