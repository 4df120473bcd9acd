import { type Adapter, createHub, createPresence } from "holdfast"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { Engine } from "../../support/adapters-engine.js"
import { kafkaAdapter, kafkaBroker } from "../../support/adapters-kafka.js"
import { natsAdapter, natsServer } from "../../support/adapters-nats.js"
import { REDIS_CLIENTS, redisServer } from "../../support/adapters-redis.js"
import { PATIENT } from "../../support/adapters-suite.js"
import { inTime, until } from "../../support/deadline.js"
import { StubSocket } from "../../support/stub-socket.js"

/** Longer than Debian's packages take to install. */
const INSTALL_MS = 120_000
/** A new group of Kafka waits for three seconds. */
const READY_MS = 15_000
const PATIENCE_MS = 8_000

const BROKERS = {
  Redis: {
    kind: redisServer,
    adapter: (port: number) => REDIS_CLIENTS["@redis/client"](`redis://127.0.0.1:${port}`, PATIENT),
  },
  NATS: { kind: natsServer, adapter: (port: number) => natsAdapter(`nats://127.0.0.1:${port}`, PATIENT) },
  Kafka: { kind: kafkaBroker, adapter: (port: number) => kafkaAdapter(`127.0.0.1:${port}`, PATIENT) },
}

/** A node that watches who is present. */
async function startNode(adapter: Adapter) {
  const hub = createHub({ adapter, logger: false, heartbeat: false })
  onTestFinished(() => hub.close())
  const presence = createPresence(hub, { meta: ({ userId }) => `${userId} is here`, logger: false })
  onTestFinished(() => presence.close())
  await inTime(hub.ready, "the hub to be ready", READY_MS)
  return {
    hub,
    enter(userId: string) {
      const connection = hub.add(new StubSocket(), { userId })
      void connection.join("lobby")
      return connection
    },
    /** Waits until just these are present. */
    async sees(...keys: string[]) {
      const present = () => presence.members("lobby").map(({ key }) => key)
      await until(() => present().sort().join() === keys.join(), `${keys.join(", ")}`, PATIENCE_MS)
      expect(presence.members("lobby").map(({ meta }) => meta)).toEqual(
        present().map((it) => `${it} is here`),
      )
    },
  }
}

describe.each(Object.entries(BROKERS))("T9: presence over %s", (_name, { kind, adapter }) => {
  let engine: Engine
  beforeAll(async () => {
    engine = await Engine.start(kind())
  }, INSTALL_MS)
  afterAll(() => engine.stop())

  it("is the same on every node, whoever comes, goes, and stops", { timeout: 60_000 }, async () => {
    const [one, other] = await Promise.all([startNode(adapter(engine.port)), startNode(adapter(engine.port))])
    const ada = one.enter("ada")
    one.enter("eve")
    const again = other.enter("ada")
    other.enter("bob")
    for (const node of [one, other]) await node.sees("ada", "bob", "eve")
    ada.leave("lobby")
    await one.sees("ada", "bob", "eve")
    again.leave("lobby")
    for (const node of [one, other]) await node.sees("bob", "eve")
    const late = await startNode(adapter(engine.port))
    await late.sees("bob", "eve")
    await other.hub.close()
    for (const node of [one, late]) await node.sees("eve")
  })
})
