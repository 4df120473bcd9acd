/**
 * A link over one topic: a subject is a key. Everything of every node comes in, and what was not asked for is dropped by
 * its key. Records leave in batches, one batch at a time.
 */

import { type Clock, Timer } from "../core/timer.js"
import type { BusEvents, BusLink, BusOpening } from "../relay/bus.js"
import { randomId } from "../wire/connection-options.js"
import type {
  KafkaConsumerLike,
  KafkaDriver,
  KafkaProducerLike,
  KafkaRead,
  KafkaRecord,
} from "./kafka-driver.js"

/** What a record takes beside its value: the longest key, and the frames of a record and of its batch. */
export const KEY_ROOM = 1_280

/** Records in one batch, at most. */
const MAX_BATCH = 1_000

/** When a partition is asked again whether its end is read yet, in milliseconds; each time it is twice as long. */
const GREET_MS = 100

/** No subject begins like this. */
const GREETING = "?"

/** What a link is opened with. */
export interface KafkaLinkParts {
  readonly driver: KafkaDriver
  readonly topic: string
  readonly clock: Clock
  /** The size of a batch, at most. */
  readonly maxBatchBytes: number
  readonly events: BusEvents
  readonly opening: BusOpening
}

/** Opens a link. It is open once records of its own have come back through every partition. */
export async function openKafkaLink(parts: KafkaLinkParts): Promise<BusLink> {
  const link = new KafkaLink(parts)
  try {
    await openBoth(parts, link)
    if (link.consumer) await link.greet(link.consumer.partitions)
    return link
  } catch (error) {
    link.close()
    throw error
  }
}

/** Each takes its time. When one of them fails, the other is known, and can be closed. */
async function openBoth({ driver, topic, opening }: KafkaLinkParts, link: KafkaLink): Promise<void> {
  const [producer, consumer] = await Promise.allSettled([
    driver.openProducer(topic),
    opening.isPublisher ? undefined : driver.openConsumer(topic, link),
  ])
  if (producer.status === "fulfilled") link.producer = producer.value
  if (consumer.status === "fulfilled") link.consumer = consumer.value
  for (const it of [producer, consumer]) if (it.status === "rejected") throw it.reason
}

interface Waiting {
  readonly record: KafkaRecord
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

class KafkaLink implements BusLink {
  producer: KafkaProducerLike | undefined
  consumer: KafkaConsumerLike | undefined
  readonly #parts: KafkaLinkParts
  readonly #wanted = new Set<string>()
  readonly #greeting = GREETING + randomId()
  /** Partitions that nothing came through yet. */
  readonly #unheard = new Set<number>()
  readonly #greetAgain: Timer
  #greetMs = GREET_MS
  #isHeard: (() => void) | undefined
  #queue: Waiting[] = []
  #isSending = false

  constructor(parts: KafkaLinkParts) {
    this.#parts = parts
    this.#greetAgain = new Timer(parts.clock, () => this.#greet())
  }

  /** Resolves once every partition is read. A consumer that has joined still has to find the ends of its partitions. */
  async greet(partitions: readonly number[]): Promise<void> {
    const { topic, opening } = this.#parts
    if (partitions.length === 0) throw new Error(`the topic ${topic} has no partitions`)
    opening.signal.throwIfAborted()
    for (const partition of partitions) this.#unheard.add(partition)
    const heard = new Promise<void>((resolve, reject) => {
      this.#isHeard = resolve
      opening.signal.addEventListener("abort", () => reject(new Error("nobody waits any more")))
    })
    this.#greet()
    await heard
  }

  record({ partition, key, value }: KafkaRead): void {
    if (!key) return
    const subject = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString()
    if (this.#wanted.has(subject)) this.#parts.events.message(subject, value ?? new Uint8Array())
    else if (subject === this.#greeting) this.#hear(partition)
  }

  down(error: unknown): void {
    this.#parts.events.down(error)
  }

  subscribe(subjects: readonly string[]): void {
    for (const subject of subjects) this.#wanted.add(subject)
  }

  unsubscribe(subjects: readonly string[]): void {
    for (const subject of subjects) this.#wanted.delete(subject)
  }

  publish(subject: string, bytes: Uint8Array): Promise<void> {
    return this.#add({ key: Buffer.from(subject), value: bytes })
  }

  close(): void {
    this.#greetAgain.stop()
    const queue = this.#queue
    this.#queue = []
    for (const { reject } of queue) reject(new Error("the link was closed"))
    for (const it of [this.producer, this.consumer]) void (async () => it?.close())().catch(() => {})
  }

  #add(record: KafkaRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ record, resolve, reject })
      if (!this.#isSending) void this.#send()
    })
  }

  /** Sends batch after batch until nothing waits. What is added in one turn leaves together. */
  async #send(): Promise<void> {
    this.#isSending = true
    await null
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      try {
        await this.producer?.send(batch.map(({ record }) => record))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#isSending = false
  }

  #take(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const { record } of this.#queue) {
      bytes += record.value.byteLength + KEY_ROOM
      if (count === MAX_BATCH || (count > 0 && bytes > this.#parts.maxBatchBytes)) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  #greet(): void {
    const key = Buffer.from(this.#greeting)
    for (const partition of this.#unheard) {
      this.#add({ partition, key, value: new Uint8Array() }).catch(() => {})
    }
    this.#greetAgain.start(this.#greetMs)
    this.#greetMs *= 2
  }

  #hear(partition: number): void {
    this.#unheard.delete(partition)
    if (this.#unheard.size > 0) return
    this.#greetAgain.stop()
    this.#isHeard?.()
  }
}
