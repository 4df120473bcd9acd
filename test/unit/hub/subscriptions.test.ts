import type { MaybePromise } from "holdfast"
import { describe, expect, it } from "vitest"
import { RecordingAdapter } from "../../support/recording-adapter.js"
import { addPeer, stubHub } from "../../support/stub-hub.js"

/** A ready hub whose adapter answers each subscription of a room or a user as `subscribe` does. */
async function subscribingHub(subscribe?: (channel: string) => MaybePromise<void>) {
  const adapter = new RecordingAdapter({
    subscribe: ([channel = ""]) => (channel === "everybody" ? undefined : subscribe?.(channel)),
  })
  const node = stubHub({ adapter })
  await node.hub.ready
  adapter.subscribed.length = 0
  return { ...node, adapter }
}

/** A promise and its two ends. */
function pending() {
  let resolve!: () => void
  let reject!: (error: Error) => void
  const promise = new Promise<void>((...ends) => {
    ;[resolve, reject] = ends
  })
  return { promise, resolve, reject }
}

/** How a promise stands at this moment. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  const unsettled = Symbol("unsettled")
  for (let i = 0; i < 8; i += 1) await null
  return Promise.race([promise, unsettled]).then(
    (it) => (it === unsettled ? "pending" : "resolved"),
    (error: Error) => `rejected: ${error.message}`,
  )
}

describe("S61: join resolves only when a send from any node reaches the connection", () => {
  it("when the adapter has confirmed the subscription", async () => {
    const confirmation = pending()
    const { add, adapter, hub } = await subscribingHub((channel) =>
      channel === "room:r" ? confirmation.promise : undefined,
    )
    const [a, b] = [add("a"), add("b")]
    const joins = [a.connection.join("r"), b.connection.join(["other", "r"]), a.connection.join("r")]
    expect(hub.members("r").size).toBe(2)
    expect(await Promise.all(joins.map(stateOf))).toEqual(["pending", "pending", "pending"])
    confirmation.resolve()
    expect(await Promise.all(joins.map(stateOf))).toEqual(["resolved", "resolved", "resolved"])
    expect(adapter.subscribed).toEqual(["room:r", "room:other"])
  })

  it("when the adapter is connected, where the join came first", async () => {
    const connection = pending()
    const adapter = new RecordingAdapter({ connect: () => connection.promise })
    const { add, hub, flush } = stubHub({ adapter })
    const { connection: a, received } = add("a")
    const join = a.join("r")
    hub.to("r").send("local members need no adapter")
    await flush()
    expect(received()).toHaveLength(1)
    expect(await stateOf(join)).toBe("pending")
    expect(adapter.subscribed).toEqual([])
    connection.resolve()
    expect(await stateOf(join)).toBe("resolved")
    expect(adapter.subscribed.sort()).toEqual(["everybody", "room:r"])
  })

  it.each([
    ["rejected", () => Promise.reject(new Error("no permission"))],
    [
      "thrown at",
      () => {
        throw new Error("no permission")
      },
    ],
  ])(
    "or rejects when the subscription is %s: an error event, and no unhandled rejection",
    async (_how, fail) => {
      let isFailing = true
      const { add, hub, adapter } = await subscribingHub(() => (isFailing ? fail() : undefined))
      const errors: unknown[] = []
      hub.on("error", ({ error, stage }) => errors.push([stage, error]))
      const { connection } = add("a")
      void connection.join("ignored")
      expect(await stateOf(connection.join("r"))).toBe("rejected: no permission")
      expect(errors).toEqual([
        ["adapter", new Error("no permission")],
        ["adapter", new Error("no permission")],
      ])
      // local members are served all the same, and the next member asks again
      expect(hub.to("r").send("hi").sent).toBe(1)
      isFailing = false
      expect(await stateOf(add("b").connection.join("r"))).toBe("resolved")
      expect(adapter.subscribed).toEqual(["room:ignored", "room:r", "room:r"])
    },
  )

  it("a failing subscription of a user's channel does not keep the connection out", async () => {
    const { hub } = await subscribingHub(() => {
      throw new Error("no permission")
    })
    const errors: string[] = []
    hub.on("error", ({ stage }) => errors.push(stage))
    const { connection } = addPeer(hub, { userId: "ada" })
    await stateOf(hub.ready)
    expect(connection.state).toBe("open")
    expect(errors).toEqual(["adapter"])
  })
})

describe("a hub that was closed", () => {
  // a server hands over one more before it knows, and with it came subscriptions of an adapter that had ended
  it("asks its adapter for nothing any more, whoever is handed over", async () => {
    const { hub, adapter, clock } = await subscribingHub()
    await hub.close()
    hub.on("connection", ({ connection }) => void connection.join("r"))
    const { connection } = addPeer(hub, { userId: "ada" })
    expect(await stateOf(connection.join("later"))).toBe("resolved")
    expect(await connection.closed).toMatchObject({ code: 1001 })
    await clock.advance(10_000)
    expect([adapter.subscribed, adapter.unsubscribed]).toEqual([[], []])
    expect([hub.size, clock.pending]).toEqual([0, 0])
  })
})

describe("channels are subscribed while they have a member, and one second longer", () => {
  it("on the first member only", async () => {
    const { add, adapter, hub } = await subscribingHub()
    add("a", "r")
    add("b", "r")
    addPeer(hub, { userId: "ada" })
    addPeer(hub, { userId: "ada" })
    expect(adapter.subscribed).toEqual(["room:r", "user:ada"])
  })

  it("until a second after the last member left", async () => {
    const { add, adapter, clock } = await subscribingHub()
    const [a, b] = [add("a", "r"), add("b", "r")]
    a.connection.leave("r")
    await clock.advance(5_000)
    expect(adapter.unsubscribed).toEqual([])
    b.socket.end()
    await clock.advance(999)
    expect(adapter.unsubscribed).toEqual([])
    await clock.advance(1)
    expect(adapter.unsubscribed).toEqual(["room:r"])
  })

  it("none of them for less than a second or more than two, however they empty", async () => {
    const { add, adapter, clock } = await subscribingHub()
    const { connection } = add("a", "r1", "r2", "r3")
    connection.leave("r1")
    await clock.advance(600)
    connection.leave("r2")
    await clock.advance(400)
    expect(adapter.unsubscribed).toEqual(["room:r1"])
    await clock.advance(599)
    expect(adapter.unsubscribed).toEqual(["room:r1"])
    await clock.advance(1_001)
    expect(adapter.unsubscribed).toEqual(["room:r1", "room:r2"])
    expect(adapter.channels).toEqual(new Set(["everybody", "room:r3"]))
    // the next sweep, and the node's own beat
    expect(clock.pending).toBe(2)
  })

  it("so that a room which fills again within the second costs the broker nothing", async () => {
    const { add, adapter, clock } = await subscribingHub()
    const { connection } = add("a", "r")
    for (let i = 0; i < 10; i += 1) {
      connection.leave("r")
      await clock.advance(900)
      void connection.join("r")
    }
    await clock.advance(5_000)
    expect(adapter.subscribed).toEqual(["room:r"])
    expect(adapter.unsubscribed).toEqual([])
    expect(adapter.channels).toContain("room:r")
  })

  it("and are subscribed anew after that", async () => {
    const { add, adapter, clock } = await subscribingHub()
    const { connection } = add("a", "r")
    connection.leave("r")
    await clock.advance(2_000)
    void connection.join("r")
    expect(adapter.subscribed).toEqual(["room:r", "room:r"])
  })

  it("a confirmation that comes after the channel was given up does not confirm the next subscription", async () => {
    const confirmations = [pending(), pending()]
    let asked = 0
    const { add, clock } = await subscribingHub(() => confirmations[asked++]?.promise)
    const { connection } = add("a", "r")
    connection.leave("r")
    await clock.advance(2_000)
    const again = connection.join("r")
    confirmations[0]?.resolve()
    expect(await stateOf(again)).toBe("pending")
    expect(await stateOf(add("b").connection.join("r"))).toBe("pending")
    confirmations[1]?.resolve()
    expect(await stateOf(again)).toBe("resolved")
  })

  it("a member that a listener takes out again at once leaves no subscription behind", async () => {
    const { add, adapter, clock, hub } = await subscribingHub()
    hub.on("join", ({ connection, room }) => connection.leave(room))
    add("a", "r")
    await clock.advance(2_000)
    expect(adapter.channels).toEqual(new Set(["everybody"]))
  })

  it.each([
    ["rejects", () => Promise.reject(new Error("gone"))],
    [
      "throws",
      () => {
        throw new Error("gone")
      },
    ],
  ])("when unsubscribe %s it is an error event, and goes on", async (_how, unsubscribe) => {
    const adapter = new RecordingAdapter({ unsubscribe })
    const { hub, add, clock } = stubHub({ adapter })
    const errors: unknown[] = []
    hub.on("error", ({ error }) => errors.push(error))
    const { connection } = add("a", "r")
    await hub.ready
    connection.leave("r")
    await clock.advance(1_000)
    expect(errors).toEqual([new Error("gone")])
  })
})
