import type { Hub } from "holdfast"
import { describe, expect, it } from "vitest"
import { Rooms } from "../../../src/hub/rooms.js"
import { countSteps } from "../../support/count-steps.js"
import { addPeer, stubHub } from "../../support/stub-hub.js"

/** Writes down the events of rooms in the order they come. */
function roomEvents(hub: Hub<string, string>): string[] {
  const events: string[] = []
  hub.on("room-created", ({ room }) => events.push(`created ${room}`))
  hub.on("room-deleted", ({ room }) => events.push(`deleted ${room}`))
  hub.on("join", ({ room, connection }) => events.push(`${connection.id} joins ${room}`))
  hub.on("leave", ({ room, connection }) => events.push(`${connection.id} leaves ${room}`))
  return events
}

describe("S60: both directions are indexed", () => {
  it("a connection knows its rooms and a room its members", () => {
    const { hub, add } = stubHub()
    const [a, b] = [add("a", "r1", "r2"), add("b", "r1")]
    expect([...a.connection.rooms]).toEqual(["r1", "r2"])
    expect([...hub.members("r1")]).toEqual([a.connection, b.connection])
    a.connection.leave(["r1", "nowhere"])
    expect([...a.connection.rooms]).toEqual(["r2"])
    expect([...hub.members("r1")]).toEqual([b.connection])
    expect([...hub.members("nowhere")]).toEqual([])
  })

  it("does not take a user for a room", () => {
    const { hub } = stubHub()
    const { connection } = addPeer(hub, { userId: "ada" })
    expect([...connection.rooms]).toEqual([])
    expect(hub.members("ada").size).toBe(0)
  })
})

describe("S60: join, leave and lookup are O(1)", () => {
  /** What one newcomer's whole life in a room walks over, beside so many members and rooms. */
  function stepsBeside(members: number, otherRooms: number): number {
    const { hub, add } = stubHub({ heartbeat: false })
    for (let i = 0; i < members; i += 1) add(`c${i}`, "r", ...(i < otherRooms ? [`other-${i}`] : []))
    const { connection } = add("newcomer")
    return countSteps(() => {
      void connection.join("r")
      expect(hub.members("r").has(connection)).toBe(true)
      expect(hub.members("r").size).toBe(members + 1)
      expect(connection.rooms).toEqual(new Set(["r"]))
      expect(hub.connections.get("newcomer")).toBe(connection)
      connection.leave("r")
      void connection.join(["r", "its own"])
      connection.terminate()
      expect(hub.members("r").size).toBe(members)
      expect(hub.members("its own").size).toBe(0)
    })
  }

  it("beside 10,000 members and 10,000 rooms as beside one of each", () => {
    expect(stepsBeside(10_000, 10_000)).toBe(stepsBeside(1, 1))
  })
})

describe("S60: the index of rooms", () => {
  it("keeps nothing of a channel without members, nor of a member without channels", () => {
    const rooms = new Rooms<object>()
    const [a, b] = [{}, {}]
    expect([rooms.add("r", a), rooms.add("r", a), rooms.add("r", b), rooms.add("s", a)]).toEqual([
      true,
      false,
      true,
      true,
    ])
    expect([...rooms.channels]).toEqual(["r", "s"])
    expect([rooms.delete("r", a), rooms.delete("r", a), rooms.delete("x", a)]).toEqual([true, false, false])
    rooms.delete("r", b)
    expect([...rooms.channels]).toEqual(["s"])
    rooms.delete("s", a)
    expect([...rooms.channels]).toEqual([])
    expect(rooms.channelsOf(a)).toBe(rooms.channelsOf({}))
    expect(rooms.members("r")).toBe(rooms.members("never there"))
  })
})

describe("S61: join after close does nothing", () => {
  it("once the connection has ended", async () => {
    const { hub, add } = stubHub()
    const { connection, socket } = add()
    const events = roomEvents(hub)
    socket.end()
    await expect(connection.join("r")).resolves.toBeUndefined()
    await hub.everybody.joinRoom("r")
    expect(hub.members("r").size).toBe(0)
    expect(connection.rooms.size).toBe(0)
    expect(events).toEqual([])
  })

  it("while the closing handshake is under way", async () => {
    const { hub, add } = stubHub()
    const { connection, socket } = add()
    socket.isMute = true
    void connection.close()
    await connection.join("r")
    expect(await hub.everybody.joinRoom("r")).toMatchObject({ results: [{ value: 0 }] })
    expect(hub.members("r").size).toBe(0)
  })

  it("inside the listeners of close and leave", () => {
    const { hub, add } = stubHub()
    const { socket } = add("a", "r")
    hub.on("close", ({ connection }) => connection.join("r2"))
    hub.on("leave", ({ connection, room }) => connection.join(room))
    socket.end()
    expect([hub.size, hub.members("r").size, hub.members("r2").size]).toEqual([0, 0, 0])
  })

  it("for the rest of several rooms, when a listener of the first ends the connection", () => {
    const { hub, add } = stubHub()
    const { connection, socket } = add()
    hub.on("join", () => socket.end())
    void connection.join(["r1", "r2"])
    expect([hub.size, hub.members("r1").size, hub.members("r2").size]).toEqual([0, 0, 0])
  })
})

describe("S62: events of rooms come in order", () => {
  it("created before the first join, deleted after the last leave", () => {
    const { hub, add } = stubHub()
    const events = roomEvents(hub)
    const [a, b] = [add("a", "r"), add("b", "r")]
    a.connection.leave("r")
    b.connection.leave("r")
    expect(events).toEqual(["created r", "a joins r", "b joins r", "a leaves r", "b leaves r", "deleted r"])
  })

  it("joining twice and leaving twice are no news", () => {
    const { hub, add } = stubHub()
    const events = roomEvents(hub)
    const { connection } = add("a", "r")
    void connection.join("r")
    connection.leave("r")
    connection.leave("r")
    expect(events).toEqual(["created r", "a joins r", "a leaves r", "deleted r"])
  })

  it("an ending connection is still in its rooms while close is emitted, and leaves them after", () => {
    const { hub, add } = stubHub()
    const { connection, socket } = add("a", "r1", "r2")
    const events = roomEvents(hub)
    connection.on("close", () => events.push(`closed in ${[...connection.rooms].join()}`))
    hub.on("close", ({ connection }) => events.push(`closed in ${[...connection.rooms].join()}`))
    socket.end()
    expect(events.slice(0, 2)).toEqual(["closed in r1,r2", "closed in r1,r2"])
    expect(events.slice(2)).toEqual(["a leaves r1", "deleted r1", "a leaves r2", "deleted r2"])
  })

  it("changes made by listeners are told after what they were told of", () => {
    const { hub, add } = stubHub()
    const [a, b] = [add("a", "r"), add("b")]
    const events = roomEvents(hub)
    hub.once("leave", () => b.connection.join("r"))
    a.connection.leave("r")
    expect(events).toEqual(["a leaves r", "deleted r", "created r", "b joins r"])
    expect([...hub.members("r")]).toEqual([b.connection])
  })

  it("users are no rooms, so nothing is told of them", () => {
    const { hub } = stubHub()
    const events = roomEvents(hub)
    addPeer(hub, { userId: "ada" }).socket.end()
    expect(events).toEqual([])
  })
})

describe("S62: questions and changes in bulk", () => {
  const mine = <Value>(hub: Hub<string, string>, value: Value) => ({
    results: [{ nodeId: hub.nodeId, value }],
    missing: [],
  })

  it("count and list answer for this node", async () => {
    const { hub, add } = stubHub()
    add("a", "r")
    void addPeer(hub, { id: "b", userId: "bob" }).connection.join("r")
    expect(await hub.count("r")).toEqual(mine(hub, 2))
    expect(await hub.count("nowhere")).toEqual(mine(hub, 0))
    expect(await hub.to("r").except("a").count()).toEqual(mine(hub, 1))
    expect(await hub.everybody.count()).toEqual(mine(hub, 2))
    expect(await hub.list("r")).toEqual(
      mine(hub, [
        { id: "a", userId: undefined },
        { id: "b", userId: "bob" },
      ]),
    )
  })

  it("joinRoom and leaveRoom tell how many they changed", async () => {
    const { hub, add } = stubHub()
    const events = roomEvents(hub)
    for (const id of ["a", "b", "c"]) add(id, "r1")
    add("d", "r2")
    events.length = 0
    expect(await hub.to("r1").except("c").joinRoom("r2")).toEqual(mine(hub, 2))
    expect(await hub.to("r1").joinRoom("r2")).toEqual(mine(hub, 1))
    expect(await hub.to("r1").leaveRoom("r2")).toEqual(mine(hub, 3))
    expect(await hub.to("r1").leaveRoom("r2")).toEqual(mine(hub, 0))
    expect(events).toEqual(
      ["a", "b", "c"]
        .flatMap((id) => `${id} joins r2`)
        .concat(["a", "b", "c"].map((id) => `${id} leaves r2`)),
    )
  })

  it("leaveRoom may empty the very room that is selected", async () => {
    const { hub, add } = stubHub()
    for (const id of ["a", "b", "c"]) add(id, "r")
    expect(await hub.to("r").leaveRoom("r")).toEqual(mine(hub, 3))
    expect(hub.members("r").size).toBe(0)
  })

  it("close ends all of them with the code and reason, and resolves with how each ended", async () => {
    const { hub, add } = stubHub()
    const peers = [add("a", "r"), add("b", "r"), add("c")]
    const ended = await hub.to("r").close(4403, "revoked")
    const info = { code: 4403, reason: "revoked", cause: "local", unsent: { count: 0, bytes: 0 } }
    expect(ended).toEqual(mine(hub, [info, info]))
    expect(peers.map(({ connection }) => connection.state)).toEqual(["closed", "closed", "open"])
    expect(peers[0]?.socket.closes).toEqual([{ code: 4403, reason: "revoked" }])
  })

  it("close sends 1000 when no code is given", async () => {
    const { hub, add } = stubHub()
    const { socket } = add()
    await hub.everybody.close()
    expect(socket.closes).toEqual([{ code: 1000, reason: "" }])
  })

  it.each([1005, 1006, 1015, 2999, 5000, 1000.5, "1000"])(
    "close rejects the code %o and closes nobody",
    async (code) => {
      const { hub, add } = stubHub()
      const { connection } = add("a", "r")
      for (const selection of [hub.to("r"), hub.to("nowhere")]) {
        await expect(selection.close(code as number)).rejects.toThrow(/^close code must be .*received "?\d/)
      }
      await expect(hub.close(code as number)).rejects.toThrow(TypeError)
      expect(connection.state).toBe("open")
    },
  )
})
