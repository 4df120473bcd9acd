import { binary, createHub, type Hub, memoryAdapter } from "holdfast"
import { describe, expect, it } from "vitest"
import { RecordingAdapter } from "../../support/recording-adapter.js"
import { addPeer, stubHub } from "../../support/stub-hub.js"
import { StubSocket } from "../../support/stub-socket.js"

/** A hub over a recording adapter, ready. */
async function nodeHub(answers?: ConstructorParameters<typeof RecordingAdapter>[0]) {
  const adapter = new RecordingAdapter(answers)
  const node = stubHub({ adapter })
  await node.hub.ready
  return { ...node, adapter }
}

/** Collects the `error` events of a hub. */
function errorsOf(hub: Hub<string, string>): { error: unknown; stage: string }[] {
  const errors: { error: unknown; stage: string }[] = []
  hub.on("error", (event) => errors.push(event))
  return errors
}

const NO_EXCEPTIONS = { exceptIds: [], exceptChannels: [] }

describe("what a hub publishes", () => {
  it("is every send that may reach another node, verbatim and in order", async () => {
    const { hub, add, adapter } = await nodeHub()
    add("a", "r")
    hub.to("r").send("one")
    hub.user("ada").send("two")
    hub.broadcast("three")
    hub.to("nobody here").send("four")
    expect(adapter.published).toEqual([
      { channel: "room:r", payload: "one", ...NO_EXCEPTIONS },
      { channel: "user:ada", payload: "two", ...NO_EXCEPTIONS },
      { channel: "everybody", payload: "three", ...NO_EXCEPTIONS },
      { channel: "room:nobody here", payload: "four", ...NO_EXCEPTIONS },
    ])
  })

  it("is the encoded payload, byte for byte", async () => {
    const adapter = new RecordingAdapter()
    const hub = createHub({ codec: binary(), adapter })
    const bytes = Uint8Array.of(0, 255, 128)
    hub.broadcast(bytes)
    // whoever sent it may use its memory again before the adapter has sent it
    bytes.fill(1)
    expect(adapter.published[0]?.payload).toEqual(Uint8Array.of(0, 255, 128))
    const { hub: other, adapter: texts } = await nodeHub()
    other.broadcast('{"ä":"🦀"}')
    expect(texts.published[0]?.payload).toBe('{"ä":"🦀"}')
  })

  it("names who is left out", async () => {
    const { hub, add, adapter } = await nodeHub()
    const { connection } = add("a")
    hub.to("r").except([connection, "elsewhere"]).exceptRooms("quiet").send("hi")
    expect(adapter.published).toEqual([
      { channel: "room:r", payload: "hi", exceptIds: ["a", "elsewhere"], exceptChannels: ["room:quiet"] },
    ])
  })

  it("leaves out, in later channels of a selection, the members of the earlier ones", async () => {
    const { hub, adapter } = await nodeHub()
    hub.to(["r1", "r2", "r3"]).exceptRooms("quiet").send("hi")
    expect(adapter.published.map(({ channel, exceptChannels }) => [channel, exceptChannels])).toEqual([
      ["room:r1", ["room:quiet"]],
      ["room:r2", ["room:quiet", "room:r1"]],
      ["room:r3", ["room:quiet", "room:r1", "room:r2"]],
    ])
  })

  it("is one message for everybody, whatever rooms are named beside", async () => {
    const { hub, adapter } = await nodeHub()
    hub.everybody.to(["r1", "r2"]).send("hi")
    expect(adapter.published.map(({ channel }) => channel)).toEqual(["everybody"])
  })

  it("is nothing for a local selection, a send by id or a connection's own send", async () => {
    const { hub, add, adapter } = await nodeHub()
    const { connection } = add("a", "r")
    hub.to("r").local.send("one")
    hub.everybody.local.except("b").send("two")
    hub.send("a", "three")
    connection.send("four")
    expect(adapter.published).toEqual([])
  })

  it("is nothing through an adapter that is alone", () => {
    const adapter = Object.assign(new RecordingAdapter(), { isAlone: true })
    stubHub({ adapter }).hub.broadcast("hi")
    expect(adapter.published).toEqual([])
    expect(memoryAdapter().isAlone).toBe(true)
  })
})

describe("what comes in from other nodes", () => {
  it("reaches the members of its channel, less the exceptions, and is not published again", async () => {
    const { hub, flush, adapter } = await nodeHub()
    const peers = ["a", "b", "c"].map((id) => addPeer(hub, { id, userId: "ada" }))
    const received = async () => {
      await flush()
      return peers
        .filter(({ stream }) => stream.writes.splice(0).length > 0)
        .map(({ connection }) => connection.id)
    }
    void peers[0]?.connection.join("r")
    void peers[1]?.connection.join(["r", "quiet"])
    adapter.deliver({ channel: "room:r", payload: "hi" })
    expect(await received()).toEqual(["a", "b"])
    adapter.deliver({ channel: "room:r", payload: "hi", exceptIds: ["a"] })
    expect(await received()).toEqual(["b"])
    adapter.deliver({ channel: "room:r", payload: "hi", exceptChannels: ["room:quiet"] })
    expect(await received()).toEqual(["a"])
    adapter.deliver({ channel: "user:ada", payload: "hi", exceptIds: ["b"] })
    expect(await received()).toEqual(["a", "c"])
    adapter.deliver({ channel: "everybody", payload: "hi", exceptChannels: ["room:quiet", "room:unknown"] })
    expect(await received()).toEqual(["a", "c"])
    adapter.deliver({ channel: "room:unknown", payload: "hi" })
    adapter.deliver({ channel: "no such channel", payload: "hi" })
    expect(await received()).toEqual([])
    expect(adapter.published).toEqual([])
  })

  it("is framed once, as text or binary by its payload", async () => {
    const { hub, add, flush, adapter } = await nodeHub()
    const peers = [add("a"), add("b")]
    adapter.deliver({ channel: "everybody", payload: "text" })
    adapter.deliver({ channel: "everybody", payload: Uint8Array.of(1, 2) })
    await flush()
    expect(hub.framesEncoded).toBe(2)
    for (const peer of peers) expect(peer.received()).toEqual(["text", Buffer.of(1, 2)])
  })

  it("delivers a multi-room send of another hub once to each member", async () => {
    const [sender, receiver] = [await nodeHub(), await nodeHub()]
    const peers = [receiver.add("a", "r1"), receiver.add("b", "r1", "r2"), receiver.add("c", "r2", "r3")]
    sender.hub.to(["r1", "r2", "r3"]).send("hi")
    for (const publication of sender.adapter.published) receiver.adapter.deliver(publication)
    await receiver.flush()
    for (const peer of peers) expect(peer.received()).toEqual(["hi"])
  })
})

describe("A1: when publishing fails", () => {
  it.each([
    ["rejects", () => Promise.reject(new Error("broker is gone"))],
    [
      "throws",
      (): void => {
        throw new Error("broker is gone")
      },
    ],
  ])(
    "because publish %s, local members are served all the same and an error event says so",
    async (_how, publish) => {
      const { hub, add, flush } = await nodeHub({ publish })
      const errors = errorsOf(hub)
      const { received } = add("a", "r")
      expect(hub.to("r").send("hi")).toEqual({ matched: 1, sent: 1, queued: 0, dropped: 0 })
      await flush()
      expect(received()).toEqual(["hi"])
      expect(errors).toEqual([{ error: new Error("broker is gone"), stage: "adapter" }])
    },
  )

  it("local members are served before the adapter is asked", async () => {
    const order: string[] = []
    const { hub, add } = await nodeHub({ publish: () => void order.push("published") })
    const { connection } = add("a", "r")
    const transmit = connection.transmit.bind(connection)
    connection.transmit = (frame) => {
      order.push("transmitted")
      return transmit(frame)
    }
    hub.to("r").send("hi")
    expect(order).toEqual(["transmitted", "published"])
  })
})

describe("hub.ready", () => {
  it("resolves once the adapter is connected and everybody's channel is subscribed", async () => {
    const order: string[] = []
    const answer = (name: string) => async () => {
      await null
      order.push(name)
    }
    const adapter = new RecordingAdapter({ connect: answer("connected"), subscribe: answer("subscribed") })
    await stubHub({ adapter }).hub.ready
    expect(order).toEqual(["connected", "subscribed"])
    expect(adapter.subscribed).toEqual(["everybody"])
  })

  it("gives the adapter the node's name and its ways to report", async () => {
    const { hub, adapter } = await nodeHub()
    const events: unknown[] = []
    hub.on("adapter", (event) => events.push(event))
    hub.on("gap", (event) => events.push(event))
    adapter.context.onState("degraded")
    adapter.context.onGap({ channels: ["room:r"], reason: "the broker restarted", count: 3 })
    expect(adapter.context.nodeId).toBe(hub.nodeId)
    expect(events).toEqual([
      { state: "degraded" },
      { channels: ["room:r"], reason: "the broker restarted", count: 3 },
    ])
  })

  it.each([
    ["rejects", () => Promise.reject(new Error("refused"))],
    [
      "throws",
      (): void => {
        throw new Error("refused")
      },
    ],
  ])("rejects when connect %s, which is an error event and no unhandled rejection", async (_how, connect) => {
    const { hub } = stubHub({ adapter: new RecordingAdapter({ connect }) })
    const errors = errorsOf(hub)
    await expect(hub.ready).rejects.toThrow("refused")
    expect(errors).toEqual([{ error: new Error("refused"), stage: "adapter" }])
  })
})

describe("hub.close", () => {
  it("closes the connections with 1001, then the adapter, once", async () => {
    const { hub, add, adapter } = await nodeHub()
    const { socket } = add("a", "r")
    let closedBefore: unknown
    hub.on("close", () => {
      closedBefore = [...adapter.closed]
    })
    expect(adapter.context.signal.aborted).toBe(false)
    await Promise.all([hub.close(), hub.close(4000), hub[Symbol.asyncDispose]()])
    expect(socket.closes).toEqual([{ code: 1001, reason: "" }])
    expect(closedBefore).toEqual([])
    expect(adapter.closed).toEqual([{ deadlineMs: 5_000 }])
    expect(adapter.context.signal.aborted).toBe(true)
    expect(hub.size).toBe(0)
  })

  it("works after a call with a code that cannot be sent", async () => {
    const { hub, adapter } = await nodeHub()
    await expect(hub.close(1006)).rejects.toThrow(/^close code must be .* received 1006$/)
    await hub.close(1012)
    expect(adapter.closed).toHaveLength(1)
  })

  it("closes whoever is handed over afterwards", async () => {
    const { hub, add } = await nodeHub()
    const closing = hub.close()
    const { socket, connection } = add("late", "r")
    await closing
    expect(socket.closes).toEqual([{ code: 1001, reason: "" }])
    expect((await connection.closed).cause).toBe("local")
    expect(hub.size).toBe(0)
  })

  it("leaves no timer behind", async () => {
    const { hub, add, clock } = await nodeHub()
    add("a", "r")
    await hub.close()
    await clock.advance(0)
    expect(clock.pending).toBe(0)
  })

  it("waits for closing handshakes, each at most closeTimeoutMs", async () => {
    const { hub, add, clock, adapter } = await nodeHub()
    const { socket, connection } = add()
    socket.isMute = true
    const closing = hub.close()
    await clock.advance(4_999)
    expect(connection.state).toBe("closing")
    expect(adapter.closed).toEqual([])
    await clock.advance(1)
    await closing
    expect((await connection.closed).cause).toBe("local")
    expect(adapter.closed).toHaveLength(1)
  })

  it("asks a slow adapter for nothing that comes too late", async () => {
    let connected = () => {}
    const adapter = new RecordingAdapter({
      connect: () =>
        new Promise<void>((resolve) => {
          connected = resolve
        }),
    })
    const { hub } = stubHub({ adapter })
    void hub.add(new StubSocket()).join("r")
    await hub.close()
    connected()
    await hub.ready
    expect(adapter.subscribed).toEqual([])
  })
})
