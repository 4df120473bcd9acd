import { afterAll, beforeAll, describe } from "vitest"
import { Engine } from "../../support/adapters-engine.js"
import { REDIS_CLIENTS, redisServer } from "../../support/adapters-redis.js"
import { adapterSuite } from "../../support/adapters-suite.js"

/** Longer than Debian's package takes to install. */
const INSTALL_MS = 120_000

let engine: Engine
let port: number

beforeAll(async () => {
  engine = await Engine.start(redisServer())
  port = engine.port
}, INSTALL_MS)

afterAll(() => engine.stop())

describe.each(Object.entries(REDIS_CLIENTS))("Redis with %s", (_name, makeAdapter) => {
  adapterSuite(redisServer, () => port, makeAdapter)
})
