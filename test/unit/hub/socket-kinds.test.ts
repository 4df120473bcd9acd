import { binary, createHub, memoryAdapter, type SocketLike } from "holdfast"
import { socketPair, VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { rawStream } from "../../../src/hub/raw-stream.js"
import { addPeer, stubHub } from "../../support/stub-hub.js"
import { decodeFrames, StubSocket, StubStream } from "../../support/stub-socket.js"

describe("a hub over sockets whose stream is not at hand", () => {
  it("sends through the socket's own send, in order, encoded once", async () => {
    const { hub, flush } = stubHub()
    const sockets = [new StubSocket(), new StubSocket()]
    for (const socket of sockets) void hub.add(socket).join("r")
    hub.to("r").send("one")
    hub.broadcast("two")
    await flush()
    for (const { sent } of sockets) expect(sent).toEqual(["one", "two"])
    expect(hub.framesEncoded).toBe(0)
  })

  it("works with sockets of the platform's style as well", async () => {
    const clock = new VirtualClock()
    const { hub } = stubHub({ clock })
    const [near, far] = socketPair({ clock })
    const received: unknown[] = []
    const heard: string[] = []
    far.addEventListener("message", (event) => received.push((event as { data: unknown }).data))
    hub.on("message", ({ data }) => heard.push(data))
    const connection = hub.add(near)
    void connection.join("r")
    far.send("hello")
    hub.to("r").send("hi")
    await clock.advance(1)
    far.close(4000, "bye")
    await clock.advance(1)
    expect([heard, received]).toEqual([["hello"], ["hi"]])
    expect(await connection.closed).toMatchObject({ code: 4000, reason: "bye", cause: "peer" })
    expect([hub.size, hub.members("r").size]).toEqual([0, 0])
  })

  it("copes with an application that closes within connection and close", async () => {
    const { hub, clock } = stubHub()
    const [near] = socketPair({ clock })
    hub.on("connection", ({ connection }) => connection.terminate())
    hub.on("close", ({ connection }) => connection.close())
    const connection = hub.add(near)
    expect([connection.state, hub.size]).toEqual(["closed", 0])
    await clock.advance(60_000)
    expect(clock.pending).toBe(0)
  })
})

describe("the bytes of a message", () => {
  it("are the sender's to change as soon as send has returned", async () => {
    const clock = new VirtualClock()
    const hub = createHub({ codec: binary(), clock })
    const [withStream, without] = [addPeer(hub), hub.add(new StubSocket())]
    const socket = new StubSocket()
    hub.add(socket)
    const bytes = Uint8Array.of(1, 2, 3)
    hub.broadcast(bytes)
    bytes.fill(0)
    await clock.advance(0)
    expect(withStream.received()).toEqual([Buffer.of(1, 2, 3)])
    expect(socket.sent).toEqual([Buffer.of(1, 2, 3)])
    expect(without.messagesOut).toBe(1)
  })
})

describe("the stream of an upgrade request", () => {
  const request = { socket: Object.assign(new StubStream(), { remoteAddress: "192.0.2.1" }) }

  it("is written to where the socket is one of ws", async () => {
    expect(rawStream(new StubSocket(), request)).toBe(request.socket)
    const { hub, flush } = stubHub()
    hub.add(new StubSocket(), { request })
    hub.broadcast("hello")
    await flush()
    expect(decodeFrames(request.socket.writes)).toEqual(["hello"])
  })

  it.each<[string, SocketLike, object | undefined]>([
    ["there is no request", new StubSocket(), undefined],
    ["the request has no socket", new StubSocket(), {}],
    ["its socket is no stream", new StubSocket(), { socket: { remoteAddress: "192.0.2.1" } }],
    ["its socket cannot tell what it holds", new StubSocket(), { socket: { write() {}, once() {} } }],
    ["the WebSocket is of the platform's style", socketPair()[0], request],
    ["the WebSocket cannot be terminated", { ...new StubSocket(), on: () => {} } as never, request],
  ])("is left alone where %s", (_why, socket, given) => {
    expect(rawStream(socket, given)).toBeUndefined()
  })
})

describe("memoryAdapter", () => {
  it("keeps the contract with nobody to talk to", async () => {
    const adapter = memoryAdapter()
    const states: string[] = []
    expect(adapter.health()).toEqual({ state: "down", pendingPublishes: 0, subscriptions: 0 })
    const connect = () =>
      adapter.connect({
        nodeId: "node",
        onMessage: () => states.push("message"),
        onOperation: () => states.push("operation"),
        onGap: () => states.push("gap"),
        onState: (state) => states.push(state),
        logger: console,
        signal: new AbortController().signal,
      })
    await connect()
    await adapter.subscribe(["a", "b", "b"])
    await adapter.unsubscribe(["b", "c"])
    await adapter.publish("a", "payload", { exceptIds: [], exceptChannels: [] })
    await adapter.send("*", "count", new Uint8Array())
    expect(adapter.health()).toEqual({ state: "up", pendingPublishes: 0, subscriptions: 1 })
    await adapter.close({ deadlineMs: 0 })
    await adapter.close({ deadlineMs: 0 })
    expect(adapter.health()).toEqual({ state: "down", pendingPublishes: 0, subscriptions: 0 })
    await connect()
    expect(states).toEqual(["up", "down", "up"])
  })
})
