import { describe, expect, it, vi } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import { guardReceiver } from "../../../src/wire/receiver-guard.js"
import type { SocketLike } from "../../../src/wire/socket.js"
import { MemoryStream, requestInMemory } from "../../support/memory-upgrade.js"
import { StubSocket } from "../../support/stub-socket.js"

/** A socket whose reader has these private members. */
function socketWith(receiver: object | undefined, extensions = "permessage-deflate"): SocketLike {
  return Object.assign(new StubSocket(), { extensions, _receiver: receiver })
}

describe("the guard before the frame reader of ws", () => {
  it("hands on what comes before a breach, and takes what comes behind one without reading it", () => {
    const write = vi.fn()
    const receiver = { _errored: false, _allowSynchronousEvents: true, _write: write }
    guardReceiver(socketWith(receiver))
    const [before, behind] = [vi.fn(), vi.fn()]
    receiver._write("one", "buffer", before)
    receiver._errored = true
    receiver._write("two", "buffer", behind)
    expect(write.mock.calls).toEqual([["one", "buffer", before]])
    expect(write.mock.contexts).toEqual([receiver])
    expect(behind.mock.calls).toEqual([[]])
  })

  it.each([
    ["no reader", undefined],
    ["a reader that does not say whether it found a breach", { _write: () => {} }],
    ["one that says so in another way", { _write: () => {}, _errored: () => false }],
    ["one that is written to in another way", { _errored: false }],
  ])("leaves alone a socket with %s", (_what, receiver) => {
    const before = { ...receiver }
    expect(() => guardReceiver(socketWith(receiver))).not.toThrow()
    expect({ ...receiver }).toEqual(before)
  })

  it("costs nothing where the reader never waits", () => {
    const receiver = { _errored: false, _allowSynchronousEvents: true, _write: () => {} }
    const before = { ...receiver }
    guardReceiver(socketWith(receiver, ""))
    expect({ ...receiver }).toEqual(before)
  })

  // the range of package.json begins with the version that is installed: nothing older may be
  it.each([
    ["inflates", { perMessageDeflate: true }, { "sec-websocket-extensions": "permessage-deflate" }],
    ["lets events wait", { allowSynchronousEvents: false }, {}],
  ])("finds what it needs in the ws that is installed, when that %s", (_what, options, headers) => {
    const stream = new MemoryStream()
    const wss = new WebSocketServer({ noServer: true, ...options })
    const added = vi.fn<(socket: WebSocket) => void>()
    wss.handleUpgrade(requestInMemory(stream, headers), stream, Buffer.alloc(0), added)
    const [socket] = added.mock.lastCall ?? []
    guardReceiver(socket as SocketLike)
    const { _receiver: receiver } = socket as unknown as { _receiver: object }
    expect(Object.hasOwn(receiver, "_write")).toBe(true)
    socket?.terminate()
  })

  it("has nothing to guard in a client that is still connecting", () => {
    const socket = new WebSocket("ws://127.0.0.1:1")
    socket.on("error", () => {})
    expect(() => guardReceiver(socket as SocketLike)).not.toThrow()
    socket.terminate()
  })
})
