import { describe, expect, it, vi } from "vitest"
import { socketPair } from "../../../src/testing/socket-pair.js"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import {
  closeSocket,
  findWebSocket,
  listen,
  type SocketEvents,
  type SocketLike,
  terminate,
} from "../../../src/wire/socket.js"
import { StubSocket } from "../../support/stub-socket.js"

function recorder() {
  const log: unknown[][] = []
  const note =
    (type: string) =>
    (...args: unknown[]) =>
      void log.push([type, ...args])
  const events: SocketEvents = {
    open: note("open"),
    message: note("message"),
    ping: note("ping"),
    pong: note("pong"),
    close: note("close"),
    error: note("error"),
  }
  return { log, events }
}

describe("listen() to a socket of Node's style", () => {
  it("reports everything with plain values", () => {
    const { log, events } = recorder()
    const socket = new StubSocket()
    const error = new Error("broken")
    listen(socket, events)
    socket.emit("open")
    socket.emit("message", Buffer.from("text"), false)
    socket.emit("message", Buffer.from([1]), true)
    socket.emit("message", new Uint8Array([2]).buffer, true)
    socket.emit("ping", Buffer.from(""))
    socket.emit("pong", Buffer.from("7"))
    socket.emit("error", error)
    socket.emit("close", 1000, Buffer.from("bye"))
    expect(log).toEqual([
      ["open"],
      ["message", Buffer.from("text"), true],
      ["message", Buffer.from([1]), false],
      ["message", new Uint8Array([2]), false],
      ["ping"],
      ["pong", "7"],
      ["error", error],
      ["close", 1000, "bye"],
    ])
  })

  it("reports nothing after the undo, and still catches errors", () => {
    const { log, events } = recorder()
    const socket = new StubSocket()
    const stop = listen(socket, events)
    stop()
    socket.emit("message", Buffer.from("text"), false)
    socket.emit("close", 1000, Buffer.from(""))
    expect(() => socket.emit("error", new Error("closed before it was open"))).not.toThrow()
    expect(log).toEqual([])
  })

  it("shows the status and headers of a refusal", () => {
    const refused = vi.fn()
    const socket = new StubSocket()
    listen(socket, { ...recorder().events, refused })
    const resume = vi.fn()
    const headers = { "retry-after": "5", "set-cookie": ["a", "b"] }
    socket.emit("unexpected-response", {}, { statusCode: 503, headers, resume })
    expect(refused).toHaveBeenCalledExactlyOnceWith(503, expect.any(Function))
    const [, header] = refused.mock.calls[0] as [number, (name: string) => string | undefined]
    expect(["retry-after", "set-cookie", "none"].map(header)).toEqual(["5", "a", undefined])
    expect(resume).toHaveBeenCalledOnce()
  })

  it("leaves a refusal to the socket where nobody asks for it", () => {
    const socket = new StubSocket()
    listen(socket, recorder().events)
    expect(socket.listenerCount("unexpected-response")).toBe(0)
  })
})

describe("listen() to a socket of the platform's style", () => {
  it("reports everything with plain values", async () => {
    const { log, events } = recorder()
    const clock = new VirtualClock()
    const [socket, peer] = socketPair({ clock })
    listen(socket, events)
    expect(socket.binaryType).toBe("arraybuffer")
    peer.send("text")
    peer.send(new Uint8Array([1, 2]))
    peer.ping("p")
    socket.ping("7")
    await clock.advance(0)
    peer.close(4000, "bye")
    await clock.advance(0)
    expect(log).toEqual([
      ["message", "text", true],
      ["message", new Uint8Array([1, 2]), false],
      ["ping"],
      ["pong", "7"],
      ["close", 4000, "bye"],
    ])
  })

  it("reports the error inside the event, or the event where there is none", () => {
    const { log, events } = recorder()
    const target = new EventTarget()
    listen(target as unknown as SocketLike, events)
    const error = new Error("broken")
    const event = new Event("error")
    target.dispatchEvent(Object.assign(new Event("error"), { error }))
    target.dispatchEvent(event)
    expect(log).toEqual([
      ["error", error],
      ["error", event],
    ])
  })

  it("reports 1006 where there was no close frame, also for a platform that says 0", () => {
    const { log, events } = recorder()
    const target = new EventTarget()
    listen(target as unknown as SocketLike, events)
    target.dispatchEvent(Object.assign(new Event("close"), { code: 0, reason: "" }))
    expect(log).toEqual([["close", 1006, ""]])
  })

  it("reports nothing after the undo", async () => {
    const { log, events } = recorder()
    const clock = new VirtualClock()
    const [socket, peer] = socketPair({ clock })
    listen(socket, events)()
    peer.send("text")
    peer.close(1000)
    await clock.advance(0)
    expect(log).toEqual([])
  })
})

describe("closeSocket()", () => {
  const socketThat = (close: (code?: number) => void) => {
    const spy = vi.fn(close)
    return { socket: { close: spy } as unknown as SocketLike, spy }
  }

  it("passes a code and a reason on", () => {
    const { socket, spy } = socketThat(() => {})
    closeSocket(socket, 1012, "restart")
    expect(spy).toHaveBeenCalledExactlyOnceWith(1012, "restart")
  })

  it.each([undefined, 1005, 1006, 1015, 70_000])("closes without a code where %s cannot be sent", (code) => {
    const { socket, spy } = socketThat(() => {})
    closeSocket(socket, code, "reason")
    expect(spy).toHaveBeenCalledExactlyOnceWith()
  })

  it("closes without a code where this socket may not send it, as in browsers", () => {
    const { socket, spy } = socketThat((code) => {
      if (code !== undefined && code !== 1000 && code < 3000) throw new DOMException("", "InvalidAccessError")
    })
    closeSocket(socket, 1012, "restart")
    expect(spy.mock.calls).toEqual([[1012, "restart"], []])
  })
})

describe("terminate()", () => {
  it("ends a socket at once where it can, and closes it otherwise", () => {
    const hard = { terminate: vi.fn(), close: vi.fn() }
    const soft = { close: vi.fn() }
    terminate(hard as unknown as SocketLike)
    terminate(soft as unknown as SocketLike)
    expect(hard.terminate).toHaveBeenCalledOnce()
    expect(hard.close).not.toHaveBeenCalled()
    expect(soft.close).toHaveBeenCalledOnce()
  })
})

describe("findWebSocket()", () => {
  it("prefers the one given, and finds one in Node", () => {
    const given = class {} as never
    expect(findWebSocket(given)).toBe(given)
    expect(findWebSocket()).toBeTypeOf("function")
  })
})
