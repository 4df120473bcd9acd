import { Connection, text } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { LeasedSocket } from "../../../src/pool/leased-socket.js"
import { StubSocket } from "../../support/stub-socket.js"

/** A connection over a view of a socket in the style of `ws`. */
function viewOf(socket: StubSocket) {
  const clock = new VirtualClock()
  const view = new LeasedSocket(socket)
  const connection = new Connection<string, string>(view, {}, { codec: text(), clock })
  return { clock, view, connection, letGo: () => view.letGo(() => void connection.close()) }
}

const count = (socket: StubSocket) =>
  socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0)

describe("a view of a socket of Node's style", () => {
  it("passes everything, both ways", async () => {
    const socket = new StubSocket()
    socket.protocol = "v1"
    const { clock, connection } = viewOf(socket)
    const heard: string[] = []
    connection.on("message", ({ data }) => heard.push(data))
    connection.send("out")
    connection.ping("p")
    socket.receive("in")
    await clock.advance(0)
    expect([heard, socket.sent, socket.pings]).toEqual([["in"], ["out"], ["p"]])
    expect([connection.protocol, connection.bufferedBytes]).toEqual(["v1", 0])
    await connection.close(4_000, "bye")
    expect(socket.closes).toEqual([{ code: 4_000, reason: "bye" }])
  })

  it("ends without the socket, after what was sent before, and leaves no listener on it", async () => {
    const socket = new StubSocket()
    const first = viewOf(socket)
    first.connection.send("one")
    const sent = first.connection.sendAsync("two")
    first.letGo()
    await sent
    expect(await first.connection.closed).toEqual({
      code: 1000,
      reason: "released",
      cause: "local",
      unsent: { count: 0, bytes: 0 },
    })
    expect([socket.sent, socket.closes, socket.readyState]).toEqual([["one", "two"], [], 1])
    expect(count(socket)).toBe(0)
    await first.clock.advance(0)
    expect(first.clock.pending).toBe(0)
  })

  it("does nothing to the socket once it has let go", () => {
    const socket = new StubSocket()
    const { view, letGo } = viewOf(socket)
    letGo()
    view.send("late")
    view.ping?.("late")
    view.pause?.()
    view.close(4_000, "late")
    view.terminate?.()
    view.on?.("message", () => {})
    expect([socket.sent, socket.pings, socket.closes, socket.isPaused]).toEqual([[], [], [], false])
    expect([socket.readyState, view.readyState, count(socket)]).toEqual([1, 1, 0])
  })

  it("settles a send that was under way as the socket settles it", async () => {
    const socket = new StubSocket()
    const left: ((error?: Error) => void)[] = []
    socket.send = (data, done) => {
      socket.sent.push(data)
      if (done) left.push(done)
    }
    const [first, second] = [viewOf(socket), viewOf(socket)]
    const [gone, lost] = [first.connection.sendAsync("one"), second.connection.sendAsync("two")]
    first.letGo()
    second.letGo()
    left[0]?.()
    left[1]?.(new Error("write EPIPE"))
    await gone
    await expect(lost).rejects.toMatchObject({ code: "CONNECTION_LOST" })
  })

  it("can do what the socket can, and no more", () => {
    const socket = new StubSocket()
    const bare = {
      readyState: 1,
      bufferedAmount: 0,
      send: () => {},
      close: () => {},
      addEventListener: () => {},
      removeEventListener: () => {},
    }
    const able = (view: LeasedSocket) =>
      (["on", "addEventListener", "ping", "terminate", "pause", "resume"] as const).filter(
        (name) => view[name],
      )
    expect(able(new LeasedSocket(socket))).toEqual(["on", "ping", "terminate", "pause", "resume"])
    expect(able(new LeasedSocket(bare))).toEqual(["addEventListener"])
    expect(new LeasedSocket(bare).protocol).toBe("")
  })
})
