import { createClient, createCluster } from "@redis/client"
import { redis } from "holdfast/adapters/redis"
import { Cluster, Redis } from "ioredis"
import { describe, expect, it, onTestFinished } from "vitest"
import {
  crc16,
  PARTITIONS,
  partitionOf,
  partitionSlot,
  partitionTags,
} from "../../../src/adapters/redis-partitions.js"

describe("the partitions of sharded channels", () => {
  it("never change: nodes of different versions agree on them", () => {
    expect(crc16("123456789")).toBe(0x31c3)
    expect(partitionTags().slice(0, 4)).toEqual(["10", "18", "113", "342"])
    expect(["a", "c:room:lobby", "c:everybody", "c:room:🦀"].map(partitionOf)).toEqual([7, 45, 10, 52])
  })

  it("lie in one 64th of the slots each", () => {
    expect(new Set(partitionTags()).size).toBe(PARTITIONS)
    for (let i = 0; i < PARTITIONS; i += 1) expect(Math.floor(partitionSlot(i) / 256)).toBe(i)
  })
})

describe("redis()", () => {
  it("takes clients of both libraries, for a server or a cluster, connected or not", () => {
    const [one, many] = [new Redis({ lazyConnect: true }), new Cluster([{ port: 1 }], { lazyConnect: true })]
    onTestFinished(() => {
      one.disconnect()
      many.disconnect()
    })
    const clients = [createClient(), createCluster({ rootNodes: [{}] }), one, many]
    for (const client of clients) {
      expect(redis(client).health()).toMatchObject({ state: "down", pendingPublishes: 0 })
    }
  })

  it.each([
    ["redis client must be a client of @redis/client or ioredis", {}, {}],
    ["redis client must be a client of @redis/client or ioredis, received undefined", undefined, {}],
    ["redis.prefix must be a string without braces", createClient(), { prefix: "{a}" }],
    ["redis.sharded must be true or false", createClient(), { sharded: "yes" }],
    ["redis.nodeAddress must be a function", createClient(), { nodeAddress: {} }],
    ["redis.silenceMs must be a number from 1", createClient(), { silenceMs: 0 }],
    ["redis must be an object, received 7", createClient(), 7],
  ])("refuses with the value: %s", (message, client, options) => {
    expect(() => redis(client as never, options as never)).toThrow(message)
  })
})
