import { connect as connectNats } from "@nats-io/transport-node"
import { createClient } from "@redis/client"
import { type Adapter, createHub, text } from "holdfast"
import { nats } from "holdfast/adapters/nats"
import { Kafka, logLevel } from "kafkajs"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { Engine, type EngineKind } from "../../support/adapters-engine.js"
import { kafkaAdapter, kafkaBroker } from "../../support/adapters-kafka.js"
import { natsAdapter, natsServer } from "../../support/adapters-nats.js"
import { AdapterNode } from "../../support/adapters-node.js"
import { REDIS_CLIENTS, redisServer } from "../../support/adapters-redis.js"
import { until } from "../../support/deadline.js"
import { addPeer } from "../../support/stub-hub.js"

/** Longer than Debian's packages take to install. */
const INSTALL_MS = 120_000

/** Garbage, half an envelope, and one of a version to come. */
const FOREIGN = [Buffer.from("hello?"), Buffer.alloc(0), Buffer.of(1, 0), Buffer.of(2, 0, 1, 97)]

interface Case {
  readonly kind: () => EngineKind
  adapter(port: number): Adapter
  /** Sends bytes to the channel `room:a` as somebody else would. */
  intrude(port: number, bytes: readonly Buffer[]): Promise<void>
}

const CASES: Readonly<Record<string, Case>> = {
  "Redis with @redis/client": {
    kind: redisServer,
    adapter: (port) => REDIS_CLIENTS["@redis/client"](`redis://127.0.0.1:${port}`),
    intrude: intrudeRedis,
  },
  "Redis with ioredis": {
    kind: redisServer,
    adapter: (port) => REDIS_CLIENTS.ioredis(`redis://127.0.0.1:${port}`),
    intrude: intrudeRedis,
  },
  NATS: {
    kind: natsServer,
    adapter: (port) => natsAdapter(`nats://127.0.0.1:${port}`, {}),
    async intrude(port, bytes) {
      const connection = await connectNats({ servers: `nats://127.0.0.1:${port}` })
      for (const it of bytes) connection.publish("holdfast.c=3aroom=3aa", it)
      await connection.flush()
      await connection.close()
    },
  },
  Kafka: {
    kind: kafkaBroker,
    adapter: (port) => kafkaAdapter(`127.0.0.1:${port}`, {}),
    async intrude(port, bytes) {
      const client = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING })
      const producer = client.producer({ createPartitioner: () => () => 0 })
      await producer.connect()
      const messages = bytes.map((value) => ({ key: "c:room:a", value }))
      await producer.send({ topic: "holdfast", messages: [...messages, { value: "no key" }] })
      await producer.disconnect()
    },
  },
}

async function intrudeRedis(port: number, bytes: readonly Buffer[]): Promise<void> {
  const client = createClient({ url: `redis://127.0.0.1:${port}` })
  await client.connect()
  for (const it of bytes) await client.publish("holdfast:c:room:a", it)
  client.destroy()
}

const engines = new Map<string, Engine>()

beforeAll(async () => {
  for (const [name, { kind }] of Object.entries(CASES)) engines.set(name, await Engine.start(kind()))
}, INSTALL_MS)

afterAll(() => Promise.all([...engines.values()].map((engine) => engine.stop())))

/** A hub that goes on by itself, whatever becomes of its adapter, and the codes of what went wrong. */
function lonelyHub(adapter: Adapter) {
  const hub = createHub<string, string>({ codec: text(), adapter, logger: false, heartbeat: false })
  const failures: { code?: unknown; cause?: unknown }[] = []
  hub.on("error", ({ error }) => failures.push(error as { code?: unknown }))
  hub.ready.catch(() => {})
  onTestFinished(() => hub.close())
  const { connection, received } = addPeer(hub)
  void connection.join("a").catch(() => {})
  return { hub, failures, received }
}

describe.each(Object.entries(CASES))("A7: %s", (name, { adapter, intrude }) => {
  const port = () => (engines.get(name) as Engine).port

  it("is there for local members while it cannot be reached, and says so with a code and a cause", async () => {
    const lonely = adapter(1)
    const { hub, failures, received } = lonelyHub(lonely)
    hub.to("a").send("hello")
    await until(() => received().includes("hello"), "the local delivery")
    await until(() => failures.length > 0, "the failure to be told", 5_000)
    await until(() => lonely.health().lastError !== undefined, "the reason", 10_000)
    expect(failures[0]).toMatchObject({ code: "ADAPTER_UNAVAILABLE" })
    expect(lonely.health()).toMatchObject({ state: expect.stringMatching(/^(connecting|down)$/) })
  })

  it("counts and skips messages of others and of versions to come, and goes on", async () => {
    const nodes = [AdapterNode.start(adapter(port()), "room:a"), AdapterNode.start(adapter(port()))]
    const [hearer, speaker] = (await Promise.all(nodes)) as [AdapterNode, AdapterNode]
    onTestFinished(async () => void (await Promise.all([hearer.close(), speaker.close()])))
    const unreadable = () => hearer.adapter.health().counters?.unreadable ?? 0
    const before = unreadable()
    await intrude(port(), FOREIGN)
    await until(() => unreadable() - before === FOREIGN.length, "all of them to be counted", 5_000)
    await speaker.publish("room:a", "still here")
    await until(() => hearer.texts.length > 0, "the message", 5_000)
    expect([hearer.texts, hearer.gaps, hearer.states.at(-1)]).toEqual([["still here"], [], "up"])
  })
})

describe("A7: a wrong password", () => {
  const guarded: readonly [string, () => EngineKind, (port: number) => Adapter, RegExp][] = [
    [
      "Redis with @redis/client",
      () => redisServer("--requirepass", "right"),
      (port) => REDIS_CLIENTS["@redis/client"](`redis://:wrong@127.0.0.1:${port}`),
      /WRONGPASS/,
    ],
    [
      "Redis with ioredis",
      () => redisServer("--requirepass", "right"),
      (port) => REDIS_CLIENTS.ioredis(`redis://:wrong@127.0.0.1:${port}`),
      /WRONGPASS|NOAUTH/,
    ],
    [
      "NATS",
      () => ({
        ...natsServer(),
        args: (port) => [...natsServer().args(port, ""), "--user", "u", "--pass", "p"],
      }),
      (port) =>
        nats((options) =>
          connectNats({ servers: `nats://127.0.0.1:${port}`, user: "u", pass: "wrong", ...options }),
        ),
      /authorization/i,
    ],
  ]

  it.each(guarded)("of %s is told in its own words, and local delivery goes on", async (...given) => {
    const [, kind, makeAdapter, words] = given
    const engine = await Engine.start(kind())
    onTestFinished(() => engine.stop())
    const adapter = makeAdapter(engine.port)
    const { hub, failures, received } = lonelyHub(adapter)
    hub.to("a").send("hello")
    await until(() => received().includes("hello"), "the local delivery")
    await until(() => words.test(String(adapter.health().lastError)), "the reason in health", 5_000)
    hub.to("a").send("hello again")
    const isTold = () => failures.some(({ cause }) => words.test(String(cause)))
    await until(isTold, "the failure to be told with its cause", 5_000)
    for (const { code } of failures) expect(code).toBe("ADAPTER_UNAVAILABLE")
  })
})
