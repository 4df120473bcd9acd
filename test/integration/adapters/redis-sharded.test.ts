import { createCluster } from "@redis/client"
import type { Adapter } from "holdfast"
import { type RelayOptions, redis } from "holdfast/adapters/redis"
import { type AdapterCase, adapterCases } from "holdfast/testing"
import { Cluster } from "ioredis"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { partitionOf, partitionSlot } from "../../../src/adapters/redis-partitions.js"
import { AdapterNode } from "../../support/adapters-node.js"
import { REDIS_CLIENTS, redisServer } from "../../support/adapters-redis.js"
import { RedisCluster } from "../../support/adapters-redis-cluster.js"
import { adapterSuite, inLanes, PATIENT, QUICK } from "../../support/adapters-suite.js"
import { until } from "../../support/deadline.js"

/** Longer than Debian's package takes to install. */
const INSTALL_MS = 120_000

/** Cases that run at the same time: each node has seven connections. */
const AT_ONCE = 6

/** Clients of a cluster by library: connected, as patterns. */
const CLUSTER_CLIENTS = {
  "@redis/client": async (ports: readonly number[]) => {
    const client = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) })
    client.on("error", () => {})
    await client.connect()
    return { make: (times: RelayOptions) => redis(client, times), end: () => client.destroy() }
  },
  ioredis: async (ports: readonly number[]) => {
    const client = new Cluster(
      ports.map((port) => ({ host: "127.0.0.1", port })),
      { lazyConnect: true },
    )
    client.on("error", () => {})
    await client.connect()
    return { make: (times: RelayOptions) => redis(client, times), end: () => client.disconnect() }
  },
} as const

let cluster: RedisCluster
const suites: (() => void)[] = []

beforeAll(async () => {
  cluster = await RedisCluster.start()
  for (const start of suites) start()
}, INSTALL_MS)

afterAll(() => cluster.stop())

describe.each(Object.entries(CLUSTER_CLIENTS))("a Redis Cluster with %s", (_name, connect) => {
  let make: (times: RelayOptions) => Adapter
  let end: () => void
  let outcomes: ReadonlyMap<AdapterCase, Promise<void>>
  const behaviours = adapterCases.filter(({ needs }) => needs.length === 0)

  beforeAll(async () => {
    const client = await connect(cluster.ports)
    make = client.make
    end = client.end
    outcomes = inLanes(behaviours, AT_ONCE, ({ run }) =>
      run({ makeAdapter: () => make(PATIENT), patienceMs: 10_000 }),
    )
  })

  afterAll(() => end())

  it.each(behaviours)("$name", async (adapterCase) => {
    await outcomes.get(adapterCase)
  })

  it("A4: goes on when the slot of a channel moves to another node", async () => {
    const [speaker, hearer] = await Promise.all([
      AdapterNode.start(make(QUICK)),
      AdapterNode.start(make(QUICK)),
    ])
    const slot = partitionSlot(partitionOf("c:room:moving"))
    await hearer.adapter.subscribe(["room:moving"])
    await speaker.publish("room:moving", "before")
    await until(() => hearer.texts.includes("before"), "the message before the move")
    const from = await cluster.portOf(slot)
    await cluster.move(slot, from, cluster.ports.find((port) => port !== from) as number)
    let count = 0
    const isBack = () => {
      count += 1
      speaker.publish("room:moving", `after ${count}`).catch(() => {})
      return hearer.texts.some((text) => text.startsWith("after"))
    }
    await until(isBack, "messages to flow again", 5_000)
    // what was published while nobody listened is counted, one by one
    await until(
      () => hearer.lost + hearer.texts.length === count + 1,
      "every message to be accounted for",
      5_000,
    )
    expect(new Set(hearer.texts).size).toBe(hearer.texts.length)
    await Promise.all([speaker.close(), hearer.close()])
  })

  it("A5: asks every node whether it answers, and all do", async () => {
    const hearer = await AdapterNode.start(
      make({ ...PATIENT, silenceMs: 50 }),
      ...Array.from({ length: 30 }, (_, i) => `room:${i}`),
    )
    const pings = () =>
      Promise.all(
        cluster.ports.map(async (port) => {
          const stats = await cluster.command(port, "INFO", "commandstats")
          return Number(/cmdstat_ping:calls=(\d+)/.exec(stats)?.[1] ?? 0)
        }),
      )
    const before = await pings()
    // twice in a row by each of its two connections to a node: an answer did not stop it
    for (const end = performance.now() + 10_000; ; ) {
      if ((await pings()).every((count, i) => count >= (before[i] as number) + 4)) break
      expect(performance.now()).toBeLessThan(end)
    }
    expect(hearer.states).toEqual(["connecting", "up"])
    await hearer.close()
  })

  it("A4: flows again after a master was killed and has come back", async () => {
    const [speaker, hearer] = await Promise.all([
      AdapterNode.start(make(QUICK)),
      AdapterNode.start(make(QUICK)),
    ])
    const channels = Array.from({ length: 30 }, (_, i) => `room:${i}`)
    await hearer.adapter.subscribe(channels)
    const [victim] = cluster.nodes
    await victim?.kill()
    await until(() => hearer.adapter.health().state !== "up", "the loss to be noticed")
    await victim?.restart()
    await cluster.isWhole()
    const heard = () => channels.every((channel) => hearer.texts.includes(channel))
    const say = () => {
      for (const channel of channels) speaker.publish(channel, channel).catch(() => {})
      return heard()
    }
    await until(say, "every channel to be heard again", 10_000)
    expect(hearer.gaps.some(({ channels: which }) => which === "all")).toBe(true)
    await Promise.all([speaker.close(), hearer.close()])
  }, 30_000)
})

describe("sharded channels on a single Redis", () => {
  const start = adapterSuite(
    redisServer,
    (port, times) => REDIS_CLIENTS["@redis/client"](`redis://127.0.0.1:${port}`, { ...times, sharded: true }),
    {},
    adapterCases.filter(({ needs }) => needs.length > 0),
  )
  suites.push(start)
})
