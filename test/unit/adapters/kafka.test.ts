import { type KafkaDriver, type KafkaReader, type KafkaRecord, kafka } from "holdfast/adapters/kafka"
import { Kafka, logLevel } from "kafkajs"
import { describe, expect, it, onTestFinished } from "vitest"
import { AdapterNode } from "../../support/adapters-node.js"
import { until } from "../../support/deadline.js"

/** A topic of three partitions in memory, which writes one batch in each turn of the event loop. */
class Topic implements KafkaDriver {
  readonly batches: (readonly KafkaRecord[])[] = []
  readonly readers = new Set<KafkaReader>()
  /** How many batches are being written, and how many at most there were. */
  sending = 0
  mostSending = 0
  failure: Error | undefined

  async openProducer() {
    const send = async (records: readonly KafkaRecord[]) => {
      this.sending += 1
      this.mostSending = Math.max(this.mostSending, this.sending)
      await new Promise((resolve) => setImmediate(resolve))
      this.sending -= 1
      if (this.failure) throw this.failure
      this.batches.push(records)
      for (const { key, value, partition = (key.at(-1) ?? 0) % 3 } of records) {
        for (const reader of this.readers) reader.record({ partition, key, value })
      }
    }
    return { send, close() {} }
  }

  async openConsumer(_topic: string, reader: KafkaReader) {
    this.readers.add(reader)
    return { partitions: [0, 1, 2], close: () => void this.readers.delete(reader) }
  }
}

async function startNode(topic: KafkaDriver, ...channels: string[]): Promise<AdapterNode> {
  const node = await AdapterNode.start(kafka(topic), ...channels)
  onTestFinished(() => node.close())
  return node
}

describe("kafka()", () => {
  it("says that every node gets everything, and how much fits in a record", () => {
    const client = new Kafka({ brokers: ["127.0.0.1:1"], logLevel: logLevel.NOTHING })
    expect(kafka(client).capabilities).toMatchObject({ interest: "all", maxPayloadBytes: 1_047_308 })
    expect(kafka(client, { maxMessageBytes: 10_000 }).capabilities.maxPayloadBytes).toBe(8_720)
  })

  it.each([
    ["kafka client must be an instance of Kafka of kafkajs, or a driver", {}, {}],
    ["kafka client must be an instance of Kafka of kafkajs, or a driver, received undefined", undefined, {}],
    ["kafka.topic must be 1 to 200 letters, digits, ., - and _", new Topic(), { topic: "a b" }],
    ["kafka.groupPrefix must be 1 to 200 letters, digits, ., - and _", new Topic(), { groupPrefix: "" }],
    ["kafka.maxMessageBytes must be a whole number ≥ 2560, received 1", new Topic(), { maxMessageBytes: 1 }],
    ["kafka.maxWaitMs must be a number from 1", new Topic(), { maxWaitMs: 0 }],
    ["kafka.silenceMs must be a number from 1", new Topic(), { silenceMs: 0 }],
    ["kafka must be an object, received 7", new Topic(), 7],
  ])("refuses with the value: %s", (message, client, options) => {
    expect(() => kafka(client as never, options as never)).toThrow(message)
  })

  it("takes a driver over any other library", async () => {
    const topic = new Topic()
    const [speaker, hearer] = [await startNode(topic), await startNode(topic, "room:a")]
    await speaker.publish("room:a", "hello")
    await until(() => hearer.texts.length > 0, "the message")
    expect(hearer.texts).toEqual(["hello"])
  })

  it("is open once something came through every partition", async () => {
    const topic = new Topic()
    let isDeaf = true
    const late: KafkaDriver = {
      openProducer: () => topic.openProducer(),
      openConsumer: (name, reader) =>
        topic.openConsumer(name, {
          down: (error) => reader.down(error),
          record: (record) => void ((!isDeaf || record.partition !== 2) && reader.record(record)),
        }),
    }
    const node = new AdapterNode(kafka(late))
    onTestFinished(() => node.close())
    const connecting = node.connect()
    await until(() => topic.batches.length >= 2, "the second greeting")
    expect(node.adapter.health().state).toBe("connecting")
    expect(topic.batches.at(-1)?.map(({ partition }) => partition)).toEqual([2])
    isDeaf = false
    await connecting
    expect(node.adapter.health().state).toBe("up")
  })

  it("writes one batch at a time, in the order of calls", async () => {
    const topic = new Topic()
    const [speaker, hearer] = [await startNode(topic), await startNode(topic, "room:a", "room:b")]
    const before = topic.batches.length
    const said = Array.from({ length: 300 }, (_, i) => speaker.publish(i % 2 ? "room:a" : "room:b", `${i}`))
    await Promise.all(said)
    await until(() => hearer.texts.length === 300, "all messages")
    expect(topic.batches.length - before).toBeLessThan(10)
    expect(topic.mostSending).toBeLessThanOrEqual(2) // one for each node: the other greets
    expect(hearer.texts).toEqual(Array.from({ length: 300 }, (_, i) => `${i}`))
  })

  it("rejects every publication of a batch that Kafka did not take", async () => {
    const topic = new Topic()
    const speaker = await startNode(topic)
    topic.failure = new Error("not now")
    const outcomes = await Promise.allSettled(["a", "b"].map((it) => speaker.publish("room:a", it)))
    for (const it of outcomes) {
      expect(it).toMatchObject({ status: "rejected", reason: { code: "ADAPTER_UNAVAILABLE" } })
    }
  })

  it("drops what it did not ask for by its key, and counts what it cannot read", async () => {
    const topic = new Topic()
    const node = await startNode(topic, "room:a")
    const record = (key: string | null, value: string | null) => {
      for (const reader of topic.readers) {
        reader.record({
          ...{ partition: 0, key: key === null ? null : Buffer.from(key) },
          value: value === null ? null : Buffer.from(value),
        })
      }
    }
    const before = node.adapter.health().counters?.unreadable ?? 0
    record("c:room:other", "garbage")
    record(null, "no key")
    record("\u{fffd}", "no text")
    expect(node.adapter.health().counters?.unreadable).toBe(before)
    record("c:room:a", "garbage")
    record("c:room:a", null)
    record("c:room:a", "\u0002 a version to come")
    expect(node.adapter.health().counters?.unreadable).toBe(before + 3)
    expect(node.messages).toEqual([])
  })

  it("opens another link when its consumer is down", async () => {
    const topic = new Topic()
    const [speaker, hearer] = [await startNode(topic), await startNode(topic, "room:a")]
    const reader = [...topic.readers].at(-1) as KafkaReader
    reader.down(new Error("the group is gone"))
    await until(() => hearer.states.filter((it) => it === "up").length === 2, "the node to be up again")
    await speaker.publish("room:a", "again")
    await until(() => hearer.texts.length > 0, "the message")
    expect(hearer.gaps).toMatchObject([{ channels: "all" }])
    expect(topic.readers.size).toBe(2)
  })
})
