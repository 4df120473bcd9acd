import { createPresence, type Hub, type Presence, type PresenceChange } from "holdfast"
import { describe, expect, it } from "vitest"
import { PresenceBook } from "../../../src/messages/presence-book.js"
import { PresenceExchange } from "../../../src/messages/presence-exchange.js"
import { type ClusterNode, loopbackCluster } from "../../support/adapters-cluster.js"

type AnyPresence = Presence<never, string>

/** Nodes of a cluster that each watch who is present; what is known of a member is which connection said it. */
async function watchedNodes(count: number, name?: string) {
  const cluster = loopbackCluster()
  const start = async () => {
    const node = await cluster.start()
    return { ...node, ...watch(node.hub, cluster, name) }
  }
  const nodes: Awaited<ReturnType<typeof start>>[] = []
  for (let i = 0; i < count; i += 1) nodes.push(await start())
  await cluster.clock.advance(200)
  return { ...cluster, nodes: nodes as [Watched, Watched, ...Watched[]], startWatched: start }
}

type Watched = ClusterNode & ReturnType<typeof watch>

function watch(hub: Hub<string, string>, { clock }: ReturnType<typeof loopbackCluster>, name?: string) {
  const presence = createPresence<never, string>(hub as never, {
    clock,
    logger: false,
    meta: ({ id }: { id: string }) => id,
    ...(name && { name }),
  })
  const changes: PresenceChange<string>[] = []
  presence.on("change", (change) => changes.push(change))
  /** Who came, who went, who has changed, since the last time. */
  const told = () =>
    changes.splice(0).map(({ room, joined, updated, left }) => ({
      room,
      joined: joined.map(({ key }) => key),
      updated: updated.map(({ key, meta }) => `${key}: ${meta}`),
      left: left.map(({ key }) => key),
    }))
  return { presence, told }
}

function keys(presence: AnyPresence, room: string): string[] {
  return presence.members(room).map(({ key }) => key)
}

/** A user comes, on a node. */
function enter(node: Watched, userId: string, id: string, ...rooms: string[]) {
  const { connection } = node.addUser(id, userId)
  void connection.join(rooms)
  return connection
}

describe("T9: presence over several nodes", () => {
  it("tells every node who comes, changes and goes, in one batch of 100 ms and the way", async () => {
    const { nodes, clock } = await watchedNodes(3)
    const [a, b, c] = nodes
    const ada = enter(a, "ada", "a1", "lobby")
    enter(b, "bob", "b1", "lobby")
    await clock.advance(210)
    for (const node of [a, b, c as Watched])
      expect(keys(node.presence, "lobby").sort()).toEqual(["ada", "bob"])
    for (const node of nodes) node.told()
    a.presence.update(ada as never, "lobby", "typing")
    await clock.advance(210)
    const updated = [{ room: "lobby", joined: [], updated: ["ada: typing"], left: [] }]
    expect(nodes.map(({ told }) => told())).toEqual([updated, updated, updated])
    ada.leave("lobby")
    await clock.advance(210)
    const left = [{ room: "lobby", joined: [], updated: [], left: ["ada"] }]
    expect(nodes.map(({ told }) => told())).toEqual([left, left, left])
  })

  it("counts a user's connections over all nodes: the first comes, the last goes", async () => {
    const { nodes, clock } = await watchedNodes(2)
    const [a, b] = nodes
    const one = enter(a, "ada", "a1", "lobby")
    await clock.advance(210)
    for (const node of nodes) node.told()
    const other = enter(b, "ada", "b1", "lobby")
    await clock.advance(210)
    expect(nodes.map(({ told }) => told().flatMap((it) => [...it.joined, ...it.left]))).toEqual([[], []])
    expect(a.presence.connections("lobby", "ada")).toBe(2)
    one.leave("lobby")
    await clock.advance(210)
    expect(nodes.map(({ told }) => told().flatMap((it) => it.left))).toEqual([[], []])
    other.leave("lobby")
    await clock.advance(210)
    expect(nodes.map(({ told }) => told().flatMap((it) => it.left))).toEqual([["ada"], ["ada"]])
  })

  it("tells a node that comes later everything, 1,234 members in parts, and what follows", async () => {
    const { nodes, clock, startWatched } = await watchedNodes(1)
    const [a] = nodes
    for (let i = 0; i < 1_234; i += 1) enter(a, `user-${i}`, `a${i}`, i % 2 ? "odd" : "even")
    await clock.advance(210)
    const late = await startWatched()
    await clock.advance(210)
    expect([keys(late.presence, "odd").length, keys(late.presence, "even").length]).toEqual([617, 617])
    const snapshot = late.presence.snapshot("odd")
    expect([snapshot.version, snapshot.members.length]).toEqual([1, 617])
    enter(a, "last", "last", "odd")
    await clock.advance(210)
    expect(keys(late.presence, "odd")).toContain("last")
  })

  it("tells more than fits into one message in several", async () => {
    const { nodes, clock } = await watchedNodes(2)
    const [a, b] = nodes
    const connections = Array.from({ length: 1_100 }, (_, i) => enter(a, `user-${i}`, `a${i}`, "lobby"))
    await clock.advance(210)
    expect(keys(b.presence, "lobby")).toHaveLength(1_100)
    for (const connection of connections.slice(1)) connection.leave("lobby")
    await clock.advance(210)
    expect(keys(b.presence, "lobby")).toEqual(["user-0"])
  })

  it("is told by a presence that is made after the nodes have met", async () => {
    const cluster = loopbackCluster()
    const [a, b] = [await cluster.start(), await cluster.start()]
    const one = { ...a, ...watch(a.hub, cluster) }
    enter(one, "ada", "a1", "lobby")
    await cluster.clock.advance(500)
    const other = { ...b, ...watch(b.hub, cluster) }
    await cluster.clock.advance(210)
    expect(keys(other.presence, "lobby")).toEqual(["ada"])
    enter(other, "bob", "b1", "lobby")
    await cluster.clock.advance(210)
    expect(keys(one.presence, "lobby")).toEqual(["ada", "bob"])
  })

  it("forgets the members of a node that stops within a second", async () => {
    const { nodes, clock } = await watchedNodes(2)
    const [a, b] = nodes
    enter(a, "ada", "a1", "lobby")
    await clock.advance(210)
    b.told()
    const closed = a.hub.close()
    await clock.advance(1_000)
    await closed
    expect(b.told()).toEqual([{ room: "lobby", joined: [], updated: [], left: ["ada"] }])
    expect(b.presence.members("lobby")).toEqual([])
  })

  it("forgets the members of a node that is dead within 30 seconds, and learns them again when it was not", async () => {
    const { nodes, clock, network } = await watchedNodes(2)
    const [a, b] = nodes
    enter(a, "ada", "a1", "lobby")
    enter(b, "bob", "b1", "lobby")
    await clock.advance(210)
    b.told()
    network.blackHole()
    await clock.advance(30_000)
    expect(b.told()).toEqual([{ room: "lobby", joined: [], updated: [], left: ["ada"] }])
    expect(keys(b.presence, "lobby")).toEqual(["bob"])
    network.heal()
    await clock.advance(60_000)
    expect(nodes.map(({ presence }) => keys(presence, "lobby").sort())).toEqual([
      ["ada", "bob"],
      ["ada", "bob"],
    ])
  })

  it("notices that something was lost on the way, and asks for all of it", async () => {
    const { nodes, clock, network } = await watchedNodes(2)
    const [a, b] = nodes
    const ada = enter(a, "ada", "a1", "lobby")
    await clock.advance(210)
    ada.leave("lobby")
    enter(a, "eve", "a2", "lobby")
    await clock.advance(99)
    network.lose(1)
    await clock.advance(20)
    expect(keys(b.presence, "lobby")).toEqual(["ada"])
    await clock.advance(6_000)
    expect(keys(b.presence, "lobby")).toEqual(["eve"])
  })

  it("keeps presences of other names apart, and lets no two have the same", async () => {
    const { nodes, clock, ...cluster } = await watchedNodes(2)
    const [a, b] = nodes
    const other = watch(b.hub, { ...cluster, clock } as never, "staff")
    enter(a, "ada", "a1", "lobby")
    await clock.advance(210)
    expect([keys(b.presence, "lobby"), keys(other.presence, "lobby")]).toEqual([["ada"], []])
    expect(() => createPresence(a.hub)).toThrow("one that nothing else beside this hub has")
    expect(() => createPresence(a.hub, { name: "" })).toThrow("presence.name")
    a.presence.close()
    createPresence(a.hub).close()
  })

  it("looks at the rooms of other nodes as at its own", async () => {
    const cluster = loopbackCluster()
    const [a, b] = [await cluster.start(), await cluster.start()]
    const one = { ...a, ...watch(a.hub, cluster) }
    const isWatched = (room: string) => room !== "hidden"
    const presence = createPresence(b.hub, { isWatched, clock: cluster.clock })
    enter(one, "ada", "a1", "lobby", "hidden")
    await cluster.clock.advance(500)
    expect([keys(one.presence, "hidden"), presence.members("hidden")]).toEqual([["ada"], []])
    expect(presence.members("lobby")).toEqual([{ key: "ada", meta: "a1" }])
  })

  // the members behind the one that broke were never heard of again
  it("loses nothing of what other nodes say to an isWatched that throws", async () => {
    const { nodes, clock, start } = await watchedNodes(1)
    const [a] = nodes
    const { hub } = await start()
    const isWatched = (room: string) => {
      if (room === "attic") throw new Error("not this one")
      return true
    }
    const presence = createPresence<never, string>(hub as never, { clock, logger: false, isWatched })
    const errors: unknown[] = []
    presence.on("error", ({ error, stage }) => errors.push([stage, (error as Error).message]))
    await clock.advance(2_000)
    enter(a, "ada", "a1", "attic", "lobby")
    await clock.advance(300)
    expect([keys(presence, "attic"), keys(presence, "lobby")]).toEqual([[], ["ada"]])
    expect(errors).toEqual([["listener", "not this one"]])
  })

  it("asks again for what it could not read", () => {
    const { clock } = loopbackCluster()
    const [own, all] = [new PresenceBook<string>(), new PresenceBook<string>()]
    const said: unknown[] = []
    const line = { say: (_to: string, { is }: { is?: string }) => void said.push(is), leave: () => {} }
    const parts = { line, clock, own, all, isWatched: () => true, changed: () => {} }
    const exchange = new PresenceExchange(parts)
    exchange.up("b")
    exchange.heard("b", { is: "state", serial: 1, part: 0, parts: 1, set: [["lobby", "ada", "calm"]] })
    clock.stall(1_000)
    expect(() => exchange.heard("b", { is: "change", serial: 2 })).toThrow(TypeError)
    exchange.heard("b", { is: "serial", serial: 2 })
    expect(said).toEqual(["state", "ask", "ask"])
    exchange.close()
  })

  it("does not believe the last words of a node that is gone", () => {
    const { clock } = loopbackCluster()
    const [own, all] = [new PresenceBook<string>(), new PresenceBook<string>()]
    const said: unknown[] = []
    const line = { say: (to: string, { is }: { is?: string }) => void said.push([to, is]), leave: () => {} }
    const exchange = new PresenceExchange({
      ...{ line, clock, own, all },
      isWatched: () => true,
      changed: () => {},
    })
    const change = (serial: number, key: string) => ({
      is: "change",
      serial,
      set: [["lobby", key, "calm"]],
      gone: [],
    })
    exchange.up("b")
    exchange.heard("b", { is: "state", serial: 1, part: 0, parts: 1, set: [["lobby", "ada", "calm"]] })
    exchange.heard("b", change(2, "bob"))
    expect(all.members("lobby").map(({ key }) => key)).toEqual(["ada", "bob"])
    exchange.down("b")
    exchange.heard("b", change(3, "eve"))
    exchange.heard("b", { is: "ask" })
    expect(all.members("lobby")).toEqual([])
    expect(said).toEqual([
      ["b", "state"],
      ["b", "ask"],
    ])
    exchange.close()
  })
})
