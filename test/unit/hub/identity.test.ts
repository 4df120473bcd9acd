import { createHub, InvalidOptionError, type UpgradeRequest } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { collectGarbage } from "../../support/garbage.js"
import { addPeer, stubHub } from "../../support/stub-hub.js"
import { StubSocket } from "../../support/stub-socket.js"

describe("S1: hub.add wraps one open socket", () => {
  it("names a connection with 128 random bits of its own", () => {
    const { hub } = stubHub()
    const ids = Array.from({ length: 100 }, () => addPeer(hub).connection.id)
    expect(new Set(ids).size).toBe(100)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
  })

  it("keeps the identity that the caller gives", () => {
    const hub = createHub<unknown, unknown, { name: string }>()
    const data = { name: "Ada" }
    const { connection } = addPeer(hub, {
      id: "c1",
      data,
      params: { ws: "chat" },
      userId: "ada",
      remoteAddress: "::1",
    })
    expect(connection).toMatchObject({
      id: "c1",
      params: { ws: "chat" },
      userId: "ada",
      remoteAddress: "::1",
    })
    expect(connection.data).toBe(data)
    expect(hub.connections.get("c1")).toBe(connection)
  })

  it("takes the address from the upgrade request, unless the caller knows better", () => {
    const { hub } = stubHub()
    const request = { socket: { remoteAddress: "192.0.2.1" } }
    expect(hub.add(new StubSocket(), { request }).remoteAddress).toBe("192.0.2.1")
    expect(hub.add(new StubSocket(), { request, remoteAddress: "198.51.100.7" }).remoteAddress).toBe(
      "198.51.100.7",
    )
    expect(hub.add(new StubSocket(), { request: {} }).remoteAddress).toBeUndefined()
  })

  it("stamps the time and reports the subprotocol of the socket", () => {
    const { hub } = stubHub({ clock: new VirtualClock(1_234) })
    const socket = Object.assign(new StubSocket(), { protocol: "chat.v2" })
    expect(hub.add(socket)).toMatchObject({ connectedAt: 1_234, protocol: "chat.v2", state: "open" })
  })

  it("counts messages and bytes in both directions", async () => {
    const { hub, add, flush } = stubHub()
    const { connection, socket } = add()
    socket.receive("äh")
    connection.send("hello")
    hub.broadcast("all")
    await flush()
    expect(connection).toMatchObject({
      messagesIn: 1,
      bytesIn: 3,
      messagesOut: 2,
      bytesOut: 7 + 5,
      bufferedBytes: 0,
    })
  })

  it("does not retain the upgrade request", async () => {
    const { hub } = stubHub()
    const addWithRequest = () => {
      const request: UpgradeRequest = { socket: { remoteAddress: "192.0.2.1" } }
      hub.add(new StubSocket(), { request })
      return new WeakRef(request)
    }
    const request = addWithRequest()
    await collectGarbage()
    expect(request.deref()).toBeUndefined()
    expect(hub.size).toBe(1)
  })
})

describe("hub.add refuses, and leaves nothing behind", () => {
  it("an id that another connection has, until that one has ended", () => {
    const { hub, add } = stubHub()
    const first = add("c1")
    expect(() => add("c1")).toThrow(
      new InvalidOptionError('hub.add id must be the id of no other connection, received "c1"'),
    )
    expect([...hub.connections.values()]).toEqual([first.connection])
    first.socket.end()
    expect(add("c1").connection.state).toBe("open")
  })

  it.each([0, 2, 3])("a socket whose readyState is %i", (readyState) => {
    const { hub } = stubHub()
    const socket = Object.assign(new StubSocket(), { readyState })
    expect(() => hub.add(socket)).toThrow(
      new InvalidOptionError(`hub.add socket.readyState must be 1 (open), received ${readyState}`),
    )
    expect(socket.eventNames()).toEqual([])
  })

  it.each([
    [{ id: "" }, 'hub.add id must be 1 to 512 bytes of UTF-8, received ""'],
    [{ id: 7 }, "hub.add id must be a string, received 7"],
    [{ userId: "" }, 'hub.add userId must be 1 to 512 bytes of UTF-8, received ""'],
    [{ userId: null }, "hub.add userId must be a string, received null"],
    [
      { userId: "u".repeat(513) },
      `hub.add userId must be 1 to 512 bytes of UTF-8, received "${"u".repeat(80)}…"`,
    ],
  ])("the identity %o", (identity, message) => {
    const { hub } = stubHub()
    const socket = new StubSocket()
    expect(() => hub.add(socket, identity as object)).toThrow(new InvalidOptionError(message))
    expect(hub.size).toBe(0)
    expect(socket.eventNames()).toEqual([])
  })
})
