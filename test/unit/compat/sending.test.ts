import { describe, expect, it, vi } from "vitest"
import { fakeSocket, openSocket } from "../../support/compat-fake.js"

const bytes = (...values: number[]) => Uint8Array.from(values)

/** A Blob that is read when the test says so. */
function slowBlob(value: Uint8Array) {
  let finish: (outcome: ArrayBuffer | Promise<never>) => void = () => {}
  const read = new Promise<ArrayBuffer>((resolve) => {
    finish = resolve
  })
  return {
    blob: { size: value.byteLength, arrayBuffer: () => read },
    finish: () => finish(value.slice().buffer),
    fail: () => finish(Promise.reject(new Error("unreadable"))),
  }
}

describe("C39 send()", () => {
  it("C39 takes text, buffers, views and Blobs, and makes text of the rest, as browsers do", async () => {
    const { socket, network, clock } = await openSocket()
    const whole = bytes(0, 1, 2, 3)
    socket.send("text")
    socket.send(whole.buffer)
    socket.send(whole.subarray(1, 3))
    socket.send(new DataView(whole.buffer, 2))
    socket.send(new Blob([whole]))
    for (const odd of [7, null, { toString: () => "object" }]) socket.send(odd as unknown as string)
    await vi.waitFor(() => expect(socket.bufferedAmount).toBe(0))
    await clock.advance(0)
    expect(network.received).toEqual(["text", whole, bytes(1, 2), bytes(2, 3), whole, "7", "null", "object"])
    socket.close()
  })

  it("C39 never throws: what is sent before the first open, and between two, goes out in order", async () => {
    const { socket, network, clock } = fakeSocket()
    expect(socket.send("1")).toBe(false)
    socket.addEventListener("open", () => expect(socket.send("2")).toBe(true), { once: true })
    await clock.advance(0)
    network.last.cut()
    expect(socket.send("3")).toBe(false)
    await clock.advance(1_000)
    expect(socket.send("4")).toBe(true)
    await clock.advance(0)
    expect(network.received).toEqual(["1", "2", "3", "4"])
    socket.close()
  })

  it("C39 sends bytes as they were at the call", async () => {
    const { socket, network, clock } = fakeSocket()
    const { blob, finish } = slowBlob(bytes(9))
    const mine = bytes(1, 1)
    socket.send(mine)
    socket.send(blob)
    socket.send(mine)
    mine.fill(7)
    finish()
    await clock.advance(0)
    expect(network.received).toEqual([bytes(1, 1), bytes(9), bytes(1, 1)])
    socket.close()
  })

  it("C39 lets nothing wait for a Blob that was taken out of the queue", async () => {
    const { socket, network, clock } = await openSocket()
    const { blob, finish } = slowBlob(bytes(1))
    socket.send(blob)
    socket.send("a")
    expect(socket.drainQueuedMessages()).toEqual([blob, "a"])
    socket.send("b")
    finish()
    await clock.advance(0)
    expect(network.received).toEqual(["b"])
    socket.send(blob)
    socket.send("c")
    await clock.advance(0)
    expect(network.received).toEqual(["b", bytes(1), "c"])
    socket.close()
  })

  it("C39 keeps the order when a Blob of another make sends while it is asked for its bytes", async () => {
    const { socket, network, clock } = await openSocket()
    const blob = {
      size: 1,
      arrayBuffer: async () => {
        socket.send("after")
        return bytes(1).buffer
      },
    }
    socket.send(blob)
    await clock.advance(0)
    expect(network.received).toEqual([bytes(1), "after"])
    socket.close()
  })

  it("C39 keeps the place of a Blob, over a loss too; one that cannot be read is left out", async () => {
    const { socket, network, clock } = await openSocket()
    const [first, second] = [slowBlob(bytes(1)), slowBlob(bytes(2))]
    socket.send(first.blob)
    socket.send("a")
    socket.send(second.blob)
    socket.send("b")
    expect(socket.bufferedAmount).toBe(4)
    second.fail()
    network.last.cut()
    await clock.advance(1_000)
    expect(network.received).toEqual([])
    first.finish()
    await clock.advance(0)
    expect(network.received).toEqual([bytes(1), "a", "b"])
    expect(socket.bufferedAmount).toBe(0)
    socket.close()
  })
})

describe("C39 the queue", () => {
  it("C39 holds maxEnqueuedMessages and drops the newest above it, and says so once; an open socket has no limit", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {})
    const { socket, network, clock } = fakeSocket({ maxEnqueuedMessages: 2 })
    socket.onopen = () => {
      for (const it of ["d", "e", "f"]) socket.send(it)
    }
    for (const it of ["a", "b", "c", "c"]) socket.send(it)
    await clock.advance(0)
    expect(network.received).toEqual(["a", "b", "d", "e", "f"])
    expect(warn).toHaveBeenCalledTimes(1)
    socket.close()
  })

  it("C39 holds nothing with maxEnqueuedMessages 0", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {})
    const { socket, network, clock } = fakeSocket({ maxEnqueuedMessages: 0 })
    socket.send("lost")
    await clock.advance(0)
    socket.send("sent")
    await clock.advance(0)
    expect(network.received).toEqual(["sent"])
    socket.close()
  })

  it.each([
    ["1,024 messages", undefined, "x", 1_024],
    ["1 MiB", undefined, "x".repeat(65_536), 16],
    ["any number, when asked to", Number.POSITIVE_INFINITY, "x".repeat(65_536), 2_000],
  ])("C39 holds %s", (_what, maxEnqueuedMessages, message, held) => {
    vi.spyOn(console, "warn").mockImplementation(() => {})
    const { socket } = fakeSocket({ startClosed: true, maxEnqueuedMessages })
    for (let i = 0; i < 2_000; i += 1) socket.send(message)
    expect(socket.drainQueuedMessages()).toHaveLength(held)
  })

  it("C39 is handed back by drainQueuedMessages(), as it was given", async () => {
    const { socket, network, clock } = fakeSocket()
    const { buffer } = bytes(1)
    const { blob } = slowBlob(bytes(2))
    for (const it of ["a", buffer, blob, "b"]) socket.send(it)
    socket.close()
    expect(socket.drainQueuedMessages()).toEqual(["a", buffer, blob, "b"])
    expect(socket.drainQueuedMessages()).toEqual([])
    socket.reconnect()
    await clock.advance(0)
    expect(network.received).toEqual([])
    socket.close()
  })
})

describe("C39 bufferedAmount", () => {
  it("C39 counts what waits, in UTF-8, and what the socket holds", async () => {
    const { socket, network, clock } = fakeSocket()
    socket.send("ä€")
    socket.send(bytes(1, 2, 3))
    expect(socket.bufferedAmount).toBe(8)
    network.onDial = (it) => {
      it.isStalled = true
      it.accept()
    }
    await clock.advance(0)
    expect(socket.bufferedAmount).toBeGreaterThan(0)
    network.last.drain(100)
    expect(socket.bufferedAmount).toBe(0)
    socket.close()
  })

  it("C39 grows with each send after close(), beyond the queue's limit too, and does not shrink", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {})
    const { socket, clock } = await openSocket({ maxEnqueuedMessages: 2 })
    socket.close()
    const amounts: number[] = []
    for (const it of ["a", "bc", "def", "g"]) {
      socket.send(it)
      amounts.push(socket.bufferedAmount)
      await clock.advance(1_000)
      amounts.push(socket.bufferedAmount)
    }
    expect(amounts).toEqual([1, 1, 3, 3, 6, 6, 7, 7])
  })
})

describe("C39 what calls back, or fails", () => {
  it("C39 sends a detached buffer as an empty message, as browsers do", async () => {
    const { socket, network, clock } = await openSocket()
    const view = bytes(1, 2, 3)
    structuredClone(view.buffer, { transfer: [view.buffer] })
    socket.send(view.buffer)
    socket.send(view)
    socket.send("after")
    await clock.advance(0)
    expect(network.received).toEqual([bytes(), bytes(), "after"])
    socket.close()
  })

  it("C39 loses no event and leaves no socket behind when debugLogger throws", async () => {
    const { socket, network, clock, lines } = fakeSocket({
      debug: true,
      debugLogger: () => {
        throw new Error("a bug in a logger")
      },
    })
    await clock.advance(0)
    expect(lines).toEqual(["open @1"])
    network.last.cut()
    await clock.advance(1_000)
    socket.close()
    await clock.advance(1_000)
    expect(lines).toEqual(["open @1", "close 1006 - unclean @3", "open @1", "close 1000 - clean @3"])
    expect(network.sockets).toHaveLength(2)
    expect([clock.pending, network.live.length]).toEqual([0, 0])
  })

  it.each(["close", "reconnect"] as const)(
    "C39 leaves no second socket behind when debugLogger calls %s() while one is dialled",
    async (way) => {
      let isFirst = true
      const { socket, network, clock } = fakeSocket({
        debug: true,
        debugLogger: (_, said) => {
          if (said !== "connect" || !isFirst) return
          isFirst = false
          socket[way]()
        },
      })
      await clock.advance(2_000)
      expect(network.live).toHaveLength(way === "close" ? 0 : 1)
      expect(network.sockets[0]?.readyState).toBe(3)
      expect(socket.readyState).toBe(way === "close" ? 3 : 1)
      socket.close()
      await clock.advance(2_000)
      expect([clock.pending, network.live.length]).toEqual([0, 0])
    },
  )
})
