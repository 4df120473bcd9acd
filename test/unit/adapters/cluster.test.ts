import { type Adapter, type ClusterResult, createHub, memoryAdapter, text } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { loopbackCluster } from "../../support/adapters-cluster.js"
import { outcomeOf } from "../../support/outcome.js"
import { RecordingAdapter } from "../../support/recording-adapter.js"
import { addPeer, stubHub } from "../../support/stub-hub.js"

/** The answers of a cluster by node, in the order of these names. */
function byNode<T>({ results }: ClusterResult<T>, ...names: string[]): (T | undefined)[] {
  return names.map((name) => results.find(({ nodeId }) => nodeId === name)?.value)
}

/** An adapter whose node falls silent, as one does whose process stands still, and is never heard again. */
function mortal(adapter: Adapter): { readonly adapter: Adapter; die(): void } {
  let isDead = false
  const [connect, send] = [adapter.connect.bind(adapter), adapter.send.bind(adapter)]
  const changed: Pick<Adapter, "connect" | "send"> = {
    connect: (context) =>
      connect({ ...context, onOperation: (...args) => isDead || context.onOperation(...args) }),
    send: (...args) => (isDead ? undefined : send(...args)),
  }
  return {
    adapter: Object.assign(adapter, changed),
    die() {
      isDead = true
    },
  }
}

async function threeNodes() {
  const cluster = loopbackCluster()
  const [a, b, c] = [await cluster.start(), await cluster.start(), await cluster.start()]
  return { ...cluster, a, b, c, names: [a.hub.nodeId, b.hub.nodeId, c.hub.nodeId] }
}

describe("S62: a question to the cluster", () => {
  it("counts the members of a room on every node", async () => {
    const { a, b, c, names, settle } = await threeNodes()
    a.add("a1", "r")
    b.add("b1", "r")
    b.add("b2", "r", "other")
    c.add("c1", "other")
    const result = await settle(a.hub.count("r"))
    expect(byNode(result, ...names)).toEqual([1, 2, 0])
    expect(result.missing).toEqual([])
    expect(byNode(await settle(b.hub.to(["r", "other"]).except("b1").count()), ...names)).toEqual([1, 1, 1])
    expect((await settle(b.hub.to("r").local.count())).results).toEqual([{ nodeId: names[1], value: 2 }])
  })

  it("lists the members of a room, however many there are", async () => {
    const { a, b, names, settle } = await threeNodes()
    for (let i = 0; i < 1_234; i += 1) b.add(`b${i}`, "r")
    a.add("a1", "r")
    const lists = byNode(await settle(a.hub.list("r")), ...names)
    expect(lists[0]).toEqual([{ id: "a1" }])
    expect(lists[1]?.map(({ id }) => id)).toEqual(Array.from({ length: 1_234 }, (_, i) => `b${i}`))
    expect(lists[2]).toEqual([])
  })

  it("joins and leaves rooms everywhere", async () => {
    const { a, b, c, names, settle } = await threeNodes()
    a.add("a1", "r")
    b.add("b1", "r")
    c.add("c1")
    expect(byNode(await settle(c.hub.to("r").joinRoom("s")), ...names)).toEqual([1, 1, 0])
    expect(b.hub.members("s").size).toBe(1)
    expect(byNode(await settle(c.hub.to("r").joinRoom("s")), ...names)).toEqual([0, 0, 0])
    expect(byNode(await settle(c.hub.everybody.leaveRoom("s")), ...names)).toEqual([1, 1, 0])
    expect(b.hub.members("s").size).toBe(0)
  })

  it("closes a user's connections on every node, with the code", async () => {
    const { a, b, c, names, settle } = await threeNodes()
    const peers = [a.addUser("a1", "ada"), b.addUser("b1", "ada"), b.addUser("b2", "bob")]
    const closed = byNode(await settle(c.hub.user("ada").close(4403, "revoked")), ...names)
    expect(closed.map((it) => it?.map(({ code }) => code))).toEqual([[4403], [4403], []])
    expect(peers.map(({ socket }) => socket.closes)).toEqual([
      [{ code: 4403, reason: "revoked" }],
      [{ code: 4403, reason: "revoked" }],
      [],
    ])
  })

  it("A8: names a dead node as missing, gives the answers of the others, and forgets it after six seconds", async () => {
    const { start, network, clock, settle } = loopbackCluster()
    const { adapter, die } = mortal(network.adapter())
    const [a, b, c] = [await start(), await start(), await start({ adapter })]
    for (const node of [a, b, c]) node.add(`of ${node.hub.nodeId}`, "r")
    await clock.advance(1_900)
    const names = [a, b, c].map(({ hub }) => hub.nodeId)
    expect(byNode(await settle(a.hub.count("r")), ...names)).toEqual([1, 1, 1])
    die()
    const question = a.hub.count("r")
    await clock.advance(2_000)
    expect(byNode(await question, ...names)).toEqual([1, 1, undefined])
    expect((await question).missing).toEqual([c.hub.nodeId])
    await clock.advance(2_000)
    expect(a.hub.nodes).toContain(c.hub.nodeId)
    await clock.advance(4_000)
    expect(a.hub.nodes).toEqual([b.hub.nodeId])
    const later = await settle(a.hub.count("r"))
    expect([byNode(later, ...names), later.missing]).toEqual([[1, 1, undefined], []])
  })

  it("A8: names all others as missing when nothing comes any more", async () => {
    const { a, b, c, names, network, clock } = await threeNodes()
    a.add("a1", "r")
    b.add("b1", "r")
    c.add("c1", "r")
    // its way to the broker is dead, and it does not know yet
    network.deafen()
    await clock.advance(0)
    const question = a.hub.count("r")
    await clock.advance(1_999)
    const early = await Promise.race([question, "still waiting"])
    expect(early).toBe("still waiting")
    await clock.advance(1)
    const result = await question
    expect(byNode(result, ...names)).toEqual([1, undefined, undefined])
    expect(new Set(result.missing)).toEqual(new Set([names[1], names[2]]))
  })

  it("A8: does not wait for a node that said nothing for six seconds", async () => {
    const { a, b, network, clock, settle } = await threeNodes()
    const events: unknown[] = []
    a.hub.on("node", (event) => events.push(event))
    network.deafen()
    await clock.advance(8_000)
    expect(a.hub.nodes).toEqual([])
    expect(events).toHaveLength(2)
    expect(events).toContainEqual({ nodeId: b.hub.nodeId, state: "down" })
    const result = await settle(a.hub.count("r"))
    expect(result.missing).toEqual([])
  })

  it("A8: counts an answer that came in while this process stood still", async () => {
    const [adapter, clock] = [new RecordingAdapter(), new VirtualClock()]
    const hub = createHub<string, string>({
      codec: text(),
      clock,
      logger: false,
      adapter,
      queryTimeoutMs: 100,
    })
    await hub.ready
    await clock.advance(500)
    adapter.context.onOperation("other", "alive", Buffer.from("\u0001{}"))
    const question = hub.count("r")
    // the answer waits in the socket; the deadline is due first
    clock.stall(1_000)
    clock.defer(() => {
      adapter.context.onOperation("other", "answer", Buffer.from('\u0001{"id":1,"value":7,"isLast":true}'))
    })
    await clock.advance(0)
    expect(await question).toEqual({
      results: [
        { nodeId: hub.nodeId, value: 0 },
        { nodeId: "other", value: 7 },
      ],
      missing: [],
    })
    await hub.close()
  })

  it("is answered by this node alone when the broker takes nothing", async () => {
    const { a, network, clock } = await threeNodes()
    a.add("a1", "r")
    network.kill()
    const question = a.hub.count("r")
    await clock.advance(1_000)
    const result = await question
    expect(result.results).toEqual([{ nodeId: a.hub.nodeId, value: 1 }])
    expect(result.missing).toHaveLength(2)
  })

  it("waits a moment for nodes that it may not know yet", async () => {
    const { start, clock, network } = loopbackCluster()
    const { hub, add } = await start()
    add("a1", "r")
    const fresh = createHub<string, string>({
      codec: text(),
      clock,
      logger: false,
      adapter: network.adapter(),
    })
    await clock.advance(1)
    await fresh.ready
    const question = fresh.count("r")
    await clock.advance(200)
    expect(byNode(await question, hub.nodeId)).toEqual([1])
  })

  it("goes to nobody where there is nobody", async () => {
    const { hub, add, clock } = stubHub({ adapter: memoryAdapter() })
    add("a1", "r")
    expect(await hub.count("r")).toEqual({ results: [{ nodeId: hub.nodeId, value: 1 }], missing: [] })
    expect(hub.nodes).toEqual([])
    await hub.close()
    expect(clock.pending).toBe(0)
  })
})

describe("A4: a hub whose broker hangs at the moment in which it is connected", () => {
  it("has its members and itself in the cluster once the broker goes on", async () => {
    const { start, network, clock } = loopbackCluster()
    const other = await start()
    const hub = createHub<string, string>({ codec: text(), clock, logger: false, adapter: network.adapter() })
    const undo = hub.on("adapter", ({ state }) => state === "up" && network.hang())
    const ready = outcomeOf(hub.ready)
    const { connection, received } = addPeer(hub)
    const joined = outcomeOf(connection.join("r"))
    await clock.advance(5_500)
    expect(ready.is).toBe("ADAPTER_UNAVAILABLE")
    undo()
    network.resume()
    await clock.advance(6_000)
    expect(joined.is).toBeDefined()
    other.hub.to("r").send("to the room")
    other.hub.broadcast("to everybody")
    await clock.advance(10)
    expect(received()).toEqual(["to the room", "to everybody"])
    expect(other.hub.nodes).toEqual([hub.nodeId])
    expect(hub.nodes).toEqual([other.hub.nodeId])
  })
})

describe("A8: nodes", () => {
  it("know each other within a moment, and say goodbye", async () => {
    const { a, b, c, clock, settle } = await threeNodes()
    const events: unknown[] = []
    a.hub.on("node", (event) => events.push(event))
    expect(new Set(a.hub.nodes)).toEqual(new Set([b.hub.nodeId, c.hub.nodeId]))
    expect(new Set(c.hub.nodes)).toEqual(new Set([a.hub.nodeId, b.hub.nodeId]))
    await settle(b.hub.close())
    expect(a.hub.nodes).toEqual([c.hub.nodeId])
    expect(events).toEqual([{ nodeId: b.hub.nodeId, state: "down" }])
    await clock.advance(20_000)
    expect(a.hub.nodes).toEqual([c.hub.nodeId])
  })

  it("are not found to be down by one that stood still itself, and a dead one is found all the same", async () => {
    const { start, network, clock } = loopbackCluster()
    const { adapter, die } = mortal(network.adapter())
    const [a, b, c] = [await start(), await start(), await start({ adapter })]
    const events: unknown[] = []
    for (const { hub } of [a, b]) hub.on("node", (event) => events.push(event))
    await clock.advance(1_000)
    clock.stall(60_000)
    await clock.advance(1_000)
    expect(events).toEqual([])
    die()
    await clock.advance(4_000)
    expect(a.hub.nodes).toContain(c.hub.nodeId)
    await clock.advance(4_000)
    expect(events).toEqual(Array(2).fill({ nodeId: c.hub.nodeId, state: "down" }))
    expect(a.hub.nodes).toEqual([b.hub.nodeId])
  })

  it("leave no timer behind", async () => {
    const { a, b, c, clock, settle } = await threeNodes()
    a.add("a1", "r")
    b.hub.broadcast("hi")
    await clock.advance(10)
    await settle(Promise.all([a.hub.close(), b.hub.close(), c.hub.close()]), 2_000)
    expect(clock.pending).toBe(0)
  })
})

describe("hub.send to a connection of another node", () => {
  it("is forwarded, and reaches it alone", async () => {
    const { a, b, c, clock } = await threeNodes()
    const [b1, b2, c1] = [b.add("b1"), b.add("b2"), c.add("c1")]
    expect(a.hub.send("b1", "one")).toBe("forwarded")
    await clock.advance(5)
    expect(a.hub.send("b1", "two")).toBe("forwarded")
    await clock.advance(5)
    expect([b1.received(), b2.received(), c1.received()]).toEqual([["one", "two"], [], []])
    expect(b.hub.send("b1", "three")).toBe("sent")
  })

  it("goes to the node where it was found, and to no other", async () => {
    const { a, b, clock, network } = await threeNodes()
    const { received } = b.add("b1")
    a.hub.send("b1", "one")
    await clock.advance(5)
    const before = network.sent
    a.hub.send("b1", "two")
    await clock.advance(5)
    expect(network.sent - before).toBe(1)
    expect(received()).toEqual(["one", "two"])
  })

  it("finds it again on another node, under the same id", async () => {
    const { a, b, c, clock, settle } = await threeNodes()
    const { connection } = b.add("device")
    a.hub.send("device", "one")
    await clock.advance(5)
    await settle(connection.close())
    const { received } = c.add("device")
    a.hub.send("device", "two")
    await clock.advance(5)
    a.hub.send("device", "three")
    await clock.advance(5)
    expect(received()).toEqual(["two", "three"])
  })

  it("keeps order with sends to its rooms", async () => {
    const { a, b, clock } = await threeNodes()
    const { received } = b.add("b1", "r")
    await clock.advance(5)
    for (let i = 0; i < 20; i += 1) {
      if (i % 2 === 0) a.hub.to("r").send(`${i}`)
      else a.hub.send("b1", `${i}`)
    }
    await clock.advance(5)
    expect(received()).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`))
  })

  it("is an error event when the adapter cannot take it, and closed where there is no other node", async () => {
    const { a, network, clock } = await threeNodes()
    const errors: unknown[] = []
    a.hub.on("error", ({ error, stage }) => errors.push([(error as { code: string }).code, stage]))
    network.kill()
    expect(a.hub.send("b1", "lost")).toBe("forwarded")
    await clock.advance(1_000)
    expect(errors).toEqual([["ADAPTER_UNAVAILABLE", "adapter"]])
    expect(stubHub().hub.send("nobody", "hi")).toBe("closed")
  })
})

describe("A7: operations that a hub cannot read", () => {
  it("are ignored: of another version, of an unknown name, cut short, or garbage", async () => {
    const adapter = new RecordingAdapter()
    const { hub, add } = stubHub({ adapter })
    await hub.ready
    const { received } = add("a")
    const errors: unknown[] = []
    hub.on("error", (event) => errors.push(event))
    for (const operation of [
      "hello",
      "ask",
      "answer",
      "forward",
      "found",
      "lost",
      "alive",
      "from the future",
    ]) {
      for (const bytes of [[], [1], [2, 1, 2], [1, 0, 255], [1, ...Buffer.from('{"ask":')], [1, 110]]) {
        adapter.context.onOperation("other", operation, Uint8Array.from(bytes))
      }
    }
    adapter.context.onOperation("other", "ask", Buffer.from('\u0001{"id":1,"ask":"dance","names":{}}'))
    await Promise.resolve()
    expect([received(), errors]).toEqual([[], []])
    expect(hub.nodes).toEqual(["other"])
    adapter.context.onOperation("other", "bye", Uint8Array.of(9))
    expect(hub.nodes).toEqual([])
  })
})
