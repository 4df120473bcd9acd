import { describe, expect, it, vi } from "vitest"
import { CodecError } from "../../../src/core/errors.js"
import { withResolvers } from "../../../src/wire/message-iterator.js"
import { connectedPair } from "../../support/connected-pair.js"

const range = (count: number, from = 1) => Array.from({ length: count }, (_, i) => from + i)

/** A pair whose listener works on a message until it is told to finish. */
function withBusyListener(options = {}) {
  const pair = connectedPair<number, unknown>(options)
  const begun: number[] = []
  const work = new Map<number, ReturnType<typeof withResolvers<void>>>()
  pair.connection.on("message", ({ data }) => {
    begun.push(data)
    const job = withResolvers<void>()
    work.set(data, job)
    return job.promise
  })
  const finish = async (...messages: number[]) => {
    for (const message of messages) work.get(message)?.resolve()
    await pair.turn()
  }
  const fail = async (message: number, error: Error) => {
    work.get(message)?.reject(error)
    await pair.turn()
  }
  return { ...pair, begun, finish, fail }
}

describe("S5 messages before the first listener", () => {
  it("are kept in order, and handed on when it comes", async () => {
    const { connection, receive, turn } = connectedPair()
    await receive(1, 2, 3)
    const messages: unknown[] = []
    connection.on("message", ({ data }) => messages.push(data))
    expect(messages).toEqual([])
    await turn()
    await receive(4)
    expect(messages).toEqual([1, 2, 3, 4])
  })

  it("go to everyone who listens by the end of the turn", async () => {
    const { connection, receive, turn } = connectedPair()
    await receive(1)
    const [first, second] = [vi.fn(), vi.fn()]
    connection.on("message", first)
    connection.on("message", second)
    await turn()
    expect(first).toHaveBeenCalledExactlyOnceWith({ data: 1 })
    expect(second).toHaveBeenCalledExactlyOnceWith({ data: 1 })
  })

  it("go to once-listeners one by one", async () => {
    const { connection, receive, turn } = connectedPair()
    await receive(1, 2, 3)
    for (const expected of [1, 2, 3]) {
      const listener = vi.fn()
      connection.once("message", listener)
      await turn()
      expect(listener).toHaveBeenCalledExactlyOnceWith({ data: expected })
    }
  })

  it("stop the reading when 16 wait, and not before", async () => {
    const { connection, receive, turn } = connectedPair()
    await receive(...range(15))
    expect(connection.isReadingPaused).toBe(false)
    await receive(...range(5, 16))
    expect(connection.isReadingPaused).toBe(true)
    expect(connection.messagesIn).toBe(16)
    const messages: unknown[] = []
    connection.on("message", ({ data }) => messages.push(data))
    await turn()
    expect(messages).toEqual(range(20))
    expect(connection.isReadingPaused).toBe(false)
  })

  it("are discarded when nobody comes for 10 s, so that the end of the connection is seen", async () => {
    const { clock, connection, logger, peer, receive, turn } = connectedPair()
    await receive(...range(20))
    await clock.advance(9_999)
    expect(connection.isReadingPaused).toBe(true)
    await clock.advance(1)
    expect(connection.isReadingPaused).toBe(false)
    expect(logger.lines).toMatchObject([{ level: "warn", fields: { connectionId: connection.id } }])
    peer.close(1000)
    await turn()
    expect(connection.state).toBe("closed")
    expect(clock.pending).toBe(0)
  })

  it("are still handed on when the connection has ended meanwhile", async () => {
    const { connection, peer, receive, turn } = connectedPair()
    await receive(1, 2)
    peer.close(1000)
    await turn()
    expect(connection.state).toBe("closed")
    const messages: unknown[] = []
    connection.on("message", ({ data }) => messages.push(data))
    await turn()
    expect(messages).toEqual([1, 2])
  })
})

describe("S5 async listeners", () => {
  it("have 16 messages in flight; then reading stops until one is done", async () => {
    const { connection, begun, finish, receive } = withBusyListener()
    await receive(...range(15))
    expect(connection.isReadingPaused).toBe(false)
    await receive(...range(15, 16))
    expect(begun).toEqual(range(16))
    expect(connection.isReadingPaused).toBe(true)
    await finish(7)
    expect(begun).toEqual(range(17))
    await finish(...range(17))
    expect(begun).toEqual(range(30))
    expect(connection.isReadingPaused).toBe(false)
  })

  it("have as many in flight as concurrency says", async () => {
    const { begun, finish, receive } = withBusyListener({ concurrency: 1 })
    await receive(1, 2, 3)
    expect(begun).toEqual([1])
    await finish(1)
    expect(begun).toEqual([1, 2])
    await finish(2)
    expect(begun).toEqual([1, 2, 3])
  })

  it("make room by failing, too, which is an error event", async () => {
    const { connection, begun, fail, receive, errors } = withBusyListener({ concurrency: 1 })
    await receive(1, 2)
    const failure = new Error("handler failed")
    await fail(1, failure)
    expect(begun).toEqual([1, 2])
    expect(errors).toEqual([{ error: failure, stage: "listener" }])
    expect(connection.state).toBe("open")
  })

  it("that left do not stop the reading for ever", async () => {
    const { connection, receive, turn } = connectedPair<number, unknown>({ concurrency: 1 })
    const job = withResolvers<void>()
    const leave = connection.on("message", () => job.promise)
    await receive(1)
    expect(connection.isReadingPaused).toBe(true)
    leave()
    job.resolve()
    await turn()
    const later = vi.fn()
    connection.on("message", later)
    await receive(2)
    expect(later).toHaveBeenCalledExactlyOnceWith({ data: 2 })
  })

  it("keep what waits for them when the connection ends", async () => {
    const { connection, begun, finish, receive, peer, turn } = withBusyListener({ concurrency: 1 })
    await receive(1)
    peer.terminate()
    await turn()
    await finish(1)
    expect(begun).toEqual([1])
    expect(connection.state).toBe("closed")
  })
})

describe("S5 a listener that throws", () => {
  it("is an error event with stage listener; other listeners, the connection and later messages live on", async () => {
    const { connection, receive, errors } = connectedPair()
    const failure = new Error("listener failed")
    const others = vi.fn()
    connection.on("message", () => {
      throw failure
    })
    connection.on("message", others)
    await receive(1, 2)
    expect(others).toHaveBeenCalledTimes(2)
    expect(errors).toEqual([
      { error: failure, stage: "listener" },
      { error: failure, stage: "listener" },
    ])
    expect(connection.state).toBe("open")
  })
})

describe("S6 a message that cannot be decoded", () => {
  it("is an error event with stage decode, and neither a crash nor a disconnect", async () => {
    const { connection, peer, receive, errors, received, turn } = connectedPair()
    const messages: unknown[] = []
    connection.on("message", ({ data }) => messages.push(data))
    peer.send("{")
    peer.send(new Uint8Array([1]))
    await turn()
    await receive("fine")
    expect(errors).toEqual([
      { stage: "decode", error: expect.objectContaining({ code: "DECODE_FAILED", preview: "{" }) },
      { stage: "decode", error: expect.objectContaining({ code: "DECODE_FAILED", preview: "01" }) },
    ])
    expect(messages).toEqual(["fine"])
    expect(received).toEqual([])
    expect(connection.state).toBe("open")
  })

  it("is answered where the application wants it", async () => {
    const onDecodeError = (error: CodecError) => (error.preview === "?" ? undefined : { bad: error.preview })
    const { peer, received, turn } = connectedPair<unknown, unknown>({ onDecodeError })
    peer.send("{")
    peer.send("?")
    await turn()
    expect(received).toEqual(['{"bad":"{"}'])
  })

  it("is an error of this library even when the codec throws another", async () => {
    const cause = new Error("from the codec")
    const codec = {
      encode: String,
      decode() {
        throw cause
      },
    }
    const { peer, errors, turn } = connectedPair({ codec })
    peer.send("x")
    await turn()
    expect(errors).toEqual([{ stage: "decode", error: expect.any(CodecError) }])
    expect(errors[0]?.error).toMatchObject({ code: "DECODE_FAILED", cause })
  })

  it.each([
    [
      "cannot be made",
      () => {
        throw new Error("no reply")
      },
    ],
    ["cannot be encoded", () => 1n],
  ])("does no harm when its answer %s", async (_, onDecodeError) => {
    const { connection, peer, errors, receive, turn } = connectedPair<unknown, unknown>({ onDecodeError })
    const messages: unknown[] = []
    connection.on("message", ({ data }) => messages.push(data))
    peer.send("{")
    await turn()
    await receive("fine")
    expect(errors).toMatchObject([{ stage: "decode" }, { stage: "listener" }])
    expect(messages).toEqual(["fine"])
  })
})
