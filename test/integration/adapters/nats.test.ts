import { afterAll, beforeAll, describe } from "vitest"
import { Engine } from "../../support/adapters-engine.js"
import { natsAdapter, natsServer } from "../../support/adapters-nats.js"
import { adapterSuite } from "../../support/adapters-suite.js"

/** Longer than Debian's package takes to install. */
const INSTALL_MS = 120_000

let engine: Engine | undefined
let url = process.env.NATS_URL
const suites: (() => void)[] = []

beforeAll(async () => {
  if (!url) {
    engine = await Engine.start(natsServer())
    url = `nats://127.0.0.1:${engine.port}`
  }
  for (const start of suites) start()
}, INSTALL_MS)

afterAll(() => engine?.stop())

describe("NATS", () => {
  const start = adapterSuite(natsServer, (port, times) =>
    natsAdapter(port === undefined ? (url as string) : `nats://127.0.0.1:${port}`, times),
  )
  suites.push(start)
})
