import { describe, expect, it, vi } from "vitest"
import { type FakeSocket, type SocketPairOptions, socketPair } from "../../../src/testing/socket-pair.js"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"

function record(socket: FakeSocket) {
  const log: string[] = []
  const note = (type: string, show: (event: never) => unknown) =>
    socket.addEventListener(type, (event) => log.push(`${type} ${show(event as never)}`))
  note("message", ({ data }: { data: string | ArrayBuffer }) =>
    typeof data === "string" ? data : `[${[...new Uint8Array(data)]}]`,
  )
  note("ping", ({ data }: { data: ArrayBuffer }) => Buffer.from(data))
  note("pong", ({ data }: { data: ArrayBuffer }) => Buffer.from(data))
  note("close", ({ code, reason, wasClean }: CloseEvent) => `${code} ${reason} ${wasClean}`)
  note("error", ({ error }: { error: Error }) => error.message)
  return log
}

function setUp(options: SocketPairOptions = {}) {
  const clock = new VirtualClock()
  const [near, far] = socketPair({ clock, latencyMs: 10, ...options })
  return { clock, near, far, nearLog: record(near), farLog: record(far) }
}

describe("K1: socketPair", () => {
  it("is open on both ends, with the protocol that was asked for", () => {
    const { near, far } = setUp({ protocol: "chat.v1" })
    for (const end of [near, far])
      expect(end).toMatchObject({ readyState: 1, protocol: "chat.v1", bufferedAmount: 0 })
  })

  it("carries messages in order, after the latency", async () => {
    const { clock, near, farLog } = setUp()
    near.send("a")
    near.send(new Uint8Array([1, 2]))
    near.send("b")
    await clock.advance(9)
    expect(farLog).toEqual([])
    await clock.advance(1)
    expect(farLog).toEqual(["message a", "message [1,2]", "message b"])
    expect(near.sent).toEqual(["a", new Uint8Array([1, 2]), "b"])
  })

  it("never delivers within the same synchronous code", async () => {
    const { clock, near, farLog } = setUp({ latencyMs: 0 })
    near.send("a")
    expect(farLog).toEqual([])
    await clock.advance(0)
    expect(farLog).toEqual(["message a"])
  })

  it("carries what was sent, whatever the sender does to its bytes later, and no byte beside it", async () => {
    const { clock, near, farLog } = setUp()
    const pooled = Buffer.from([1, 2, 3])
    near.send(pooled)
    pooled.fill(9)
    await clock.advance(10)
    expect(farLog).toEqual(["message [1,2,3]"])
  })

  it("counts what has not left in bytes of UTF-8", async () => {
    const { clock, near } = setUp()
    near.send("€")
    near.send(new Uint8Array(5))
    expect(near.bufferedAmount).toBe(8)
    await clock.advance(10)
    expect(near.bufferedAmount).toBe(0)
  })

  it("answers pings by itself, with their payload", async () => {
    const { clock, near, nearLog, farLog } = setUp()
    near.ping("x")
    await clock.advance(10)
    expect(farLog).toEqual(["ping x"])
    expect(nearLog).toEqual([])
    await clock.advance(10)
    expect(nearLog).toEqual(["pong x"])
  })

  it("closes with a handshake: what was sent before arrives, and both ends hear the code", async () => {
    const { clock, near, far, nearLog, farLog } = setUp()
    near.send("last")
    near.close(1012, "restart")
    near.send("too late")
    expect(near.readyState).toBe(2)
    await clock.advance(10)
    expect(farLog).toEqual(["message last", "close 1012 restart true"])
    expect(nearLog).toEqual([])
    await clock.advance(10)
    expect(nearLog).toEqual(["close 1012 restart true"])
    expect([near.readyState, far.readyState]).toEqual([3, 3])
  })

  it("ends both ends once when both close at the same time", async () => {
    const { clock, near, far, nearLog, farLog } = setUp()
    near.close(1000)
    far.close(1001)
    await clock.advance(100)
    expect(nearLog).toEqual(["close 1001  true"])
    expect(farLog).toEqual(["close 1000  true"])
  })

  it("reports 1005 for a close without a code", async () => {
    const { clock, near, farLog } = setUp()
    near.close()
    await clock.advance(20)
    expect(farLog).toEqual(["close 1005  true"])
  })

  it("ends at once when terminated; the other end hears 1006 later", async () => {
    const { clock, near, nearLog, farLog } = setUp()
    near.terminate()
    near.terminate()
    expect(nearLog).toEqual(["close 1006  false"])
    expect(farLog).toEqual([])
    await clock.advance(10)
    expect(farLog).toEqual(["close 1006  false"])
  })

  it("stops listening", async () => {
    const { clock, near, far } = setUp()
    const listener = vi.fn()
    far.addEventListener("message", listener)
    far.removeEventListener("message", listener)
    near.send("a")
    await clock.advance(10)
    expect(listener).not.toHaveBeenCalled()
  })

  it("runs on the platform's clock by default", async () => {
    const [near, far] = socketPair()
    const arrived = new Promise((resolve) => far.addEventListener("message", resolve))
    near.send("a")
    expect(await arrived).toEqual({ data: "a" })
  })
})

describe("K1: socketPair with faults", () => {
  it("reads nothing while paused, and everything in order afterwards", async () => {
    const { clock, near, far, farLog } = setUp()
    far.pause()
    near.send("a")
    near.ping("p")
    near.close(1000)
    await clock.advance(100)
    expect(farLog).toEqual([])
    expect(near.readyState).toBe(2)
    far.resume()
    expect(farLog).toEqual(["message a", "ping p", "close 1000  true"])
  })

  it("does not see the end of its own closing handshake while paused", async () => {
    const { clock, near, nearLog } = setUp()
    near.pause()
    near.close(1000)
    await clock.advance(100)
    expect(near.readyState).toBe(2)
    near.resume()
    expect(nearLog).toEqual(["close 1000  true"])
  })

  it("reads on only as far as the next pause", async () => {
    const { clock, near, far, farLog } = setUp()
    far.addEventListener("message", () => far.pause())
    for (const message of ["a", "b", "c"]) near.send(message)
    await clock.advance(10)
    expect(farLog).toEqual(["message a"])
    far.resume()
    expect(farLog).toEqual(["message a", "message b"])
  })

  it("is not brought back to life by what it had not read", async () => {
    const { clock, near, far, farLog } = setUp()
    far.pause()
    near.send("a")
    near.close(1000)
    await clock.advance(10)
    far.terminate()
    far.resume()
    await clock.advance(100)
    expect(far.readyState).toBe(3)
    expect(farLog).toEqual(["close 1006  false"])
  })

  it("holds back what a stalled end sends, and counts it", async () => {
    const { clock, near, farLog } = setUp()
    near.stall()
    near.send("a")
    near.send("b")
    near.close(1000)
    await clock.advance(1_000)
    expect(near.bufferedAmount).toBe(2)
    expect(farLog).toEqual([])
    near.unstall()
    await clock.advance(10)
    expect(near.bufferedAmount).toBe(0)
    expect(farLog).toEqual(["message a", "message b", "close 1000  true"])
  })

  it("swallows everything in a black hole, both ways, and tells nobody", async () => {
    const { clock, near, far, nearLog, farLog } = setUp()
    near.blackHole()
    near.send("a")
    far.send("b")
    near.ping()
    near.close(1000)
    await clock.advance(10_000)
    expect([nearLog, farLog]).toEqual([[], []])
    near.terminate()
    await clock.advance(10_000)
    expect(nearLog).toEqual(["close 1006  false"])
    expect(far.readyState).toBe(1)
  })

  it("fails at both ends at once when reset", async () => {
    const { clock, near, nearLog, farLog } = setUp()
    near.send("lost")
    near.reset()
    expect(nearLog).toEqual(["error ECONNRESET", "close 1006  false"])
    expect(farLog).toEqual(nearLog)
    await clock.advance(100)
    expect(farLog).toHaveLength(2)
  })
})
