import type { Adapter, Clock } from "holdfast"
import { LoopbackNetwork, VirtualClock } from "holdfast/testing"
import { describe, expect, it, vi } from "vitest"
import type { Bus } from "../../../src/relay/bus.js"
import { encodeEnvelope } from "../../../src/relay/envelope.js"
import { relayAdapter } from "../../../src/relay/relay.js"
import type { RelayOptions } from "../../../src/relay/relay-options.js"
import { AdapterNode } from "../../support/adapters-node.js"
import { stubHub } from "../../support/stub-hub.js"

/** A network on a virtual clock, and nodes that are up. */
function lab(options: RelayOptions = {}) {
  const clock = new VirtualClock()
  const network = new LoopbackNetwork({ clock })
  const make = (more: RelayOptions = {}) => network.adapter({ ...options, ...more })
  return {
    clock,
    network,
    make,
    async start(...channels: string[]): Promise<AdapterNode> {
      const starting = AdapterNode.start(make(), ...channels)
      await clock.advance(10)
      return starting
    },
    /** What a promise came to: `undefined` while it is open. */
    watch(promise: Promise<unknown>): { code: string | undefined } {
      const outcome: { code: string | undefined } = { code: undefined }
      promise.then(
        () => {
          outcome.code = "resolved"
        },
        (error: { code: string }) => {
          outcome.code = error.code
        },
      )
      return outcome
    },
  }
}

const counters = (adapter: Adapter) => adapter.health().counters

/** Message `sequence` of another node's first stream, sent now. */
function numbered(clock: Clock, sequence: number): Uint8Array {
  return encodeEnvelope("other", clock.now(), {
    ...{ kind: "payload", stream: 1, sequence, payload: `${sequence}` },
    ...{ exceptIds: [], exceptChannels: [] },
  })
}

describe("A1: local members", () => {
  it.each(["kill", "hang", "blackHole", "slow"] as const)(
    "are served in the same turn after %s",
    async (fault) => {
      const { clock, network, make } = lab()
      const { hub, add } = stubHub({ adapter: make(), clock })
      await clock.advance(10)
      const { received } = add("a", "r")
      network[fault](5_000)
      await clock.advance(10)
      const before = clock.now()
      hub.to("r").send("hi")
      await clock.advance(0)
      expect(received()).toEqual(["hi"])
      expect(clock.now()).toBe(before)
    },
  )
})

describe("A2: sequences", () => {
  it("drop what the broker delivers twice, and count it", async () => {
    const { clock, network, start } = lab()
    const [speaker, hearer] = [await start(), await start("c")]
    network.repeat(3)
    for (const it of ["a", "b", "c"]) void speaker.publish("c", it)
    await clock.advance(10)
    expect(hearer.texts).toEqual(["a", "b", "c"])
    expect(counters(hearer.adapter)?.duplicates).toBe(3)
    expect(hearer.gaps).toEqual([])
  })

  it("drop what comes again at any distance, beyond 1,024 too", async () => {
    const { clock, network, start } = lab()
    const hearer = await start("c")
    const all = Array.from({ length: 2_000 }, (_, i) => numbered(clock, i + 1))
    for (let times = 0; times < 2; times += 1) {
      for (const it of all) network.inject("c:c", it)
      await clock.advance(10)
    }
    expect(hearer.texts).toEqual(all.map((_, i) => `${i + 1}`))
    expect(counters(hearer.adapter)?.duplicates).toBe(2_000)
    expect(hearer.gaps).toEqual([])
  })

  it("count what the broker loses in the middle, with the next message", async () => {
    const { clock, network, start } = lab()
    const [speaker, hearer] = [await start(), await start("c")]
    void speaker.publish("c", "a")
    await clock.advance(10)
    network.lose(3)
    for (const it of ["b", "c", "d", "e"]) void speaker.publish("c", it)
    await clock.advance(10)
    expect(hearer.texts).toEqual(["a", "e"])
    expect(hearer.gaps).toEqual([{ channels: ["c"], count: 3, reason: "missing in the sequence" }])
    expect(counters(hearer.adapter)?.lost).toBe(3)
  })

  it("count what the broker loses at the end, two seconds later", async () => {
    const { clock, network, start } = lab()
    const [speaker, hearer] = [await start(), await start("c")]
    void speaker.publish("c", "a")
    await clock.advance(10)
    network.lose(2)
    for (const it of ["b", "c"]) void speaker.publish("c", it)
    await clock.advance(1_900)
    expect(hearer.gaps).toEqual([])
    await clock.advance(2_200)
    expect(hearer.gaps).toEqual([{ channels: ["c"], count: 2, reason: "missing at the end of the sequence" }])
  })

  it("count messages lost before the first that arrives", async () => {
    const { clock, network, start } = lab()
    const [speaker, hearer] = [await start(), await start("c")]
    await clock.advance(2_000)
    network.lose(2)
    for (const it of ["a", "b", "c"]) void speaker.publish("c", it)
    await clock.advance(5_000)
    expect(hearer.texts).toEqual(["c"])
    expect(hearer.lost).toBe(2)
  })

  it("count nothing that was published before the subscription", async () => {
    const { clock, start } = lab()
    const speaker = await start()
    for (const it of ["a", "b", "c"]) void speaker.publish("c", it)
    await clock.advance(10)
    const hearer = await start("c")
    void speaker.publish("c", "d")
    await clock.advance(10_000)
    expect([hearer.texts, hearer.gaps]).toEqual([["d"], []])
  })

  it("count a rejected publication as one that did not arrive", async () => {
    const { clock, network, start, watch } = lab({ maxWaiting: 0 })
    const [speaker, hearer] = [await start(), await start("c")]
    void speaker.publish("c", "a")
    await clock.advance(10)
    network.kill()
    const rejected = watch(speaker.publish("c", "b"))
    await clock.advance(0)
    expect(rejected.code).toBe("QUEUE_FULL")
    network.restart()
    await clock.advance(5_000)
    void speaker.publish("c", "c")
    await clock.advance(10)
    expect(hearer.texts).toEqual(["a", "c"])
    expect(hearer.lost).toBe(1)
  })
})

describe("A3: the outbox", () => {
  it("holds 256 publications for a second, in order, and rejects what is more or waits longer", async () => {
    const { clock, network, start, watch } = lab()
    const [speaker, hearer] = [await start(), await start("c")]
    network.kill()
    await clock.advance(10)
    const waiting = Array.from({ length: 256 }, (_, i) => watch(speaker.publish("c", `${i}`)))
    expect(speaker.adapter.health().pendingPublishes).toBe(256)
    const more = watch(speaker.publish("c", "one too many"))
    await clock.advance(0)
    expect([waiting[0]?.code, more.code]).toEqual([undefined, "QUEUE_FULL"])
    await clock.advance(1_000)
    expect(new Set(waiting.map(({ code }) => code))).toEqual(new Set(["ADAPTER_UNAVAILABLE"]))
    expect(speaker.adapter.health().pendingPublishes).toBe(0)
    network.restart()
    await clock.advance(5_000)
    expect(hearer.texts).toEqual([])
    expect(counters(speaker.adapter)?.rejected).toBe(257)
  })

  it("holds 64 MiB at most while the broker is away, whatever the number", async () => {
    const { clock, watch } = lab()
    const network = new LoopbackNetwork({ clock, maxPayloadBytes: 64 * 1024 * 1024 })
    const starting = AdapterNode.start(network.adapter())
    await clock.advance(10)
    const speaker = await starting
    network.kill()
    await clock.advance(10)
    const large = new Uint8Array(33 * 1024 * 1024)
    const outcomes = [1, 2, 3].map(() => watch(speaker.publish("c", large)))
    await clock.advance(0)
    expect(outcomes.map(({ code }) => code)).toEqual([undefined, undefined, "QUEUE_FULL"])
    await clock.advance(1_000)
    expect(outcomes[0]?.code).toBe("ADAPTER_UNAVAILABLE")
    const later = watch(speaker.publish("c", "small"))
    await clock.advance(0)
    expect(later.code).toBeUndefined()
    await speaker.adapter.close({ deadlineMs: 0 })
  })

  it("delivers what waited when the broker is back in time, in order", async () => {
    const { clock, network, start, watch } = lab()
    const [speaker, hearer] = [await start(), await start("c")]
    network.cut()
    const published = [watch(speaker.publish("c", "a")), watch(speaker.publish("c", "b"))]
    await clock.advance(1_000)
    expect(published.map(({ code }) => code)).toEqual(["resolved", "resolved"])
    // the other node may have been a moment later than the message
    expect(hearer.texts.length + hearer.lost).toBeLessThanOrEqual(2)
  })

  it("delivers nothing that is older than two seconds, and counts it", async () => {
    const { clock, network, start } = lab()
    const [speaker, hearer] = [await start(), await start("c")]
    void speaker.publish("c", "in time")
    await clock.advance(10)
    network.slow(1_200)
    speaker.publish("c", "late").catch(() => {})
    await clock.advance(5_100)
    expect(hearer.texts).toEqual(["in time"])
    expect(hearer.gaps).toContainEqual({ channels: ["c"], count: 1, reason: "older than may be delivered" })
    expect(counters(hearer.adapter)?.late).toBe(1)
  })
})

describe("A4: after an outage", () => {
  it("10,000 channels are subscribed again within two seconds, in batches, and a gap of all is told", async () => {
    const { clock, network, start } = lab()
    const channels = Array.from({ length: 10_000 }, (_, i) => `room:${i}`)
    const [speaker, hearer] = [await start(), await start(...channels)]
    // each batch waits for the one before: the way to the broker and back counts once for each
    network.slow(10)
    network.cut()
    await clock.advance(2_000)
    network.slow(0)
    for (const [i, channel] of channels.entries()) {
      void speaker.publish(channel, channel)
      if (i % 1_000 === 999) await clock.advance(10)
    }
    expect(hearer.texts.length).toBe(10_000)
    expect(hearer.gaps).toEqual([{ channels: "all", reason: "the way to the broker was interrupted" }])
  })

  it("messages flow again within a second of the broker's return, however long it was away", async () => {
    for (const outageMs of [100, 1_000, 7_777, 60_000, 600_000]) {
      const { clock, network, start } = lab()
      const [speaker, hearer] = await Promise.all([start(), start("a")])
      network.kill()
      await clock.advance(outageMs)
      network.restart()
      await clock.advance(1_000)
      void speaker.publish("a", "again")
      await clock.advance(10)
      expect([outageMs, hearer.texts]).toEqual([outageMs, ["again"]])
      await Promise.all([speaker.adapter, hearer.adapter].map((it) => it.close({ deadlineMs: 0 })))
    }
  })

  it("tells of subscriptions that the broker gave up, and asks for them again", async () => {
    const { clock, network, start } = lab()
    const [speaker, hearer] = [await start(), await start("c")]
    network.giveUp("the slot has moved")
    await clock.advance(10)
    expect(hearer.gaps).toEqual([{ channels: ["c"], reason: "the slot has moved" }])
    void speaker.publish("c", "again")
    await clock.advance(10)
    expect(hearer.texts).toEqual(["again"])
  })
})

describe("A5: a link that stands and carries nothing", () => {
  it("is found after ten seconds of silence, reported as degraded, and opened anew", async () => {
    const { clock, network, start } = lab()
    const [speaker, hearer] = [await start(), await start("c")]
    await clock.advance(30_000)
    expect(hearer.states).toEqual(["connecting", "up"])
    network.deafen()
    await clock.advance(12_000)
    expect(hearer.states).toEqual(["connecting", "up", "degraded", "up"])
    void speaker.publish("c", "again")
    await clock.advance(10)
    expect(hearer.texts).toEqual(["again"])
    expect(counters(hearer.adapter)?.reconnects).toBe(1)
  })

  it("is doubted as soon as a publication is not taken, and trusted again by an answer", async () => {
    const { clock, network, start, watch } = lab()
    const speaker = await start()
    network.hang()
    const stuck = watch(speaker.publish("c", "a"))
    await clock.advance(1_001)
    expect([stuck.code, speaker.adapter.health().state]).toEqual(["ADAPTER_UNAVAILABLE", "degraded"])
    network.resume()
    await clock.advance(10)
    expect(speaker.adapter.health().state).toBe("up")
  })

  it.each([
    [0, [25, 50, 100, 200, 375, 375]],
    [0.999_999, [50, 100, 200, 400, 750, 750]],
  ])("is tried again with delays that grow to 750 ms and are half chance: %d", async (random, delays) => {
    vi.spyOn(Math, "random").mockReturnValue(random)
    const clock = new VirtualClock()
    const triedAt: number[] = []
    const bus: Bus = {
      name: "none",
      capabilities: { interest: "channel", maxPayloadBytes: false },
      async open() {
        triedAt.push(clock.now())
        throw new Error("connection refused")
      },
    }
    const node = new AdapterNode(relayAdapter(bus, { clock }))
    node.connect().catch(() => {})
    await clock.advance(4_000)
    const waited = triedAt.slice(1, 7).map((at, i) => Math.round(at - (triedAt[i] as number)))
    expect(waited).toEqual(delays)
    expect(node.adapter.health().lastError).toBeInstanceOf(Error)
    await node.adapter.close({ deadlineMs: 0 })
  })

  it("is tried again for as long as it takes", async () => {
    const { clock, network, start } = lab()
    const node = await start()
    network.kill()
    await clock.advance(60_000)
    expect(node.adapter.health().state).toBe("down")
    network.restart()
    await clock.advance(1_000)
    expect(node.adapter.health().state).toBe("up")
  })
})

describe("A6: more than can be handled", () => {
  it("is dropped above 4,096 waiting messages, counted, and never handled all in one turn", async () => {
    const { clock, network, start } = lab()
    const hearer = await start("c")
    for (let i = 1; i <= 6_000; i += 1) network.inject("c:c", numbered(clock, i))
    await Promise.resolve()
    await Promise.resolve()
    expect(hearer.texts.length).toBeLessThanOrEqual(256)
    await clock.advance(10)
    expect(hearer.texts.length).toBe(256 + 4_096)
    expect(counters(hearer.adapter)?.overflowed).toBe(6_000 - 256 - 4_096)
    network.inject("c:c", numbered(clock, 6_001))
    await clock.advance(10)
    expect(hearer.lost).toBe(6_000 - 256 - 4_096)
  })
})

describe("A7: what cannot be read", () => {
  it("is counted and skipped: garbage, cut short, another version, an unknown kind", async () => {
    const { clock, network, start } = lab()
    const [speaker, hearer] = [await start(), await start("c")]
    const good = encodeEnvelope("other", 0, {
      ...{ kind: "payload", stream: 1, sequence: 1, payload: "from another" },
      ...{ exceptIds: ["x"], exceptChannels: [] },
    })
    const other = Uint8Array.from([9, ...good.subarray(1)])
    const unknown = Uint8Array.from([1, 200, ...good.subarray(2)])
    const bad = [new Uint8Array(), Uint8Array.of(1), Uint8Array.of(1, 0, 255, 255, 255), other, unknown]
    for (let end = 1; end < good.length - "from another".length; end += 1) bad.push(good.slice(0, end))
    for (const bytes of bad) network.inject("c:c", bytes)
    void speaker.publish("c", "good")
    await clock.advance(10)
    expect(hearer.texts).toEqual(["good"])
    expect(counters(hearer.adapter)?.unreadable).toBe(bad.length)
    expect(hearer.adapter.health().state).toBe("up")
  })
})

describe("A9: a node", () => {
  it("gets nothing of a channel it does not want, not even marks", async () => {
    const { clock, network, start } = lab()
    const [speaker] = [await start(), await start("other")]
    await clock.advance(100)
    const before = network.sent
    for (let i = 0; i < 100; i += 1) void speaker.publish("c", "hi")
    await clock.advance(8_000)
    expect(network.sent).toBe(before)
  })
})

describe("A10: names of channels", () => {
  it("are told apart whatever is in them, up to 1,024 bytes, and never mistaken for nodes or for all of them", async () => {
    const { clock, start } = lab()
    const hearing = [
      "",
      "a",
      "n:x",
      "c:",
      "c:a",
      "*",
      ">",
      "a.b",
      "{a}b",
      " ",
      "\0",
      "\n",
      "é",
      "e\u0301",
      "🦀",
      "__proto__",
    ]
    hearing.push("x".repeat(1_023), "x".repeat(1_024))
    const [speaker, hearer] = [await start(), await start(...hearing)]
    for (const it of hearing) void speaker.publish(it, `to ${it}`)
    void speaker.publish("x".repeat(1_022), "to nobody")
    await clock.advance(10)
    expect(hearer.messages.map(({ channel, payload }) => [channel, payload])).toEqual(
      hearing.map((it) => [it, `to ${it}`]),
    )
  })
})

describe("the options of an adapter", () => {
  it.each([
    [{ publishTimeoutMs: 0 }, "loopback.publishTimeoutMs must be a number from 1 to 2147483647, received 0"],
    [{ maxWaiting: -1 }, "loopback.maxWaiting must be a whole number ≥ 0, received -1"],
    [{ maxInflow: 1.5 }, "loopback.maxInflow must be a whole number ≥ 1, received 1.5"],
    [{ silence: 1 }, "loopback.silence must be one of publishTimeoutMs"],
  ])("%o are refused with the value", (options, message) => {
    expect(() => new LoopbackNetwork().adapter(options as RelayOptions)).toThrow(message)
  })
})

describe("an adapter's own stall", () => {
  it("is not held against the broker", async () => {
    const { clock, start, watch } = lab()
    const speaker = await start()
    const published = watch(speaker.publish("c", "a"))
    clock.stall(5_000)
    await clock.advance(10)
    expect(published.code).toBe("resolved")
    expect(speaker.states).toEqual(["connecting", "up"])
  })
})

describe("the end of an adapter", () => {
  it("leaves no timer behind, in any state", async () => {
    for (const fault of ["slow", "kill", "hang", "blackHole"] as const) {
      const { clock, network, start } = lab()
      const node = await start("c", "d")
      if (fault === "slow") network.slow(1)
      else network[fault]()
      node.publish("c", "a").catch(() => {})
      await clock.advance(3_000)
      const closing = node.close()
      await clock.advance(1_000)
      await closing
      await clock.advance(0)
      expect(clock.pending).toBe(0)
    }
  })

  it("rejects what waits for it: connect, subscribe, publish", async () => {
    const { clock, network, make, watch } = lab()
    network.kill()
    const node = new AdapterNode(make())
    const outcomes = [
      watch(node.connect()),
      watch(Promise.resolve(node.adapter.subscribe(["c"]))),
      watch(node.publish("c", "a")),
    ]
    await clock.advance(100)
    const closing = node.adapter.close({ deadlineMs: 10 })
    await clock.advance(100)
    await closing
    expect(outcomes.map(({ code }) => code)).toEqual(Array(3).fill("ADAPTER_UNAVAILABLE"))
  })
})
