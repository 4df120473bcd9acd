import { createServer, type Socket } from "node:net"
import type { Adapter } from "holdfast"
import type { RedisAdapterOptions } from "holdfast/adapters/redis"
import { describe, expect, it, onTestFinished } from "vitest"
import { AdapterNode } from "../../support/adapters-node.js"
import { REDIS_CLIENTS } from "../../support/adapters-redis.js"
import { until } from "../../support/deadline.js"

/** A server that takes every connection and never says a word, as one does that hangs. */
async function silentServer() {
  const open = new Set<Socket>()
  const seen = { count: 0 }
  const server = createServer((socket) => {
    seen.count += 1
    open.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => open.delete(socket))
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(async () => {
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as { port: number }
  return { url: `redis://127.0.0.1:${port}`, open, seen }
}

/** Gives up soon, so that it tries often. */
const IMPATIENT: RedisAdapterOptions = { openTimeoutMs: 50 }

const ADAPTERS: Record<string, (url: string) => Adapter> = {
  "@redis/client": (url) => REDIS_CLIENTS["@redis/client"](url, IMPATIENT),
  ioredis: (url) => REDIS_CLIENTS.ioredis(url, IMPATIENT),
  "@redis/client, sharded": (url) => REDIS_CLIENTS["@redis/client"](url, { ...IMPATIENT, sharded: true }),
  "ioredis, sharded": (url) => REDIS_CLIENTS.ioredis(url, { ...IMPATIENT, sharded: true }),
}

describe.each(Object.entries(ADAPTERS))(
  "A7: a server that takes connections and answers none, with %s",
  (_name, make) => {
    it("keeps no connection that nobody waits for, neither while it is tried again nor after close", async () => {
      const { url, open, seen } = await silentServer()
      const node = new AdapterNode(make(url))
      node.connect().catch(() => {})
      for (const count of [2, 4, 6]) {
        await until(() => seen.count >= count, "another attempt", 10_000)
        await until(() => open.size <= 1, "the attempts before to have ended", 10_000)
      }
      await node.adapter.close({ deadlineMs: 0 })
      await until(() => open.size === 0, "every connection to end", 10_000)
      expect(node.adapter.health().state).toBe("down")
    })
  },
)
