/**
 * Producers and consumers made with an instance of `Kafka` of `kafkajs`, by structure. Each consumer is alone in a group
 * of a name that was never used, so that it is given all partitions and begins at their ends.
 */

import { AdapterError } from "../core/errors.js"
import { randomId } from "../wire/connection-options.js"
import type {
  KafkaConsumerLike,
  KafkaDriver,
  KafkaProducerLike,
  KafkaReader,
  KafkaRecord,
} from "./kafka-driver.js"

/** An instance of `Kafka` of `kafkajs`. Only that it makes producers and consumers is asked of it. */
export interface KafkaJsLike {
  /** Makes a producer. */
  producer(...args: never[]): unknown
  /** Makes a consumer. */
  consumer(...args: never[]): unknown
}

/** The parts of `kafkajs` that are used. */
export interface KafkaJs {
  producer(options: object): Producer
  consumer(options: object): Consumer
}

interface Producer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  send(request: { topic: string; acks: number; messages: readonly KafkaRecord[] }): Promise<unknown>
}

interface Consumer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  subscribe(options: { topics: string[]; fromBeginning: boolean }): Promise<void>
  run(options: { autoCommit: boolean; eachBatch(given: { batch: Batch }): Promise<void> }): Promise<void>
  on(event: string, listener: (event: { readonly payload: Payload }) => void): unknown
}

interface Batch {
  readonly partition: number
  readonly messages: readonly { readonly key: Uint8Array | null; readonly value: Uint8Array | null }[]
}

interface Payload {
  readonly error?: unknown
  readonly memberAssignment?: Readonly<Record<string, readonly number[]>>
}

/** One batch is on its way at a time, so trying it again changes no order. The relay waits no longer than a second. */
const SEND_RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 300 }

/** Reading is not tried again: the relay opens another link, and knows that something was missed. */
const READ_RETRY = { retries: 0, restartOnFailure: async () => false }

/** Acknowledged by all replicas that are in sync. */
const ALL_IN_SYNC = -1

/** A driver over an instance of `Kafka`. */
export function kafkaJsDriver(
  kafka: KafkaJs,
  { groupPrefix, maxWaitMs }: { readonly groupPrefix: string; readonly maxWaitMs: number },
): KafkaDriver {
  const groupOptions = () => ({ groupId: groupPrefix + randomId(), maxWaitTimeInMs: maxWaitMs })
  return {
    openProducer: (topic) => openProducer(kafka, topic),
    openConsumer: (topic, reader) =>
      openConsumer(kafka.consumer({ ...groupOptions(), retry: READ_RETRY }), topic, reader),
  }
}

async function openProducer(kafka: KafkaJs, topic: string): Promise<KafkaProducerLike> {
  const producer = kafka.producer({ createPartitioner, retry: SEND_RETRY, maxInFlightRequests: 1 })
  const close = () => void producer.disconnect().catch(() => {})
  try {
    await producer.connect()
  } catch (error) {
    close()
    throw error
  }
  return {
    async send(records) {
      try {
        await producer.send({ topic, acks: ALL_IN_SYNC, messages: records.map(message) })
      } catch (error) {
        throw isTooLarge(error) ? tooLarge(topic, error) : error
      }
    },
    close,
  }
}

/** `kafkajs` wraps what Kafka answered in what it makes of it. */
function isTooLarge(error: unknown): boolean {
  const { type, cause } = (error ?? {}) as { readonly type?: unknown; readonly cause?: unknown }
  return type === "MESSAGE_TOO_LARGE" || (cause !== undefined && isTooLarge(cause))
}

function tooLarge(topic: string, cause: unknown): AdapterError {
  const message = `the topic ${topic} takes less than maxMessageBytes says: set that to the topic's max.message.bytes`
  return new AdapterError("PAYLOAD_TOO_LARGE", message, { cause })
}

/** `kafkajs` makes text of whatever is no Buffer. */
function message({ key, value, ...rest }: KafkaRecord): KafkaRecord {
  return { ...rest, key: buffer(key), value: buffer(value) }
}

function buffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

async function openConsumer(
  consumer: Consumer,
  topic: string,
  reader: KafkaReader,
): Promise<KafkaConsumerLike> {
  // ending waits for answers of a broker that may not be there
  const close = () => void consumer.disconnect().catch(() => {})
  const joined = new Promise<readonly number[]>((resolve, reject) => {
    let isMember = false
    consumer.on("consumer.group_join", ({ payload }) => {
      // it begins at the ends again, and skips what came meanwhile
      if (isMember) reader.down(new Error("the consumer had to join its group again"))
      isMember = true
      resolve(payload.memberAssignment?.[topic] ?? [])
    })
    consumer.on("consumer.crash", ({ payload }) => {
      reject(payload.error)
      reader.down(payload.error)
    })
  })
  joined.catch(() => {})
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: false })
    await consumer.run({ autoCommit: false, eachBatch: async ({ batch }) => read(batch, reader) })
    return { partitions: await joined, close }
  } catch (error) {
    close()
    throw error
  }
}

function read({ partition, messages }: Batch, reader: KafkaReader): void {
  for (const { key, value } of messages) reader.record({ partition, key, value })
}

/** The same partition for the same key, on every node. `kafkajs` warns about its own choice otherwise. */
function createPartitioner() {
  return ({ message, partitionMetadata }: { message: KafkaRecord; partitionMetadata: readonly unknown[] }) =>
    message.partition ?? hash(message.key) % partitionMetadata.length
}

/** FNV-1a, 32 bits. */
function hash(bytes: Uint8Array): number {
  let value = 0x81_1c_9d_c5
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01_00_01_93)
  return value >>> 0
}
