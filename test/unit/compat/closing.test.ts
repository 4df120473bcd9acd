import { describe, expect, it } from "vitest"
import { fakeSocket, openSocket } from "../../support/compat-fake.js"

describe("C39 the arguments of close() and reconnect()", () => {
  it.each([0, 999, 1001, 1005, 1006, 2999, 5000, Number.NaN])(
    "C39 code %d throws an InvalidAccessError and closes nothing",
    async (code) => {
      const { socket } = await openSocket()
      for (const call of [() => socket.close(code), () => socket.reconnect(code)]) {
        expect(call).toThrow(
          expect.objectContaining({ constructor: DOMException, name: "InvalidAccessError" }),
        )
      }
      expect(socket.readyState).toBe(1)
      socket.close()
    },
  )

  it("C39 a reason above 123 bytes throws a SyntaxError, and is counted in UTF-8", async () => {
    const { socket, network, clock } = await openSocket()
    const error = expect.objectContaining({ constructor: DOMException, name: "SyntaxError" })
    expect(() => socket.close(1000, "x".repeat(124))).toThrow(error)
    expect(() => socket.close(1000, `${"€".repeat(41)}x`)).toThrow(error)
    socket.close(3000, "€".repeat(41))
    await clock.advance(0)
    expect(network.last.closes).toEqual([{ code: 3000, reason: "€".repeat(41) }])
  })
})

describe("C39 close()", () => {
  it("C39 of an open socket: CLOSING at once, then the server's answer as the last close", async () => {
    const { socket, network, clock, lines } = await openSocket()
    socket.close(4000, "done")
    socket.close(4001, "ignored")
    expect([socket.readyState, socket.shouldReconnect, lines]).toEqual([2, false, ["open @1"]])
    network.last.deliver("late")
    await clock.advance(60_000)
    expect(lines.slice(1)).toEqual(["close 4000 done clean @3"])
    expect([network.sockets.length, clock.pending]).toEqual([1, 0])
  })

  it("C39 without a code is code 1000", async () => {
    const { socket, network, clock } = await openSocket()
    socket.close()
    await clock.advance(0)
    expect(network.last.closes).toEqual([{ code: 1000, reason: "" }])
  })

  it("C39 of a server that does not answer is 1006 within a second", async () => {
    const { socket, network, clock, lines } = await openSocket()
    network.last.blackHole()
    socket.close()
    await clock.advance(1_000)
    expect(lines.slice(1)).toEqual(["close 1006 - unclean @3"])
  })

  it("C39 lets what was sent before it leave first, in an open event and behind a Blob too", async () => {
    const { socket, network, clock, lines } = fakeSocket()
    let finish: (bytes: ArrayBuffer) => void = () => {}
    const arrayBuffer = () =>
      new Promise<ArrayBuffer>((resolve) => {
        finish = resolve
      })
    socket.onopen = () => {
      socket.send("text")
      socket.send({ size: 1, arrayBuffer })
      socket.send("last")
      socket.close()
    }
    await clock.advance(9_000)
    expect([socket.readyState, network.received]).toEqual([2, ["text"]])
    finish(Uint8Array.of(7).buffer)
    await clock.advance(0)
    expect(lines).toEqual(["open @1", "close 1000 - clean @3"])
    expect(network.received).toEqual(["text", Uint8Array.of(7), "last"])
  })

  it("C39 while connecting fails the attempt, as the standard says: error, then close 1006", async () => {
    const { socket, network, clock, lines } = fakeSocket()
    network.onDial = () => {}
    await clock.advance(0)
    socket.close(4000)
    expect([socket.readyState, lines]).toEqual([2, []])
    await clock.advance(60_000)
    expect(lines).toEqual([expect.stringMatching(/^error closed before/), "close 1006 - unclean @3"])
    expect([network.live.length, clock.pending]).toEqual([0, 0])
  })

  it("C39 right after the constructor dials nothing, asks nothing, and still ends with a close", async () => {
    let asked = 0
    const url = () => {
      asked += 1
      return "ws://far.example/"
    }
    const { socket, network, clock, lines } = fakeSocket({ url })
    socket.close()
    await clock.advance(60_000)
    expect(lines.map((it) => it.slice(0, 5))).toEqual(["error", "close"])
    expect([asked, network.sockets.length, socket.readyState]).toEqual([0, 0, 3])
  })

  it("C39 between two tries is told with a last close, so that nobody waits for one in vain", async () => {
    const { socket, network, clock, lines } = await openSocket()
    network.last.cut()
    await clock.advance(500)
    socket.close(4000, "enough")
    await clock.advance(60_000)
    expect(lines.slice(1)).toEqual(["close 1006 - unclean @3", "close 4000 enough clean @3"])
    expect([network.sockets.length, clock.pending]).toEqual([1, 0])
  })

  it("C39 inside a close event makes that one the last", async () => {
    const { socket, network, clock, lines } = await openSocket()
    socket.addEventListener("close", ({ code }) => void (code === 4001 && socket.close()))
    network.last.end(4001)
    await clock.advance(60_000)
    expect(lines.slice(1)).toEqual(["close 4001 - clean @3"])
    expect([network.sockets.length, clock.pending]).toEqual([1, 0])
  })

  it("C39 right after a reconnect() inside a close event closes what that began", async () => {
    const { socket, network, clock, lines } = await openSocket()
    const both = () => {
      socket.reconnect()
      socket.close()
    }
    socket.addEventListener("close", both, { once: true })
    network.last.end(4001)
    await clock.advance(60_000)
    expect(lines.slice(2)).toEqual([expect.stringMatching(/^error closed before/), "close 1006 - unclean @3"])
    expect([network.sockets.length, socket.readyState, clock.pending]).toEqual([1, 3, 0])
  })

  it("C39 inside an error event lets the close of that attempt be the last", async () => {
    const { socket, network, clock, lines } = fakeSocket()
    network.onDial = (it) => it.refuse()
    socket.addEventListener("error", () => socket.close())
    await clock.advance(60_000)
    expect(lines.slice(1)).toEqual(["close 1006 - unclean @3"])
    expect([network.sockets.length, clock.pending]).toEqual([1, 0])
  })

  it("C39 crossing a loss is told of the loss, once", async () => {
    const { socket, network, clock, lines } = await openSocket()
    socket.close(4000)
    network.last.cut()
    await clock.advance(60_000)
    expect(lines.slice(1)).toEqual(["close 1006 - unclean @3"])
    expect([network.sockets.length, clock.pending]).toEqual([1, 0])
  })

  it("C39 waits 10 s for a Blob that is being read, and keeps what could not leave for a reconnect()", async () => {
    const { socket, network, clock, lines } = await openSocket()
    let read: (bytes: ArrayBuffer) => void = () => {}
    const stuck = { size: 1, arrayBuffer: () => new Promise<ArrayBuffer>((resolve) => (read = resolve)) }
    socket.send("a")
    socket.send(stuck)
    socket.send("b")
    socket.close(4000)
    await clock.advance(9_999)
    expect([socket.readyState, lines.length]).toEqual([2, 1])
    network.latencyMs = 10
    await clock.advance(5)
    // too late: the close frame is on its way
    read(new ArrayBuffer(1))
    await clock.advance(10)
    expect(lines.slice(1)).toEqual(["close 4000 - clean @3"])
    expect([network.received, clock.pending]).toEqual([["a"], 0])
    expect(socket.drainQueuedMessages()).toEqual([stuck, "b"])
  })

  it.each(["a loss", "reconnect()"])(
    "C39 waits no more for a Blob after %s, and leaves no timer behind",
    async (what) => {
      const { socket, network, clock, lines } = await openSocket()
      socket.send({ size: 1, arrayBuffer: () => new Promise<ArrayBuffer>(() => {}) })
      socket.close(4000)
      await clock.advance(100)
      if (what === "a loss") network.last.cut()
      else {
        socket.reconnect(4001)
        await clock.advance(1)
        socket.drainQueuedMessages()
        socket.close(4002)
      }
      await clock.advance(1_000)
      expect(lines.filter((it) => it.startsWith("close"))).toHaveLength(what === "a loss" ? 1 : 2)
      expect([socket.readyState, clock.pending, network.live.length]).toEqual([3, 0, 0])
    },
  )

  it("C39 of a socket that never started does nothing", async () => {
    const { socket, clock, lines } = fakeSocket({ startClosed: true })
    socket.close()
    await clock.advance(60_000)
    expect([lines, socket.readyState]).toEqual([[], 3])
  })

  it("C39 leaves no listener on the platform's sockets", async () => {
    const { socket, network, clock } = await openSocket()
    network.last.cut()
    await clock.advance(1_000)
    socket.reconnect()
    await clock.advance(0)
    socket.close()
    await clock.advance(1_000)
    expect(network.sockets.map((it) => it.listenerCount)).toEqual([0, 0, 0])
  })
})
