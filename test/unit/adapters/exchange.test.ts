import { EventEmitter } from "node:events"
import { MessageChannel } from "node:worker_threads"
import { createExchange, type Exchange, worker } from "holdfast/adapters/cluster"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it, onTestFinished } from "vitest"
import { AdapterNode } from "../../support/adapters-node.js"
import { until } from "../../support/deadline.js"
import { RecordingLogger } from "../../support/recording-logger.js"

/** A worker without a process: what it is sent is written down, and it says what the test says. */
class FakeWorker extends EventEmitter {
  readonly received: Record<string, unknown>[] = []
  send(message: Record<string, unknown>): void {
    this.received.push(message)
  }
  says(message: unknown): void {
    this.emit("message", message)
  }
  /** Opens a link that wants one subject. */
  opens(link: string, subject: string): void {
    this.says({ holdfast: "open", link, check: new Uint8Array(1) })
    this.says({ holdfast: "subscribe", link, id: 1, subjects: [subject] })
  }
  count(kind: string): number {
    return this.received.filter(({ holdfast }) => holdfast === kind).length
  }
}

function startExchange(...workers: FakeWorker[]): Exchange {
  const exchange = createExchange()
  for (const it of workers) exchange.add(it)
  onTestFinished(() => exchange.close())
  return exchange
}

/** A node over a channel to an exchange. */
function nodeAt(exchange: Exchange): AdapterNode {
  const { port1, port2 } = new MessageChannel()
  exchange.add(port2)
  const node = new AdapterNode(worker({ port: port1 }))
  onTestFinished(async () => {
    await node.close()
    port1.close()
  })
  return node
}

const publish = (subjects: string[], payloads: Uint8Array[]) => ({
  ...{ holdfast: "publish", link: "one", id: 2, subjects, payloads },
})

describe("an exchange", () => {
  it("A9: sends a worker nothing that it does not want", () => {
    const [one, two] = [new FakeWorker(), new FakeWorker()]
    const exchange = startExchange(one, two)
    one.opens("one", "c:a")
    two.opens("two", "c:b")
    const before = two.received.length
    one.says(
      publish(
        ["c:a", "c:b", "c:c"],
        [1, 2, 3].map((it) => Uint8Array.of(it)),
      ),
    )
    expect(one.received.slice(-2)).toEqual([
      { holdfast: "deliver", link: "one", subjects: ["c:a"], payloads: [Uint8Array.of(1)] },
      { holdfast: "done", link: "one", id: 2 },
    ])
    expect(two.received.slice(before)).toEqual([
      { holdfast: "deliver", link: "two", subjects: ["c:b"], payloads: [Uint8Array.of(2)] },
    ])
    expect(exchange.stats).toMatchObject({ workers: 2, links: 2, subjects: 2, delivered: 2, dropped: 0 })
  })

  it("leaves the application's own messages alone, and survives whatever a worker says", () => {
    const one = new FakeWorker()
    const exchange = startExchange(one)
    one.opens("one", "c:a")
    for (const it of [undefined, null, 7, "hi", {}, { holdfast: 7 }, { type: "mine" }]) one.says(it)
    expect(exchange.stats.unreadable).toBe(0)
    one.says({ holdfast: "publish", link: "one", id: 3 })
    one.says({ holdfast: "subscribe", link: "one", id: 4, subjects: 7 })
    one.says({ holdfast: "publish", link: "one", id: 5, subjects: ["c:a"], payloads: [] })
    expect(exchange.stats.unreadable).toBe(3)
    one.says(publish(["c:a"], [Uint8Array.of(1)]))
    expect(one.received.at(-1)).toEqual({ holdfast: "done", link: "one", id: 2 })
  })

  it("A6: drops what a worker does not read, counts it, and goes on when it reads again", () => {
    const [one, stuck] = [new FakeWorker(), new FakeWorker()]
    const exchange = startExchange(one, stuck)
    one.opens("one", "c:mine")
    stuck.opens("stuck", "c:a")
    const payload = new Uint8Array(16 * 1024 * 1024)
    for (let i = 0; i < 6; i += 1) one.says(publish(["c:a"], [payload]))
    // what a message takes beside its payload counts as well
    expect([stuck.count("deliver"), exchange.stats.dropped]).toEqual([3, 3])
    stuck.says({ holdfast: "read", link: "stuck", bytes: 2 * payload.byteLength })
    one.says(publish(["c:a"], [payload]))
    expect([stuck.count("deliver"), exchange.stats.dropped]).toEqual([4, 3])
  })

  it("A6: keeps few small messages too for a worker that does not read: each weighs something", () => {
    const [one, stuck] = [new FakeWorker(), new FakeWorker()]
    const exchange = startExchange(one, stuck)
    one.opens("one", "c:mine")
    stuck.opens("stuck", "c:a")
    const [subjects, payloads] = [Array(10_000).fill("c:a"), Array(10_000).fill(new Uint8Array())]
    for (let i = 0; i < 100; i += 1) one.says(publish(subjects, payloads))
    const { delivered, dropped } = exchange.stats
    expect(delivered + dropped).toBe(1_000_000)
    expect(delivered).toBeLessThan(600_000)
  })

  it("A6: is not misled by a worker that says nonsense of what it has read", () => {
    const [one, stuck] = [new FakeWorker(), new FakeWorker()]
    const exchange = startExchange(one, stuck)
    one.opens("one", "c:mine")
    stuck.opens("stuck", "c:a")
    for (const bytes of [Number.NaN, -1e9, undefined, "many", 1e300]) {
      stuck.says({ holdfast: "read", link: "stuck", bytes })
    }
    const payload = new Uint8Array(16 * 1024 * 1024)
    for (let i = 0; i < 6; i += 1) one.says(publish(["c:a"], [payload]))
    expect([stuck.count("deliver"), exchange.stats.dropped]).toEqual([3, 3])
  })

  it("forgets a worker that ends, and tells a link of another exchange that it is over", () => {
    const one = new FakeWorker()
    const exchange = startExchange(one)
    one.opens("one", "c:a")
    one.emit("exit")
    expect(exchange.stats).toMatchObject({ workers: 0, links: 0, subjects: 0 })
    expect(one.listenerCount("message")).toBe(0)
    exchange.add(one)
    one.says({ holdfast: "subscribe", link: "one", id: 9, subjects: ["c:a"] })
    expect(one.received.at(-1)).toEqual({ holdfast: "closed", link: "one" })
  })

  it("refuses workers whose messages are JSON, and says what to do", async () => {
    const one = new FakeWorker()
    startExchange(one)
    one.says({ holdfast: "open", link: "one", check: { 0: 1 } })
    expect(one.received).toMatchObject([{ holdfast: "refused", link: "one" }])
    expect(one.received[0]?.reason).toContain('cluster.setupPrimary({ serialization: "advanced" })')
  })

  it("refuses what is no worker", () => {
    const exchange = startExchange()
    expect(() => exchange.add({} as never)).toThrow("exchange.add must be a worker or a MessagePort")
    expect(() => createExchange({} as never)).toThrow("exchange must be the module node:cluster")
  })
})

describe("worker()", () => {
  it.each([
    ["worker.port must be a MessagePort", { port: {} }],
    ["worker.silenceMs must be a number from 1", { silenceMs: 0 }],
    ["worker must be an object, received 7", 7],
  ])("refuses with the value: %s", (message, options) => {
    expect(() => worker(options as never)).toThrow(message)
  })

  it("moves large payloads whole, and counts them right", async () => {
    const exchange = startExchange()
    const [speaker, hearer] = [nodeAt(exchange), nodeAt(exchange)]
    await Promise.all([speaker.connect(), hearer.connect()])
    await hearer.adapter.subscribe(["room:a"])
    const payload = new Uint8Array(100_000).fill(7)
    for (let i = 0; i < 20; i += 1) await speaker.publish("room:a", payload)
    await until(() => hearer.messages.length === 20, "all of them")
    expect(hearer.messages.every((it) => Buffer.compare(it.payload as Uint8Array, payload) === 0)).toBe(true)
    expect(payload.byteLength).toBe(100_000)
    expect(speaker.adapter.health()).toMatchObject({ state: "up", pendingPublishes: 0 })
  })

  it("says what is missing where the primary has no exchange", async () => {
    const clock = new VirtualClock()
    const { port1, port2 } = new MessageChannel()
    onTestFinished(() => port2.close())
    const adapter = worker({ port: port1, clock })
    const logger = new RecordingLogger()
    const connecting = adapter.connect({
      ...{ nodeId: "a", logger, signal: new AbortController().signal },
      ...{ onMessage() {}, onOperation() {}, onState() {}, onGap() {} },
    })
    Promise.resolve(connecting).catch(() => {})
    await clock.advance(1_100)
    expect(adapter.health()).toMatchObject({
      state: "down",
      lastError: { code: "ADAPTER_UNAVAILABLE", message: expect.stringContaining("createExchange()") },
    })
    expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
      ["warn", "the adapter has no way to its broker, and goes on trying"],
    ])
    const publishing = Promise.resolve(adapter.publish("c", "hi", { exceptIds: [], exceptChannels: [] }))
    const failure = publishing.catch((error: unknown) => error)
    await clock.advance(1_100)
    expect(await failure).toMatchObject({
      code: "ADAPTER_UNAVAILABLE",
      cause: { message: expect.stringContaining("createExchange()") },
    })
    await adapter.close({ deadlineMs: 0 })
  })
})
