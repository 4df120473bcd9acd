import { createClient } from "@redis/client"
import { Redis } from "ioredis"
import { RateLimiterRedis } from "rate-limiter-flexible"
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest"
import { Engine } from "../../support/adapters-engine.js"
import { redisServer } from "../../support/adapters-redis.js"
import { startAttached } from "../../support/server-attached.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

/** Longer than Debian's package takes to install. */
const INSTALL_MS = 120_000
const POINTS = 3

let engine: Engine

beforeAll(async () => {
  engine = await Engine.start(redisServer())
}, INSTALL_MS)

afterAll(() => engine.stop())

/** A client of each library, connected, that ends with the test. */
const CLIENTS = {
  async ioredis(port: number) {
    const client = new Redis(port, "127.0.0.1", { enableOfflineQueue: false, lazyConnect: true })
    client.on("error", () => {})
    onTestFinished(() => client.disconnect())
    await client.connect()
    return { storeClient: client }
  },
  async "@redis/client"(port: number) {
    const client = createClient({ url: `redis://127.0.0.1:${port}`, disableOfflineQueue: true })
    client.on("error", () => {})
    onTestFinished(() => client.destroy())
    await client.connect()
    return { storeClient: client, useRedisPackage: true }
  },
}

/** A node of its own: its own connection to Redis, its own limiter, its own hub. */
async function startNode(library: keyof typeof CLIENTS, keyPrefix: string, port = engine.port) {
  const store = await CLIENTS[library](port)
  const sharedLimiter = new RateLimiterRedis({ ...store, keyPrefix, points: POINTS, duration: 60 })
  const authenticate = vi.fn(() => undefined)
  const node = await startAttached({
    trustedProxies: ["127.0.0.0/8"],
    limits: { sharedLimiter },
    authenticate,
  })
  return { ...node, authenticate }
}

const from = (address: string) => ({ headers: { "X-Forwarded-For": address } })

describe.each(Object.keys(CLIENTS) as (keyof typeof CLIENTS)[])("S43: a limit in Redis, by %s", (library) => {
  it("is one for all nodes: what one lets in counts on the others", async () => {
    const nodes = await Promise.all([1, 2, 3].map(() => startNode(library, `agree-${library}`)))
    for (const { url } of nodes) await connect(url, from("203.0.113.1"))
    for (const { url, refused, authenticate } of nodes) {
      const answer = await refusedBy(url, from("203.0.113.1"))
      expect(answer.status).toBe(429)
      expect(Number(answer.headers["retry-after"])).toBeGreaterThan(30)
      expect(await refused.next()).toMatchObject({ check: "limits", reason: "sharedLimiter" })
      // before any login work
      expect(authenticate).toHaveBeenCalledTimes(1)
    }
    await connect(nodes[0]?.url as string, from("203.0.113.2"))
  })

  it("lets in exactly so many of those who come to several nodes at once", async () => {
    const nodes = await Promise.all([1, 2].map(() => startNode(library, `race-${library}`)))
    const tries = Array.from({ length: 12 }, (_, i) =>
      connect(nodes[i % 2]?.url as string, from("203.0.113.9")).then(
        () => "in",
        () => "refused",
      ),
    )
    const ends = await Promise.all(tries)
    expect(ends.filter((it) => it === "in")).toHaveLength(POINTS)
  })

  it("does not shut the door when Redis is gone, and says so", { timeout: 60_000 }, async () => {
    const own = await Engine.start(redisServer())
    onTestFinished(() => own.stop())
    const node = await startNode(library, "gone", own.port)
    await connect(node.url, from("203.0.113.1"))
    await own.stop()
    await connect(node.url, from("203.0.113.1"))
    expect(await node.errors.next()).toMatchObject({ stage: "limits" })
    expect(node.hub.size).toBe(2)
  })
})
