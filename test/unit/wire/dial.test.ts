import { dial, text } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it, vi } from "vitest"
import { FakeNetwork, type Make } from "../../support/client-network.js"
import { outcomeOf } from "../../support/pool-fake.js"
import { StubSocket } from "../../support/stub-socket.js"

vi.mock("isomorphic-ws", () => ({ default: null }))

const MAKES: readonly Make[] = ["browser", "node22", "node24", "frames"]
const bug = new Error("a bug in a callback")

function world(make: Make = "frames") {
  const clock = new VirtualClock()
  const network = new FakeNetwork(clock, make)
  const options = { codec: text(), clock, WebSocket: network.WebSocket, logger: false } as const
  return { clock, network, options }
}

describe("dial", () => {
  it.each(MAKES)("C40 %s: resolves with an open connection that has missed nothing", async (make) => {
    const { clock, network, options } = world(make)
    network.onDial = (socket) => {
      socket.accept("v2")
      socket.deliver("welcome")
    }
    const outcome = outcomeOf(dial("ws://far.example/", { ...options, protocols: ["v1", "v2"] }))
    await clock.advance(0)
    const connection = outcome.value
    expect([connection?.state, connection?.protocol]).toEqual(["open", "v2"])
    const heard: string[] = []
    connection?.on("message", ({ data }) => heard.push(data))
    connection?.send("hello")
    await clock.advance(20_000)
    expect([heard, network.received]).toEqual([["welcome"], ["hello"]])
    expect(network.last.protocols).toEqual(["v1", "v2"])
    void connection?.close()
    await clock.advance(1)
    expect([network.last.listenerCount, clock.pending]).toEqual([0, 0])
  })

  it("C40 asks for address, subprotocols and headers at once", async () => {
    const { clock, network, options } = world()
    const asked: number[] = []
    const ask =
      <T>(answer: T) =>
      async ({ attempt, signal }: { readonly attempt: number; readonly signal: AbortSignal }) => {
        asked.push(attempt)
        expect(signal.aborted).toBe(false)
        return answer
      }
    const outcome = outcomeOf(
      dial(ask(new URL("ws://far.example/x")), {
        ...options,
        protocols: ask(["v1"]),
        node: { headers: ask({ "X-Token": "t" }), perMessageDeflate: false },
      }),
    )
    await clock.advance(0)
    expect(outcome.value?.state).toBe("open")
    expect(asked).toEqual([0, 0, 0])
    expect(network.last).toMatchObject({
      url: "ws://far.example/x",
      protocols: ["v1"],
      options: { headers: { "X-Token": "t" }, perMessageDeflate: false },
    })
  })

  it.each(MAKES)("C40 %s: rejects with CONNECT_FAILED when it is turned away", async (make) => {
    const { clock, network, options } = world(make)
    network.onDial = (socket) => socket.refuse()
    const outcome = outcomeOf(dial("ws://far.example/", options))
    await clock.advance(0)
    expect(outcome.error).toMatchObject({ name: "ConnectError", code: "CONNECT_FAILED" })
    expect([network.last.listenerCount, clock.pending]).toEqual([0, 0])
  })

  it("C40 rejects when the connection closes without an error before it is open", async () => {
    const { clock, network, options } = world()
    network.onDial = (socket) => socket.end(1006)
    const outcome = outcomeOf(dial("ws://far.example/", options))
    await clock.advance(0)
    expect(outcome.error).toMatchObject({
      code: "CONNECT_FAILED",
      message: "the connection ended with 1006 before it was ready",
    })
  })

  it.each(MAKES)("C40 %s: rejects with CONNECT_TIMEOUT, and lets go of the socket", async (make) => {
    const { clock, network, options } = world(make)
    network.onDial = () => {}
    const outcome = outcomeOf(dial("ws://far.example/", { ...options, connectTimeoutMs: 500 }))
    await clock.advance(499)
    expect(outcome.isSettled).toBe(false)
    await clock.advance(1)
    expect(outcome.error).toMatchObject({ code: "CONNECT_TIMEOUT", message: "not open within 500 ms" })
    expect([network.live, network.last.listenerCount, clock.pending]).toEqual([[], 0, 0])
    network.last.accept()
    await clock.advance(1)
    expect(network.live).toEqual([])
  })

  it("C40 covers an address that never comes with the same timeout, and dials nothing when it comes late", async () => {
    const { clock, network, options } = world()
    let answer: (url: string) => void = () => {}
    const signals: AbortSignal[] = []
    const url = ({ signal }: { readonly signal: AbortSignal }) => {
      signals.push(signal)
      return new Promise<string>((resolve) => {
        answer = resolve
      })
    }
    const outcome = outcomeOf(dial(url, options))
    await clock.advance(10_000)
    expect(outcome.error).toMatchObject({ code: "CONNECT_TIMEOUT" })
    expect(signals[0]?.reason).toBe(outcome.error)
    answer("ws://far.example/")
    await clock.advance(10_000)
    expect(network.sockets).toEqual([])
  })

  it.each([
    ["throws", () => Promise.reject(bug)],
    [
      "throws at once",
      () => {
        throw bug
      },
    ],
  ])("C40 tells of a url function that %s", async (_, url) => {
    const { clock, options } = world()
    const outcome = outcomeOf(dial(url, options))
    await clock.advance(0)
    expect(outcome.error).toMatchObject({
      code: "CONNECT_FAILED",
      message: "connect failed: a bug in a callback",
      cause: bug,
    })
    expect(clock.pending).toBe(0)
  })

  it("C40 tells an address that is wrong for good from one that may be right the next time", async () => {
    const { clock, options } = world()
    const fixed = outcomeOf(dial("http://far.example/", options))
    const asked = outcomeOf(dial(() => "http://far.example/", options))
    await clock.advance(0)
    expect(fixed.error).toMatchObject({ code: "INVALID_ADDRESS" })
    expect(asked.error).toMatchObject({ code: "CONNECT_FAILED" })
    expect((fixed.error as Error).message).toContain('cannot dial "http://far.example/"')
  })

  it("C40 says that there is no WebSocket", async () => {
    vi.stubGlobal("WebSocket", undefined)
    await expect(dial("ws://far.example/")).rejects.toMatchObject({ code: "NO_WEBSOCKET" })
  })

  it("C40 is called off by its signal, and an open connection does not hear it", async () => {
    const { clock, network, options } = world()
    network.onDial = () => {}
    const abort = new AbortController()
    const outcome = outcomeOf(dial("ws://far.example/", { ...options, signal: abort.signal }))
    await clock.advance(0)
    abort.abort("enough")
    await clock.advance(0)
    expect(outcome.error).toMatchObject({ code: "ABORTED", cause: "enough" })
    expect([network.live, clock.pending]).toEqual([[], 0])
    const before = outcomeOf(dial("ws://far.example/", { ...options, signal: abort.signal }))
    await clock.advance(0)
    expect(before.error).toMatchObject({ code: "ABORTED" })
    expect(network.sockets).toHaveLength(1)

    network.onDial = (socket) => socket.accept()
    const late = new AbortController()
    const open = outcomeOf(dial("ws://far.example/", { ...options, signal: late.signal }))
    await clock.advance(0)
    late.abort()
    await clock.advance(0)
    expect(open.value?.state).toBe("open")
  })

  it("C40 leaves no listener on the signal, however it ends", async () => {
    const { clock, network, options } = world()
    const { signal } = new AbortController()
    const add = vi.spyOn(signal, "addEventListener")
    const remove = vi.spyOn(signal, "removeEventListener")
    network.onDial = (socket) => (network.sockets.length === 1 ? socket.accept() : socket.refuse())
    for (let i = 0; i < 2; i += 1) outcomeOf(dial("ws://far.example/", { ...options, signal }))
    await clock.advance(0)
    expect(add.mock.calls.map(([type, listener]) => [type, listener])).toHaveLength(2)
    expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(
      add.mock.calls.map(([, listener]) => listener),
    )
  })

  it("C40 reads the refusal where the socket tells of it", async () => {
    const clock = new VirtualClock()
    const socket = new StubSocket()
    socket.readyState = 0
    const WebSocket = class {
      constructor() {
        // biome-ignore lint/correctness/noConstructorReturn: a test needs the socket itself, not a wrapper
        return socket
      }
    } as never
    const outcome = outcomeOf(dial("ws://far.example/", { clock, WebSocket }))
    await clock.advance(0)
    const response = { statusCode: 503, headers: { "retry-after": "7" }, resume: () => {} }
    socket.emit("unexpected-response", {}, response)
    // `ws` tells of the end that we have made
    socket.emit("error", new Error("closed before it was established"))
    await clock.advance(0)
    expect(outcome.error).toMatchObject({ code: "CONNECT_FAILED", status: 503, retryAfterMs: 7_000 })
    expect(socket.readyState).toBe(3)
  })

  it.each([
    [{ connectTimeoutMs: 0 }, "dial.connectTimeoutMs must be"],
    [{ signal: {} }, "dial.signal must be an AbortSignal"],
    [{ codec: 7 }, "dial.codec must be a codec"],
    [{ heartbeat: {} }, 'received "heartbeat"'],
    [null, "dial must be an object"],
  ])("C40 checks its options: %o", async (options, message) => {
    await expect(dial("ws://far.example/", options as never)).rejects.toThrow(message)
  })
})

describe("a constructor of sockets that calls back", () => {
  it.each(MAKES)("C40 %s: leaves no socket behind when the dial is aborted within", async (make) => {
    const { clock, network, options } = world(make)
    const abort = new AbortController()
    class Aborting {
      constructor(url: string) {
        const socket = new network.WebSocket(url)
        abort.abort()
        // biome-ignore lint/correctness/noConstructorReturn: a test needs the socket itself, not a wrapper
        return socket
      }
    }
    const outcome = outcomeOf(
      dial("ws://far.example/", { ...options, WebSocket: Aborting as never, signal: abort.signal }),
    )
    await clock.advance(20_000)
    expect(outcome.error).toMatchObject({ code: "ABORTED" })
    expect([network.last.listenerCount, clock.pending, network.live.length]).toEqual([0, 0, 0])
  })
})
