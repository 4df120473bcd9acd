import { afterAll, beforeAll, describe } from "vitest"
import { Engine } from "../../support/adapters-engine.js"
import { REDIS_CLIENTS, redisServer } from "../../support/adapters-redis.js"
import { adapterSuite } from "../../support/adapters-suite.js"

/** Longer than Debian's package takes to install. */
const INSTALL_MS = 120_000

let engine: Engine | undefined
let url = process.env.REDIS_URL
const suites: (() => void)[] = []

beforeAll(async () => {
  if (!url) {
    engine = await Engine.start(redisServer())
    url = `redis://127.0.0.1:${engine.port}`
  }
  for (const start of suites) start()
}, INSTALL_MS)

afterAll(() => engine?.stop())

describe.each(Object.entries(REDIS_CLIENTS))("Redis with %s", (_name, makeAdapter) => {
  const start = adapterSuite(redisServer, (port, times) =>
    makeAdapter(port === undefined ? (url as string) : `redis://127.0.0.1:${port}`, times),
  )
  suites.push(start)
})
