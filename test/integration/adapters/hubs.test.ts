import { binary, createHub, type Hub, text } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { Engine } from "../../support/adapters-engine.js"
import { natsAdapter, natsServer } from "../../support/adapters-nats.js"
import { AdapterNode } from "../../support/adapters-node.js"
import { BrokerProxy } from "../../support/adapters-proxy.js"
import { REDIS_CLIENTS, redisServer } from "../../support/adapters-redis.js"
import { inTime, until } from "../../support/deadline.js"
import { addPeer } from "../../support/stub-hub.js"

/** Longer than Debian's package takes to install. */
const INSTALL_MS = 120_000

let engine: Engine

beforeAll(async () => {
  engine = await Engine.start(redisServer())
}, INSTALL_MS)

afterAll(() => engine.stop())

const url = (port = engine.port) => `redis://127.0.0.1:${port}`

/** A hub over Redis, ready, that ends with the test. Its connections are stubs. */
async function startHub(port?: number): Promise<Hub<string, string>> {
  const adapter = REDIS_CLIENTS["@redis/client"](url(port))
  const hub = createHub<string, string>({ codec: text(), adapter, logger: false, heartbeat: false })
  onTestFinished(() => hub.close())
  await inTime(hub.ready, "the hub to be ready", 5_000)
  return hub
}

describe("two hubs over Redis", () => {
  it("S61: deliver whatever is sent after a join was confirmed, 200 of 200", async () => {
    const [one, other] = await Promise.all([startHub(), startHub()])
    const { connection, received } = addPeer(one)
    for (let i = 0; i < 200; i += 1) {
      await connection.join(`r${i}`)
      other.to(`r${i}`).send(`${i}`)
    }
    await until(() => received().length >= 200, "all messages", 5_000)
    expect(received()).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`))
  })

  it("S15: keep the order of room, user, everybody and direct sends", async () => {
    const [one, other] = await Promise.all([startHub(), startHub()])
    const { connection, received } = addPeer(one, { id: "a", userId: "ada" })
    await connection.join("r")
    await until(() => other.nodes.length > 0, "the nodes to meet")
    const ways = [other.to("r"), other.user("ada"), other.everybody]
    for (let i = 0; i < 100; i += 1) {
      const way = ways[i % 4]
      if (way) way.send(`${i}`)
      else other.send("a", `${i}`)
    }
    await until(() => received().length >= 100, "all messages")
    expect(received()).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`))
  })

  it("S46: close the connections of a user on every node", async () => {
    const [one, other] = await Promise.all([startHub(), startHub()])
    const { connection, socket } = addPeer(one, { userId: "eve" })
    await until(() => other.nodes.length > 0, "the nodes to meet")
    const { results, missing } = await other.user("eve").close(4403, "revoked")
    expect(missing).toEqual([])
    expect(results.flatMap(({ value }) => value.map(({ code }) => code))).toEqual([4403])
    expect(socket.closes).toEqual([{ code: 4403, reason: "revoked" }])
    expect(connection.state).toBe("closed")
  })

  it("R22: go on locally while Redis hangs, say so, and are together again once it goes on", async () => {
    const own = await Engine.start(redisServer())
    onTestFinished(() => own.stop())
    const [one, other] = await Promise.all([startHub(own.port), startHub(own.port)])
    const [here, there] = [addPeer(one), addPeer(other)]
    await Promise.all([here.connection.join("r"), there.connection.join("r")])
    const failures: unknown[] = []
    one.on("error", ({ error }) => failures.push((error as { code?: unknown }).code))
    await own.hang()
    one.to("r").send("local")
    await until(() => here.received().includes("local"), "the local delivery")
    await until(() => failures.includes("ADAPTER_UNAVAILABLE"), "the failure to be told", 3_000)
    own.resume()
    const again = () => {
      one.to("r").send("again")
      return there.received().includes("again")
    }
    await until(again, "messages to flow again", 5_000)
  })
})

describe("A9: a node without members of a room", () => {
  it("receives 0 bytes for it", async () => {
    const proxy = await BrokerProxy.start(engine.port)
    onTestFinished(() => proxy.stop())
    const speaker = await AdapterNode.start(REDIS_CLIENTS.ioredis(url()))
    const hearer = await AdapterNode.start(REDIS_CLIENTS.ioredis(url()), "room:busy")
    // its time stands still: it asks nothing of its own accord
    const idle = await AdapterNode.start(
      REDIS_CLIENTS.ioredis(url(proxy.port), { clock: new VirtualClock() }),
      "room:quiet",
    )
    const before = proxy.bytesBack
    for (let i = 0; i < 500; i += 1) await speaker.publish("room:busy", "x".repeat(1_000))
    await until(() => hearer.texts.length === 500, "the messages elsewhere")
    expect(before).toBeGreaterThan(0)
    expect(proxy.bytesBack).toBe(before)
    await Promise.all([speaker, hearer, idle].map((node) => node.adapter.close({ deadlineMs: 0 })))
  })
})

describe("A9: a node without members of a room, over NATS", () => {
  it("receives nothing for it: what comes are the server's own pings", async () => {
    const server = await Engine.start(natsServer())
    const proxy = await BrokerProxy.start(server.port)
    onTestFinished(async () => {
      await proxy.stop()
      await server.stop()
    })
    const make = (port: number, clock?: VirtualClock) =>
      natsAdapter(`nats://127.0.0.1:${port}`, clock ? { clock } : {})
    const [speaker, hearer, idle] = await Promise.all([
      AdapterNode.start(make(server.port)),
      AdapterNode.start(make(server.port), "room:busy"),
      AdapterNode.start(make(proxy.port, new VirtualClock()), "room:quiet"),
    ])
    const before = proxy.bytesBack
    for (let i = 0; i < 500; i += 1) void speaker.publish("room:busy", "x".repeat(1_000))
    await until(() => hearer.texts.length === 500, "the messages elsewhere")
    // a ping has six bytes, and the first comes two seconds after the start
    expect(proxy.bytesBack - before).toBeLessThan(100)
    await Promise.all([speaker, hearer, idle].map((node) => node.adapter.close({ deadlineMs: 0 })))
  })
})

describe("payloads over Redis", () => {
  it("are the codec's bytes, and nothing is added to them", async () => {
    const make = () =>
      createHub<Uint8Array, Uint8Array>({
        ...{ codec: binary(), adapter: REDIS_CLIENTS.ioredis(url()), logger: false },
      })
    const [one, other] = [make(), make()]
    onTestFinished(async () => void (await Promise.all([one.close(), other.close()])))
    await Promise.all([one.ready, other.ready])
    const { received } = addPeer(one)
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    other.broadcast(bytes)
    await until(() => received().length > 0, "the message")
    expect(received()).toEqual([Buffer.from(bytes)])
  })
})
