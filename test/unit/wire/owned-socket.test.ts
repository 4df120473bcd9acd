import { describe, expect, it, vi } from "vitest"
import { socketPair } from "../../../src/testing/socket-pair.js"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { text } from "../../../src/wire/codec.js"
import { Connection } from "../../../src/wire/connection.js"
import { connectedPair } from "../../support/connected-pair.js"
import { stubHub } from "../../support/stub-hub.js"
import { StubSocket } from "../../support/stub-socket.js"

describe("S15 a socket of the platform's style that is used directly as well", () => {
  const setUp = () => connectedPair<string, string>({ codec: text() })

  it("sends in the order of the calls, and closes behind all of it", async () => {
    const { connection, socket, received, turn } = setUp()
    connection.send("one")
    socket.send("two")
    connection.send("three")
    socket.close(4000, "bye")
    expect(connection.send("late")).toBe("closed")
    await turn()
    expect(received).toEqual(["one", "two", "three"])
    expect(await connection.closed).toMatchObject({ code: 4000, unsent: { count: 0 } })
  })

  it("gets what no frame can be made of at once, without the options of Node", async () => {
    const clock = new VirtualClock()
    const [socket] = socketPair({ clock })
    const original = vi.spyOn(socket, "send").mockImplementation(() => {})
    const connection = new Connection<string, string>(socket, {}, { codec: text(), clock })
    const blob = new Blob(["hello"])
    connection.send("one")
    socket.send(blob as never)
    expect(original.mock.calls).toEqual([["one"], [blob]])
    expect(connection.send("two")).toBe("sent")
  })

  it("has its own methods back at the end", async () => {
    const { connection, socket } = setUp()
    const prototype = Object.getPrototypeOf(socket)
    expect(socket.send).not.toBe(prototype.send)
    connection.terminate()
    expect([socket.send, socket.close]).toEqual([prototype.send, prototype.close])
    expect(Object.getOwnPropertySymbols(socket)).toEqual([])
  })
})

describe("a socket whose methods somebody has replaced", () => {
  it("is sent to through those, and has them back at the end", () => {
    const socket = new StubSocket()
    const [send, close] = [vi.fn(), vi.fn()]
    Object.assign(socket, { send, close })
    const connection = new Connection<string, string>(socket, {}, { codec: text(), flush: "immediate" })
    connection.send("one")
    socket.send("two")
    void connection.close(4000)
    expect(send.mock.calls.map(([data]) => data)).toEqual(["one", "two"])
    expect(close).toHaveBeenCalledExactlyOnceWith(4000, "")
    socket.end(4000)
    expect([socket.send, socket.close]).toEqual([send, close])
  })

  it("keeps what somebody puts in their place later", () => {
    const socket = new StubSocket()
    const connection = new Connection<string, string>(socket, {}, { codec: text(), flush: "immediate" })
    const guarded = socket.send
    const sent: unknown[] = []
    const later: typeof socket.send = (data, ...rest) => {
      sent.push(data)
      guarded.call(socket, data, ...rest)
    }
    socket.send = later
    socket.send("through both")
    connection.send("past them")
    expect(sent).toEqual(["through both"])
    expect(connection.messagesOut).toBe(2)
    socket.end(1000)
    expect(socket.send).toBe(later)
    socket.send("late")
    expect(socket.sent.at(-1)).toBe("late")
  })
})

describe("a socket that closes because its peer did", () => {
  /** In the style of `ws`, with what it remembers of the peer's close frame. */
  const setUp = (memory: object) => {
    const socket = Object.assign(new StubSocket(), memory)
    const connection = new Connection<string, string>(socket, {}, { codec: text(), flush: "immediate" })
    connection.on("message", async ({ data }) => {
      await null
      connection.send(data)
    })
    return { socket, connection }
  }

  it("is closed behind what async handlers send in the same turn", async () => {
    const { socket, connection } = setUp({ _closeFrameReceived: true })
    socket.receive("hello")
    socket.close(4000)
    expect([socket.closes, socket.sent]).toEqual([[], []])
    expect(await connection.closed).toMatchObject({ code: 4000, unsent: { count: 0 } })
    expect([socket.closes.length, socket.sent]).toEqual([1, ["hello"]])
  })

  it("is closed at once where nobody can tell", () => {
    const { socket } = setUp({})
    socket.close(4000)
    expect(socket.closes).toEqual([{ code: 4000, reason: "" }])
  })

  it("is closed at once when the program closes it as well, and once only", async () => {
    const { socket, connection } = setUp({ _closeFrameReceived: true })
    socket.close(4000)
    void connection.close(4001, "mine")
    expect(socket.closes).toEqual([{ code: 4001, reason: "mine" }])
    await connection.closed
    expect(socket.closes).toHaveLength(1)
  })

  it("may have ended before that", async () => {
    const { socket, connection } = setUp({ _closeFrameReceived: true })
    socket.close(4000)
    connection.terminate()
    expect(await connection.closed).toMatchObject({ code: 1006 })
    expect(socket.closes).toEqual([])
  })
})

describe("a callback of the socket's own send that throws", () => {
  const failing = (error?: Error) => {
    if (error) throw new Error("as many do", { cause: error })
  }

  // it threw into whatever gave the message up: a broadcast, or the end of the connection, which was then never told
  it("is an error event, and keeps nothing from going on", async () => {
    const { hub, add, flush } = stubHub({ maxTotalBufferedBytes: 1_000 })
    const [slow, other] = [add("slow", "r"), add("other", "r")]
    const errors: unknown[] = []
    hub.on("error", ({ error, stage }) => errors.push([stage, (error as Error).message]))
    slow.stream.stall()
    slow.stream.writableHighWaterMark = 1
    hub.to("r").send("x".repeat(900))
    await flush()
    ;(slow.socket as { send(data: string, callback: typeof failing): void }).send("mine", failing)
    await flush()
    expect(hub.to("r").send("x".repeat(400))).toMatchObject({ matched: 2 })
    await flush()
    await slow.connection.closed
    expect(errors).toEqual([["listener", "as many do"]])
    expect([hub.size, hub.bufferedBytes, hub.connectionsShed]).toEqual([1, 0, 1])
    expect(other.received()).toHaveLength(2)
  })
})
