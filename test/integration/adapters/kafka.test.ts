import { afterAll, beforeAll, describe } from "vitest"
import { Engine } from "../../support/adapters-engine.js"
import { kafkaAdapter, kafkaAdapterThrough, kafkaBroker } from "../../support/adapters-kafka.js"
import { adapterSuite } from "../../support/adapters-suite.js"

/** Longer than Debian's package takes to install. */
const INSTALL_MS = 120_000

/** Kafka lets a new group wait for three seconds, so nearly all of the time is waiting. */
const SETTINGS = { behaviours: 60, faults: 20, recoveryMs: 15_000, patienceMs: 20_000 }

let engine: Engine | undefined
let brokers = process.env.KAFKA_BROKERS
const suites: (() => void)[] = []

beforeAll(async () => {
  if (!brokers) {
    engine = await Engine.start(kafkaBroker())
    brokers = `127.0.0.1:${engine.port}`
  }
  for (const start of suites) start()
}, INSTALL_MS)

afterAll(() => engine?.stop())

describe("Kafka with kafkajs", () => {
  const start = adapterSuite(
    kafkaBroker,
    // a topic for each case: the mock hands out one batch of a partition at a time
    (port, times, topic) =>
      port === undefined
        ? kafkaAdapter(brokers as string, { ...times, topic })
        : kafkaAdapterThrough(port, { ...times, topic }),
    SETTINGS,
  )
  suites.push(start)
})
