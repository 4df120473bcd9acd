import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import type { RedisDriver } from "../../../src/adapters/redis-driver.js"
import { shardedRedisBus } from "../../../src/adapters/redis-sharded.js"
import { resolveRelay } from "../../../src/relay/relay-options.js"

/** A cluster of two nodes whose slots a test hands out; it writes down what each node was asked. */
function fakeCluster() {
  const asked: string[] = []
  const cluster = {
    asked,
    /** What `CLUSTER SLOTS` answers; throws where it cannot be asked. */
    slots: (): unknown => [
      [0, 8_191, ["127.0.0.1", 1]],
      [8_192, 16_383, ["127.0.0.1", 2]],
    ],
    /** What a node answers to a command on a channel. */
    answer: (_port: number): unknown => undefined,
    driver: undefined as unknown as RedisDriver,
  }
  cluster.driver = {
    isCluster: true,
    async connect(_events, _signal, address) {
      const port = address?.port ?? 0
      const work = async (what: string) => {
        asked.push(`${port} ${what}`)
        await cluster.answer(port)
      }
      return {
        command: async (name) => (name === "CLUSTER" ? cluster.slots() : work(name)),
        subscribe: (_kind, channels) => work(`subscribe ${channels.length}`),
        unsubscribe: (_kind, channels) => work(`unsubscribe ${channels.length}`),
        close() {},
      }
    },
  }
  return cluster
}

async function open(
  cluster: ReturnType<typeof fakeCluster>,
  clock = new VirtualClock(),
  down = (_error: unknown) => {},
) {
  const bus = shardedRedisBus(cluster.driver, "p:", (it) => it)
  const events = { message() {}, lost() {}, down }
  const settings = resolveRelay({ clock }, "redis")
  return bus.open(events, { isPublisher: false, signal: new AbortController().signal, settings })
}

const BYTES = Uint8Array.of(1)
/** Subjects on either half of the slots. */
const [LOW, HIGH] = ["a", "c:room:lobby"]

describe("A4: a link to a Redis Cluster", () => {
  it("asks again for the slots when one had no node, as in a failover", async () => {
    const cluster = fakeCluster()
    const whole = cluster.slots
    cluster.slots = () => [[0, 8_191, ["127.0.0.1", 1]]]
    const link = await open(cluster)
    await link.publish(LOW, BYTES)
    await expect(link.publish(HIGH, BYTES)).rejects.toThrow("no node of the Redis cluster has slot")
    await expect(link.subscribe([HIGH])).rejects.toThrow("no node of the Redis cluster has slot")
    cluster.slots = whole
    await link.subscribe([HIGH])
    await link.publish(HIGH, BYTES)
    expect(cluster.asked).toEqual(["1 SPUBLISH", "2 subscribe 1", "2 SPUBLISH"])
  })

  it("asks again for the slots when they could not be told", async () => {
    const cluster = fakeCluster()
    const link = await open(cluster)
    const whole = cluster.slots
    let isFollowed = false
    cluster.answer = (port) => {
      if (!isFollowed && port === 1) throw new Error("MOVED 460 127.0.0.1:2")
    }
    cluster.slots = () => {
      throw new Error("LOADING Redis is loading the dataset in memory")
    }
    await expect(link.publish(LOW, BYTES)).rejects.toThrow("LOADING")
    cluster.slots = whole
    isFollowed = true
    await link.publish(LOW, BYTES)
    expect(cluster.asked).toEqual(["1 SPUBLISH", "1 SPUBLISH"])
  })

  it("does not follow a slot to end a subscription: on its new node the channel may be wanted again", async () => {
    const cluster = fakeCluster()
    const link = await open(cluster)
    await link.subscribe([LOW])
    cluster.slots = () => [[0, 16_383, ["127.0.0.1", 2]]]
    cluster.answer = (port) => {
      if (port === 1) throw new Error("MOVED 460 127.0.0.1:2")
    }
    await Promise.all([link.unsubscribe([LOW]), link.subscribe([LOW])])
    expect(cluster.asked.filter((it) => it.startsWith("2"))).toEqual(["2 subscribe 1"])
  })

  it("asks for the slots once, however many messages leave", async () => {
    const cluster = fakeCluster()
    let times = 0
    const whole = cluster.slots
    cluster.slots = () => {
      times += 1
      return whole()
    }
    const link = await open(cluster)
    await Promise.all(Array.from({ length: 100 }, (_, i) => link.publish(`c:${i}`, BYTES)))
    expect(times).toBe(1)
  })
})

describe("A5: a link to a Redis Cluster", () => {
  it("is over when one of its nodes does not answer any more, whatever the others say", async () => {
    const [cluster, clock, errors] = [fakeCluster(), new VirtualClock(), [] as unknown[]]
    const link = await open(cluster, clock, (error) => errors.push(error))
    await link.subscribe([HIGH])
    cluster.asked.length = 0
    await clock.advance(10_000)
    expect([...cluster.asked].sort()).toEqual(["1 PING", "2 PING", "2 PING"])
    expect(errors).toEqual([])
    cluster.answer = (port) => (port === 2 ? new Promise(() => {}) : undefined)
    await clock.advance(11_000)
    expect(errors.map(String)).toEqual(["Error: a node of the Redis cluster did not answer within 1000 ms"])
    await link.close()
    expect(clock.pending).toBe(0)
  })

  it("asks nobody after it was closed, also when an answer was waited for", async () => {
    const [cluster, clock, errors] = [fakeCluster(), new VirtualClock(), [] as unknown[]]
    const link = await open(cluster, clock, (error) => errors.push(error))
    cluster.answer = () => new Promise(() => {})
    await clock.advance(10_500)
    await link.close()
    await clock.advance(60_000)
    expect([errors, clock.pending]).toEqual([[], 0])
  })
})
