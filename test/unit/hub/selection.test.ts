import { CodecError, InvalidOptionError, json } from "holdfast"
import { describe, expect, it } from "vitest"
import { addPeer, type StubPeer, stubHub } from "../../support/stub-hub.js"

/** Three connections: `a` in r1, `b` in r1 and r2, `c` in r2. */
function trio() {
  const { hub, add, flush, clock } = stubHub()
  const peers = [add("a", "r1"), add("b", "r1", "r2"), add("c", "r2")] as [StubPeer, StubPeer, StubPeer]
  /** Who got what was sent since. */
  const receivers = async () => {
    await flush()
    return peers
      .filter(({ stream }) => stream.writes.splice(0).length > 0)
      .map(({ connection }) => connection.id)
  }
  return { hub, peers, receivers, clock }
}

describe("a selection", () => {
  it("means the members of a room", async () => {
    const { hub, receivers } = trio()
    expect(hub.to("r1").send("hi")).toEqual({ matched: 2, sent: 2, queued: 0, dropped: 0 })
    expect(await receivers()).toEqual(["a", "b"])
  })

  it("delivers once to a connection that is in several of its rooms", async () => {
    const { hub, peers } = trio()
    const report = hub.to(["r1", "r2"]).send("hi")
    hub.to("r1").to("r2").to(["r1", "r2"]).send("ho")
    expect(report).toEqual({ matched: 3, sent: 3, queued: 0, dropped: 0 })
    expect(peers.map(({ connection }) => connection.messagesOut)).toEqual([2, 2, 2])
  })

  it("takes any list of rooms, those of a connection for one", async () => {
    const { hub, peers, receivers } = trio()
    const [{ connection }] = peers
    expect(hub.to(peers[1].connection.rooms).send("hi").matched).toBe(3)
    expect(hub.everybody.exceptRooms(connection.rooms).send("hi").matched).toBe(1)
    await receivers()
    void connection.join(new Set(["r2", "r3"]))
    connection.leave(["r1", "r3"].values())
    expect([...connection.rooms]).toEqual(["r2"])
    expect(hub.to([]).send("hi").matched).toBe(0)
  })

  it("delivers once even when a listener sends to other selections meanwhile", () => {
    const { hub, add } = stubHub({ maxBufferedBytes: 20, overflow: "drop-newest" })
    for (const id of ["a", "b", "c"]) add(id, "r1", "r2")
    const lagged: string[] = []
    hub.on("lagged", ({ connection }) => {
      lagged.push(connection.id)
      hub.to(["r1", "r2"]).send("ok")
    })
    const report = hub.to(["r1", "r2"]).send("too long for any of them")
    expect(report).toEqual({ matched: 3, sent: 0, queued: 0, dropped: 3 })
    expect(lagged).toEqual(["a", "b", "c"])
  })

  it("means nobody without rooms", async () => {
    const { hub, receivers } = trio()
    expect(hub.to([]).send("hi").matched).toBe(0)
    expect(hub.to("nowhere").send("hi").matched).toBe(0)
    expect(await receivers()).toEqual([])
  })

  it("leaves out connections given as such, by id, or several", async () => {
    const { hub, peers, receivers } = trio()
    const all = hub.to(["r1", "r2"])
    all.except(peers[0].connection).send("hi")
    expect(await receivers()).toEqual(["b", "c"])
    all.except("b").send("hi")
    expect(await receivers()).toEqual(["a", "c"])
    all.except(["a", peers[2].connection]).send("hi")
    expect(await receivers()).toEqual(["b"])
    all.except("a").except("b").except([]).except("unknown").send("hi")
    expect(await receivers()).toEqual(["c"])
  })

  it("leaves out the members of rooms", async () => {
    const { hub, receivers } = trio()
    hub.to("r1").exceptRooms("r2").send("hi")
    expect(await receivers()).toEqual(["a"])
    hub.everybody.exceptRooms("r1").exceptRooms(["nowhere"]).send("hi")
    expect(await receivers()).toEqual(["c"])
    hub.everybody.exceptRooms(["r1", "r2"]).send("hi")
    expect(await receivers()).toEqual([])
  })

  it("is a value: every method gives a new one and leaves the old as it was", async () => {
    const { hub, receivers } = trio()
    const r1 = hub.to("r1")
    const others = [r1.to("r2"), r1.except("a"), r1.exceptRooms("r2"), r1.local]
    expect(new Set([r1, ...others]).size).toBe(5)
    r1.send("hi")
    expect(await receivers()).toEqual(["a", "b"])
    r1.send("again")
    expect(await receivers()).toEqual(["a", "b"])
  })

  it("keeps its names when the arrays it was made of change", async () => {
    const { hub, receivers } = trio()
    const rooms = ["r1"]
    const except = ["a"]
    const selection = hub.to(rooms).except(except)
    rooms.push("r2")
    except.push("b")
    selection.send("hi")
    expect(await receivers()).toEqual(["b"])
  })

  it("means whoever is there when it is used", async () => {
    const { hub, peers, receivers } = trio()
    const r1 = hub.to("r1")
    peers[0].connection.leave("r1")
    void peers[2].connection.join("r1")
    r1.send("hi")
    expect(await receivers()).toEqual(["b", "c"])
  })

  it("of everybody stays everybody when rooms are added", async () => {
    const { hub, receivers } = trio()
    expect(hub.everybody.to("r1").send("hi").matched).toBe(3)
    expect(await receivers()).toEqual(["a", "b", "c"])
  })

  it("does not count receivers that are closing as sent", () => {
    const { hub, peers } = trio()
    void peers[0].connection.close()
    expect(hub.to("r1").send("hi")).toEqual({ matched: 2, sent: 1, queued: 0, dropped: 0 })
  })

  it("throws the codec's error to the sender, and sends nothing", async () => {
    const { hub, add, flush } = stubHub({ codec: json() as never })
    const { stream } = add("a")
    expect(() => hub.broadcast(1n as never)).toThrow(CodecError)
    await flush()
    expect(stream.writes).toEqual([])
  })
})

describe("hub.user", () => {
  it("means all connections that were added with the user's id, and no room of that name", async () => {
    const { hub, flush } = stubHub()
    const peers = ["ada", "ada", "bob", undefined].map((userId) => addPeer(hub, { userId }))
    void peers[2]?.connection.join("ada")
    expect(hub.user("ada").send("hi").matched).toBe(2)
    await flush()
    expect(peers.map((it) => it.received().length)).toEqual([1, 1, 0, 0])
    peers[0]?.socket.end()
    expect(hub.user("ada").send("ho").matched).toBe(1)
  })
})

describe("hub.broadcast and hub.send", () => {
  it("broadcast leaves out what except says", async () => {
    const { hub, peers, receivers } = trio()
    hub.broadcast("hi", { except: peers[1].connection })
    expect(await receivers()).toEqual(["a", "c"])
    hub.broadcast("hi", { except: ["a", peers[2].connection] })
    expect(await receivers()).toEqual(["b"])
    hub.broadcast("hi")
    expect(await receivers()).toEqual(["a", "b", "c"])
  })

  it("send reaches one connection by id; an unknown or ended one is closed", async () => {
    const { hub, peers, receivers } = trio()
    expect(hub.send("b", "hi")).toBe("sent")
    expect(await receivers()).toEqual(["b"])
    expect(hub.send("nobody", "hi")).toBe("closed")
    peers[1].socket.end()
    expect(hub.send("b", "hi")).toBe("closed")
  })
})

describe("A10: names of rooms and users", () => {
  const uses: [string, (name: never) => unknown][] = [
    ["hub.to", (name) => trio().hub.to(name)],
    ["selection.to", (name) => trio().hub.everybody.to(name)],
    ["exceptRooms", (name) => trio().hub.everybody.exceptRooms(name)],
    ["join", (name) => trio().peers[0].connection.join(name)],
    ["join of a set", (name) => trio().peers[0].connection.join(new Set(["fine", name]))],
    ["join of several", (name) => trio().peers[0].connection.join(["fine", name])],
    ["leave", (name) => trio().peers[0].connection.leave(name)],
    ["members", (name) => trio().hub.members(name)],
    ["user", (name) => trio().hub.user(name)],
  ]
  const bad: [unknown, string][] = [
    ["", '1 to 512 bytes of UTF-8, received ""'],
    ["ä".repeat(257), "1 to 512 bytes of UTF-8, received"],
    ["r".repeat(513), "1 to 512 bytes of UTF-8, received"],
    ["\ud83e", "1 to 512 bytes of UTF-8, received"],
    ["a\udd80b", "1 to 512 bytes of UTF-8, received"],
    [7, "a string, received 7"],
    [undefined, "a string, received undefined"],
    [null, "a string, received null"],
  ]
  const cases = uses.flatMap(([use, call]) =>
    bad.map(([name, message]) => [use, name, message, call] as const),
  )

  it.each(cases)("%s(%o) throws a TypeError with the value", (_use, name, message, call) => {
    expect(() => call(name as never)).toThrow(InvalidOptionError)
    expect(() => call(name as never)).toThrow(message)
  })

  it.each(cases.slice(0, bad.length))("bulk changes reject: %s %o", async (_use, name, message) => {
    const { hub } = trio()
    await expect(hub.everybody.joinRoom(name as never)).rejects.toThrow(message)
    await expect(hub.everybody.leaveRoom(name as never)).rejects.toThrow(message)
    await expect(hub.list(name as never)).rejects.toThrow(message)
  })

  it("joins no room at all when one of several names is bad", () => {
    const { peers, hub } = trio()
    expect(() => peers[0].connection.join(["fine", ""])).toThrow(TypeError)
    expect(hub.members("fine").size).toBe(0)
  })

  it.each(["r".repeat(512), "ä".repeat(256), "everybody", "room:r1", "user:a", " ", "\0", "__proto__", "🦀"])(
    "may be anything else: %o",
    async (name) => {
      const { hub, peers, receivers } = trio()
      void peers[1].connection.join(name)
      expect([...peers[1].connection.rooms]).toEqual(["r1", "r2", name])
      hub.to(name).send("hi")
      expect(await receivers()).toEqual(["b"])
    },
  )
})
