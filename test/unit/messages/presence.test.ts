import {
  createHub,
  createPresence,
  type HubConnection,
  type Presence,
  type PresenceChange,
  type PresenceOptions,
  type PresenceSnapshot,
} from "holdfast"
import { type FakeSocket, socketPair, VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { PresenceBook } from "../../../src/messages/presence-book.js"
import { seededRandom } from "../../support/seeded-random.js"

interface User {
  readonly mood: string
}
type Connection = HubConnection<unknown, unknown, User>

/** A hub whose presence is written down. */
function watched(options: PresenceOptions<Connection, User> = {}) {
  const clock = new VirtualClock()
  const hub = createHub<unknown, unknown, User>({ clock, heartbeat: false, logger: false })
  const presence = createPresence<Connection, User>(hub, {
    clock,
    logger: false,
    meta: ({ data }) => data,
    ...options,
  })
  const changes: PresenceChange<User>[] = []
  presence.on("change", (change) => changes.push(change))
  const far = new Map<Connection, FakeSocket>()
  return {
    clock,
    hub,
    presence,
    changes,
    /** Adds a connection of a user, in rooms. */
    add(userId: string | undefined, mood: string, ...rooms: string[]): Connection {
      const [socket, other] = socketPair({ clock })
      const connection = hub.add(socket, { userId, data: { mood } })
      far.set(connection, other)
      void connection.join(rooms)
      return connection
    },
    /** The line of a connection is cut. */
    async cut(connection: Connection) {
      far.get(connection)?.terminate()
      await clock.advance(0)
    },
    /** What has changed since the last time, without versions. */
    async told() {
      await clock.advance(100)
      return changes.splice(0).map(({ joined, updated, left }) => ({ joined, updated, left }))
    },
  }
}

const member = (key: string, mood: string) => ({ key, meta: { mood } })

describe("T9: presence", () => {
  it("tells of members that come and go, by user, with what is known of them", async () => {
    const { add, told, presence } = watched()
    const ada = add("ada", "calm", "lobby")
    add("bob", "gay", "lobby")
    expect(await told()).toEqual([
      { joined: [member("ada", "calm"), member("bob", "gay")], updated: [], left: [] },
    ])
    ada.leave("lobby")
    expect(presence.members("lobby")).toEqual([member("bob", "gay")])
    expect(await told()).toEqual([{ joined: [], updated: [], left: [member("ada", "calm")] }])
  })

  it("counts the connections of a user: the first comes, the last goes, however they end", async () => {
    const { add, cut, told, presence } = watched()
    const [one, two, three] = ["calm", "calm", "calm"].map((mood) => add("ada", mood, "lobby"))
    expect(await told()).toEqual([{ joined: [member("ada", "calm")], updated: [], left: [] }])
    expect(presence.connections("lobby", "ada")).toBe(3)
    one?.leave("lobby")
    await cut(two as Connection)
    expect(await told()).toEqual([])
    expect(presence.connections("lobby", "ada")).toBe(1)
    void three?.close()
    expect(await told()).toEqual([{ joined: [], updated: [], left: [member("ada", "calm")] }])
    expect(presence.connections("lobby", "ada")).toBe(0)
  })

  it("takes a connection without a user for a member of its own", async () => {
    const { add, told } = watched()
    const one = add(undefined, "calm", "lobby")
    expect(await told()).toEqual([{ joined: [member(one.id, "calm")], updated: [], left: [] }])
  })

  it("has as meta what was said last, and goes back to the other connection's when that one leaves", async () => {
    const { add, told, presence } = watched()
    const one = add("ada", "calm", "lobby")
    const two = add("ada", "wild", "lobby")
    expect(await told()).toEqual([{ joined: [member("ada", "wild")], updated: [], left: [] }])
    expect(presence.update(one, "lobby", { mood: "tired" })).toBe(true)
    expect(await told()).toEqual([{ joined: [], updated: [member("ada", "tired")], left: [] }])
    one.leave("lobby")
    expect(await told()).toEqual([{ joined: [], updated: [member("ada", "wild")], left: [] }])
    expect(presence.update(one, "lobby", { mood: "gone" })).toBe(false)
    expect(presence.update(two, "other", { mood: "elsewhere" })).toBe(false)
    expect(await told()).toEqual([])
  })

  it("gathers changes for 100 ms, one for each room, and is silent when nothing is different afterwards", async () => {
    const { add, changes, clock, presence } = watched()
    const ada = add("ada", "calm", "lobby", "attic")
    await clock.advance(60)
    add("bob", "gay", "lobby")
    expect(changes).toEqual([])
    await clock.advance(40)
    expect(changes.map(({ room, joined }) => [room, joined.map(({ key }) => key)])).toEqual([
      ["lobby", ["ada", "bob"]],
      ["attic", ["ada"]],
    ])
    changes.length = 0
    // came and went, went and came back, changed and changed back
    add("eve", "shy", "lobby").leave("lobby")
    ada.leave("lobby")
    void ada.join("lobby")
    presence.update(ada, "attic", { mood: "cross" })
    presence.update(ada, "attic", { mood: "calm" })
    await clock.advance(1_000)
    expect([changes, clock.pending]).toEqual([[], 0])
  })

  it("gathers for as long as it is told to", async () => {
    const { add, changes, clock } = watched({ batchMs: 500 })
    add("ada", "calm", "lobby")
    await clock.advance(499)
    expect(changes).toEqual([])
    await clock.advance(1)
    expect(changes).toHaveLength(1)
  })

  it("keeps rooms apart, and looks only where it is told to", async () => {
    const { add, changes, clock, presence } = watched({ isWatched: (room) => room !== "secret" })
    const ada = add("ada", "calm", "lobby", "secret")
    await clock.advance(100)
    expect(changes.map(({ room }) => room)).toEqual(["lobby"])
    expect(presence.members("secret")).toEqual([])
    expect(presence.update(ada, "secret", { mood: "x" })).toBe(false)
    ada.leave("secret")
    await clock.advance(100)
    expect(changes).toHaveLength(1)
  })

  it("sees who was there before it", async () => {
    const clock = new VirtualClock()
    const hub = createHub({ clock, heartbeat: false })
    const [socket] = socketPair({ clock })
    void hub.add(socket, { userId: "ada" }).join("lobby")
    const presence = createPresence(hub, { clock })
    expect(presence.members("lobby")).toEqual([{ key: "ada", meta: undefined }])
  })

  it.each([
    ["its name is taken", {}],
    [
      "the meta of somebody who is there throws",
      {
        name: "other",
        meta: () => {
          throw new Error("no meta")
        },
      },
    ],
  ])("leaves nothing behind when it cannot begin because %s", (_, options) => {
    const clock = new VirtualClock()
    const hub = createHub({ clock, heartbeat: false })
    const [socket] = socketPair({ clock })
    void hub.add(socket, { userId: "ada" }).join("lobby")
    const first = createPresence(hub, { clock })
    const listening = () => (["join", "leave", "node"] as const).map((it) => hub.listenerCount(it))
    const before = [listening(), clock.pending]
    expect(() => createPresence(hub, { clock, ...options })).toThrow()
    expect([listening(), clock.pending]).toEqual(before)
    first.close()
    expect(listening()).toEqual([0, 0, 0])
  })

  it("lets a connection leave as whom it came", async () => {
    let name = "ada"
    const { add, told } = watched({ key: () => name })
    const one = add("u", "calm", "lobby")
    name = "bob"
    one.leave("lobby")
    expect(await told()).toEqual([])
    add("u", "calm", "lobby")
    expect(await told()).toEqual([{ joined: [member("bob", "calm")], updated: [], left: [] }])
  })

  it("ends: tells nothing more, and keeps nothing alive", async () => {
    const { add, changes, clock, hub, presence } = watched()
    add("ada", "calm", "lobby")
    presence.close()
    add("bob", "calm", "lobby")
    await clock.advance(200)
    expect([changes, clock.pending]).toEqual([[], 0])
    expect([hub.listenerCount("join"), hub.listenerCount("leave")]).toEqual([0, 0])
  })

  it("goes on when a meta, a key or a listener throws, and the hub says so", async () => {
    const { add, told, hub, presence } = watched({
      meta: ({ data }) => {
        if (data.mood === "bad") throw new Error("no meta")
        return data
      },
    })
    const problems: unknown[] = []
    hub.on("error", ({ error, stage }) => problems.push([stage, (error as Error).message]))
    presence.on("error", ({ error, stage }) => problems.push([stage, (error as Error).message]))
    presence.on("change", () => {
      throw new Error("no listener")
    })
    const bad = add("eve", "bad", "lobby")
    add("ada", "calm", "lobby")
    bad.leave("lobby")
    expect(await told()).toEqual([{ joined: [member("ada", "calm")], updated: [], left: [] }])
    expect(problems).toEqual([
      ["listener", "no meta"],
      ["listener", "no listener"],
    ])
  })

  it.each([
    [{ batchMs: -1 }, "presence.batchMs must be a number from 0 to 2147483647, received -1"],
    [{ meta: {} }, "presence.meta must be a function, received [object Object]"],
    [{ key: 5 }, "presence.key must be a function, received 5"],
    [
      { grace: 1 },
      'presence.grace must be one of key, meta, isWatched, name, batchMs, logger, clock, received "grace"',
    ],
  ])("refuses options that cannot be: %j", (options, message) => {
    expect(() => createPresence(createHub(), options as never)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message }),
    )
  })

  it("refuses what is no hub", () => {
    expect(() => createPresence(undefined as never)).toThrow("presence.hub must be a hub, received undefined")
  })
})

/** What somebody knows who got a snapshot and every change since. */
class Follower {
  readonly #members = new Map<string, User>()
  #version: number

  constructor({ version, members }: PresenceSnapshot<User>) {
    this.#version = version
    for (const { key, meta } of members) this.#members.set(key, meta)
  }

  take({ version, joined, updated, left }: PresenceChange<User>): void {
    expect(version, "there is no gap").toBe(this.#version + 1)
    this.#version = version
    for (const { key, meta } of joined) {
      expect(this.#members.has(key), "nobody comes twice").toBe(false)
      this.#members.set(key, meta)
    }
    for (const { key, meta } of updated) {
      expect(this.#members.has(key), "only who is there changes").toBe(true)
      this.#members.set(key, meta)
    }
    for (const { key } of left) expect(this.#members.delete(key), "only who is there goes").toBe(true)
  }

  get members(): (readonly [string, string])[] {
    return [...this.#members].map(([key, { mood }]) => [key, mood] as const).sort()
  }
}

const seen = (presence: Presence<Connection, User>, room: string) =>
  presence
    .members(room)
    .map(({ key, meta }) => [key, meta.mood] as const)
    .sort()

describe("T9: a snapshot and the changes after it", () => {
  it("are the room without a gap, for whoever joins between two changes", async () => {
    const { add, clock, hub, presence } = watched()
    add("ada", "calm", "lobby")
    await clock.advance(100)
    add("bob", "gay", "lobby")
    const snapshots: PresenceSnapshot<User>[] = []
    hub.on("join", ({ room }) => snapshots.push(presence.snapshot(room)))
    add("eve", "shy", "lobby")
    expect(snapshots).toEqual([{ room: "lobby", version: 1, members: [member("ada", "calm")] }])
    expect(presence.members("lobby").map(({ key }) => key)).toEqual(["ada", "bob", "eve"])
    expect(presence.snapshot("nowhere")).toEqual({ room: "nowhere", version: 0, members: [] })
  })

  it("never differ from what is, whatever happens in whatever order, and nothing stays behind", async () => {
    const random = seededRandom(11)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
    const { add, cut, clock, presence } = watched()
    const rooms = ["lobby", "attic"]
    const followers = new Map(rooms.map((room) => [room, [new Follower(presence.snapshot(room))]]))
    const toldAt = new Map<string, number>()
    presence.on("change", (change) => {
      const last = toldAt.get(change.room)
      if (last !== undefined) expect(clock.now() - last).toBeGreaterThanOrEqual(100)
      toldAt.set(change.room, clock.now())
      for (const follower of followers.get(change.room) ?? []) follower.take(change)
    })
    let open: Connection[] = [add("keeper", "calm", ...rooms)]
    for (let i = 0; i < 4_000; i += 1) {
      const room = pick(rooms)
      const connection = pick(open)
      const isKeeper = connection.userId === "keeper"
      const step = random()
      if (step < 0.3) open.push(add(pick(["ada", "bob", "eve", undefined]), pick(["calm", "wild"]), room))
      else if (step < 0.45) void connection.join(room)
      else if (step < 0.6 && !isKeeper) connection.leave(room)
      else if (step < 0.7) presence.update(connection, room, { mood: pick(["calm", "wild", "tired"]) })
      else if (step < 0.8 && !isKeeper) await cut(connection)
      else if (step < 0.83) followers.get(room)?.push(new Follower(presence.snapshot(room)))
      else await clock.advance(Math.floor(random() * 60))
      open = open.filter((it) => it.state === "open")
    }
    await clock.advance(100)
    for (const room of rooms) {
      expect(seen(presence, room).length).toBeGreaterThan(0)
      for (const follower of followers.get(room) ?? []) expect(follower.members).toEqual(seen(presence, room))
    }
    for (const connection of open) await cut(connection)
    await clock.advance(2_000) // past the hub's own subscriptions
    expect(rooms.flatMap((room) => presence.members(room))).toEqual([])
    expect(clock.pending).toBe(0)
  })

  // the error came from the timer that tells of changes, where it ended the process
  it("have a meta that JSON can hold, or are refused where it is said", async () => {
    const cycle: { mood: string; self?: unknown } = { mood: "dizzy" }
    cycle.self = cycle
    const metas: Record<string, unknown> = { bad: { mood: 1n }, dizzy: cycle, calm: { mood: "calm" } }
    const { add, hub, clock, presence, changes } = watched({ meta: ({ data }) => metas[data.mood] as User })
    const errors: unknown[] = []
    hub.on("error", ({ stage, error }) => errors.push([stage, (error as Error).message]))
    add("ada", "bad", "lobby")
    const bob = add("bob", "calm", "lobby")
    add("eve", "dizzy", "lobby")
    await clock.advance(100)
    expect(seen(presence, "lobby").map(([key]) => key)).toEqual(["bob"])
    const message = "presence.meta must be something that JSON can hold, received [object Object]"
    expect(errors).toEqual([
      ["listener", message],
      ["listener", message],
    ])
    for (const meta of [metas.bad, metas.dizzy])
      expect(() => presence.update(bob, "lobby", meta as User)).toThrow(message)
    presence.update(bob, "lobby", { mood: "wild" })
    await clock.advance(100)
    expect(changes.map(({ version, updated }) => [version, updated.length])).toEqual([
      [1, 0],
      [2, 1],
    ])
  })

  it("take no memory for rooms that are empty", () => {
    const book = new PresenceBook<undefined>()
    for (let i = 0; i < 100; i += 1) {
      book.set(`room-${i}`, "ada", "1", undefined)
      if (i % 2) book.tell()
      book.delete(`room-${i}`, "ada", "1")
      book.delete(`room-${i}`, "ada", "1")
      book.delete("never", "ada", "1")
    }
    expect(book.size).toBeGreaterThan(0)
    book.tell()
    expect([book.size, book.tell()]).toEqual([0, []])
  })
})
