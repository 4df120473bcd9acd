import { createPublisher, text } from "holdfast"
import { describe, expect, it } from "vitest"
import { loopbackCluster } from "../../support/adapters-cluster.js"

async function withPublisher() {
  const cluster = loopbackCluster()
  const [a, b] = [await cluster.start(), await cluster.start()]
  const publisher = createPublisher<string>(cluster.network.adapter(), { codec: text(), logger: false })
  await cluster.clock.advance(10)
  await publisher.ready
  return { ...cluster, a, b, publisher }
}

describe("a publisher", () => {
  it("reaches rooms, users, everybody and one connection, each once", async () => {
    const { a, b, publisher, clock } = await withPublisher()
    const [a1, b1, b2] = [a.add("a1", "r", "s"), b.add("b1", "s"), b.addUser("b2", "ada")]
    await clock.advance(10)
    const sent = [
      publisher.to(["r", "s"]).send("rooms"),
      publisher.user("ada").send("user"),
      publisher.everybody.except("a1").exceptRooms("s").send("everybody"),
      publisher.send("b1", "one"),
    ]
    await clock.advance(10)
    await Promise.all(sent)
    expect(a1.received()).toEqual(["rooms"])
    expect(b1.received()).toEqual(["rooms", "one"])
    expect(b2.received()).toEqual(["user", "everybody"])
  })

  it("closes a user's connections on every node", async () => {
    const { a, b, publisher, clock } = await withPublisher()
    const peers = [a.addUser("a1", "ada"), b.addUser("b1", "ada"), b.addUser("b2", "bob")]
    const closing = publisher.user("ada").close(4403, "revoked")
    await clock.advance(10)
    await closing
    expect(peers.map(({ socket }) => socket.closes.length)).toEqual([1, 1, 0])
    await expect(publisher.user("ada").close(1006)).rejects.toThrow("close code must be")
  })

  it("is no node: nobody counts it, and it gets nothing", async () => {
    const { a, b, publisher, clock, network } = await withPublisher()
    const sent = publisher.everybody.send("hi")
    await clock.advance(10)
    await sent
    expect(a.hub.nodes).toEqual([b.hub.nodeId])
    const before = network.sent
    a.hub.broadcast("hi")
    await clock.advance(10)
    // the other hub, and the broker's echo
    expect(network.sent - before).toBe(2)
  })

  it("A3: rejects within a second when the broker does not take it", async () => {
    const { publisher, clock, network } = await withPublisher()
    network.hang()
    const outcome = publisher
      .to("r")
      .send("hi")
      .catch((error: { code: string }) => error.code)
    await clock.advance(1_001)
    expect(await outcome).toBe("ADAPTER_UNAVAILABLE")
  })

  it("ends with all timers, and sends nothing afterwards", async () => {
    const { a, b, publisher, clock } = await withPublisher()
    const sent = publisher.everybody.send("hi")
    await clock.advance(10)
    await sent
    const ends = [publisher.close(), a.hub.close(), b.hub.close()]
    await clock.advance(2_000)
    await Promise.all(ends)
    expect(clock.pending).toBe(0)
    await expect(publisher.everybody.send("late")).rejects.toThrow("not connected")
  })

  it("refuses what is no adapter and no codec", () => {
    expect(() => createPublisher({} as never)).toThrow("hub.adapter must be an object with connect")
  })
})
