import { describe, expect, it, vi } from "vitest"
import { socketPair } from "../../../src/testing/socket-pair.js"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { Batch } from "../../../src/wire/batch.js"
import { SocketSink, StreamSink } from "../../../src/wire/sink.js"
import { frame } from "../../support/frames.js"
import { decodeFrames, StubSocket, StubStream } from "../../support/stub-socket.js"

const batch = (...texts: string[]) => texts.reduce((all, text) => all.append(frame(text)), Batch.empty())

describe("StreamSink", () => {
  function setUp() {
    const [socket, stream] = [new StubSocket(), new StubStream()]
    return { socket, stream, sink: new StreamSink(socket, stream) }
  }

  it("S11 writes a batch in one piece", () => {
    const { stream, sink } = setUp()
    sink.write(batch("a", "b"))
    expect(stream.writes).toHaveLength(1)
    expect(decodeFrames(stream.writes)).toEqual(["a", "b"])
  })

  it("is full from the stream's own mark on, and says once when it has drained", () => {
    const { stream, sink } = setUp()
    stream.stall()
    sink.write(batch("x".repeat(16_000)))
    expect(sink.isFull).toBe(false)
    sink.write(batch("x".repeat(1_000)))
    expect(sink.isFull).toBe(true)
    expect(sink.bufferedBytes).toBe(17_008)
    const room = vi.fn()
    sink.whenRoom(room)
    stream.unstall()
    stream.emit("drain")
    expect(room).toHaveBeenCalledOnce()
  })

  // a program's fragments over a full stream left a listener each, of which Node warned from the eleventh on
  it("has one listener on the stream, however often it is asked for room", () => {
    const { stream, sink } = setUp()
    stream.stall()
    sink.write(batch("x".repeat(20_000)))
    const room = Array.from({ length: 20 }, () => vi.fn())
    for (const tell of room) sink.whenRoom(tell)
    expect(stream.listenerCount("drain")).toBe(1)
    stream.unstall()
    expect(room.map((it) => it.mock.calls.length)).toEqual([...new Array<number>(19).fill(0), 1])
    sink.close()
    expect(stream.listenerCount("drain")).toBe(0)
  })

  it("writes nothing once the socket has begun to close", () => {
    const { socket, sink } = setUp()
    expect(sink.isWritable).toBe(true)
    socket.readyState = 2
    expect(sink.isWritable).toBe(false)
  })

  it("leaves no listener on the stream when it is closed", () => {
    const { stream, sink } = setUp()
    const room = vi.fn()
    sink.whenRoom(room)
    sink.close()
    expect(stream.listenerCount("drain")).toBe(0)
  })

  it("S2 tells a write that was cut off by force from one that left, though the stream does not", () => {
    const { stream, sink } = setUp()
    const left = vi.fn()
    stream.stall()
    sink.write(batch("a"), left)
    Object.assign(stream, { destroyed: true })
    stream.unstall()
    expect(left).toHaveBeenCalledExactlyOnceWith(expect.any(Error))
  })

  it("S2 passes on how a write ended", () => {
    const { stream, sink } = setUp()
    const left = vi.fn()
    sink.write(batch("a"), left)
    expect(left).toHaveBeenCalledExactlyOnceWith(undefined)
    const error = new Error("EPIPE")
    vi.spyOn(stream, "write").mockImplementation((_, callback) => {
      ;(callback as ((error: Error) => void) | undefined)?.(error)
      return false
    })
    sink.write(batch("b"), left)
    expect(left).toHaveBeenLastCalledWith(error)
  })
})

describe("SocketSink over a socket of the platform's style", () => {
  function setUp(latencyMs = 0) {
    const clock = new VirtualClock()
    const [socket, peer] = socketPair({ clock, latencyMs })
    return { clock, socket, peer, sink: new SocketSink(socket, clock) }
  }

  it("sends every message of a batch, in order", () => {
    const { socket, sink } = setUp()
    sink.write(batch("a", "b", "c"))
    expect(socket.sent).toEqual(["a", "b", "c"])
  })

  it("S10 shares a batch with the other kind of sink, whichever writes first", () => {
    const bytes = new Uint8Array([1, 2, 3])
    for (const isStreamFirst of [true, false]) {
      const both = [frame("€"), frame(bytes)].reduce((all, it) => all.append(it), Batch.empty())
      const { socket, sink } = setUp()
      const [stream, socketOfStream] = [new StubStream(), new StubSocket()]
      const sinks = [new StreamSink(socketOfStream, stream), sink]
      for (const it of isStreamFirst ? sinks : sinks.reverse()) it.write(both)
      expect(decodeFrames(stream.writes)).toEqual(["€", Buffer.from(bytes)])
      expect(socket.sent.map((it) => Buffer.from(it as string))).toEqual([
        Buffer.from("€"),
        Buffer.from(bytes),
      ])
      expect(both.byteLength).toBe(both.bytes.byteLength)
    }
  })

  it("S2 notices by asking that a write has left, and asks no longer than somebody waits", async () => {
    const { clock, socket, sink } = setUp()
    socket.stall()
    const left = vi.fn()
    sink.write(batch("a", "b"), left)
    await clock.advance(1_000)
    expect(left).not.toHaveBeenCalled()
    socket.unstall()
    await clock.advance(20)
    expect(left).toHaveBeenCalledExactlyOnceWith()
    expect(clock.pending).toBe(0)
  })

  it("S2 sees that a write has left, though the socket is never empty", async () => {
    const { clock, sink } = setUp(12)
    const left = vi.fn()
    sink.write(batch("first"), left)
    for (let i = 0; i < 10; i += 1) {
      expect(sink.bufferedBytes).toBeGreaterThan(0)
      await clock.advance(5)
      sink.write(batch("more and more"))
    }
    expect(left).toHaveBeenCalledOnce()
  })

  it("S2 does not take the bytes of an earlier write for those of a later one", async () => {
    const { clock, socket, sink } = setUp()
    const left = vi.fn()
    sink.write(batch("early"))
    await clock.advance(0)
    socket.stall()
    sink.write(batch("a"), left)
    sink.write(batch("b"))
    await clock.advance(1_000)
    expect(left).not.toHaveBeenCalled()
  })

  it("says once that there is room, when half of the mark is free", async () => {
    const { clock, socket, sink } = setUp()
    socket.stall()
    sink.write(batch("x".repeat(65_536)))
    expect(sink.isFull).toBe(true)
    const room = vi.fn()
    sink.whenRoom(room)
    await clock.advance(1_000)
    expect(room).not.toHaveBeenCalled()
    socket.unstall()
    await clock.advance(1_000)
    expect(room).toHaveBeenCalledOnce()
    expect(clock.pending).toBe(0)
  })

  it.each([
    ["lost, when the connection ends without a handshake", false],
    ["sent, when it ends in an orderly way", true],
  ])("S2 takes a write that waits for %s", async (_, isOrderly) => {
    const { clock, socket, sink } = setUp()
    const [left, room, error] = [vi.fn(), vi.fn(), new Error("gone")]
    socket.stall()
    sink.write(batch("a"), left)
    sink.whenRoom(room)
    sink.close(() => error, isOrderly)
    expect(left).toHaveBeenCalledExactlyOnceWith(isOrderly ? undefined : error)
    socket.unstall()
    await clock.advance(1_000)
    expect(left).toHaveBeenCalledOnce()
    expect(room).not.toHaveBeenCalled()
    expect(clock.pending).toBe(0)
  })
})

describe("SocketSink over a socket of Node's style", () => {
  /** Keeps the callbacks of `send` until they are called by hand. */
  class HeldSocket extends StubSocket {
    readonly callbacks: ((error?: Error) => void)[] = []

    override send(data: string | Uint8Array, left?: (error?: Error) => void): void {
      super.send(data)
      if (left) this.callbacks.push(left)
    }
  }

  function setUp() {
    const [clock, socket] = [new VirtualClock(), new HeldSocket()]
    const [sink, left] = [new SocketSink(socket, clock), vi.fn()]
    return { clock, socket, sink, left }
  }

  it("S2 hears from the socket when a batch has left, without asking", () => {
    const { clock, socket, sink, left } = setUp()
    sink.write(batch("a", "b"), left)
    expect(clock.pending).toBe(0)
    expect(socket.callbacks).toHaveLength(1)
    socket.callbacks[0]?.()
    expect(left).toHaveBeenCalledExactlyOnceWith(undefined)
  })

  it("S2 hears what went wrong", () => {
    const { socket, sink, left } = setUp()
    const error = new Error("EPIPE")
    sink.write(batch("a"), left)
    socket.callbacks[0]?.(error)
    expect(left).toHaveBeenCalledExactlyOnceWith(error)
  })

  it.each([true, false])(
    "S2 waits for the end where a socket that is closing says a write has left (orderly: %s)",
    (isOrderly) => {
      const { socket, sink, left } = setUp()
      const error = new Error("gone")
      sink.write(batch("a"), left)
      socket.readyState = 2
      socket.callbacks[0]?.()
      expect(left).not.toHaveBeenCalled()
      sink.close(() => error, isOrderly)
      expect(left).toHaveBeenCalledExactlyOnceWith(isOrderly ? undefined : error)
    },
  )

  it("notices room when a batch has left", () => {
    const { socket, sink } = setUp()
    const room = vi.fn()
    socket.bufferedAmount = 70_000
    sink.write(batch("a"))
    expect(sink.isFull).toBe(true)
    sink.whenRoom(room)
    socket.callbacks[0]?.()
    expect(room).not.toHaveBeenCalled()
    sink.write(batch("b"))
    socket.bufferedAmount = 0
    socket.callbacks[1]?.()
    expect(room).toHaveBeenCalledOnce()
  })
})
