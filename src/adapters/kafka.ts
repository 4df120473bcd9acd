/**
 * Carries messages between hubs over one Kafka topic, with the client library you have.
 *
 * @module holdfast/adapters/kafka
 */

import { checkCount, checkMs, type Given, hasMethods, reject } from "../core/options.js"
import { type Clock, systemClock } from "../core/timer.js"
import type { Adapter } from "../hub/adapter.js"
import type { Bus } from "../relay/bus.js"
import { relayAdapter } from "../relay/relay.js"
import type { RelayOptions } from "../relay/relay-options.js"
import type {
  KafkaConsumerLike,
  KafkaDriver,
  KafkaProducerLike,
  KafkaRead,
  KafkaReader,
  KafkaRecord,
} from "./kafka-driver.js"
import { KEY_ROOM, openKafkaLink } from "./kafka-link.js"
import { type KafkaJs, type KafkaJsLike, kafkaJsDriver } from "./kafkajs-driver.js"

export type {
  Clock,
  KafkaConsumerLike,
  KafkaDriver,
  KafkaJsLike,
  KafkaProducerLike,
  KafkaRead,
  KafkaReader,
  KafkaRecord,
  RelayOptions,
}

/** Settings of the Kafka adapter. */
export interface KafkaAdapterOptions extends RelayOptions {
  /** The topic that carries everything. Hubs with different topics do not hear each other. @defaultValue "holdfast" */
  readonly topic?: string
  /**
   * What the names of consumer groups begin with: each node has one of its own, with a new name for every connection.
   * @defaultValue "holdfast-"
   */
  readonly groupPrefix?: string
  /** The topic's `max.message.bytes`. @defaultValue 1_048_588 */
  readonly maxMessageBytes?: number
  /**
   * How long Kafka may keep a request for records that are not there yet, in milliseconds. Records are answered at once
   * when they come; a longer time saves requests, a shorter one notices a dead broker sooner.
   * @defaultValue 500
   */
  readonly maxWaitMs?: number
  /**
   * How long opening a link may take, in milliseconds. Kafka itself lets a new group wait for
   * `group.initial.rebalance.delay.ms`, which is three seconds unless it is set to 0.
   * @defaultValue 10_000
   */
  readonly openTimeoutMs?: number
  /** How long the answer of a probe may take, in milliseconds: it goes through a batch and a fetch. @defaultValue 2_000 */
  readonly probeTimeoutMs?: number
}

/** Kafka takes longer than others to let a node in, and to bring back what was published. */
const TIMES = { openTimeoutMs: 10_000, probeTimeoutMs: 2_000 }

/** The longest name of a topic, and of a group's beginning. */
const MAX_NAME = 200

/**
 * Makes an adapter of Kafka. Every node reads the whole topic from its end, so it is a bridge for those who have Kafka
 * already, and not the engine for the lowest latency or the least traffic.
 *
 * @param client - An instance of `Kafka` of `kafkajs`, or a {@link KafkaDriver} over any other library. The adapter makes
 * producers and consumers of its own with it, and ends those alone.
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * import { Kafka } from "kafkajs"
 *
 * const adapter = kafka(new Kafka({ brokers: ["127.0.0.1:9092"] }))
 */
export function kafka(client: KafkaJsLike | KafkaDriver, options: Given<KafkaAdapterOptions> = {}): Adapter {
  if (typeof options !== "object" || options === null) reject("kafka", "an object", options)
  const { topic = "holdfast", groupPrefix = "holdfast-", ...others } = options
  const { maxMessageBytes = 1_048_588, maxWaitMs = 500, ...relay } = others
  checkName("kafka.topic", topic)
  checkName("kafka.groupPrefix", groupPrefix)
  checkCount("kafka.maxMessageBytes", maxMessageBytes, 2 * KEY_ROOM)
  checkMs("kafka.maxWaitMs", maxWaitMs, 1)
  const driver = driverOf(client, { groupPrefix, maxWaitMs })
  const clock = relay.clock ?? systemClock
  const bus: Bus = {
    name: "kafka",
    capabilities: { interest: "all", maxPayloadBytes: maxMessageBytes - KEY_ROOM },
    open: (events, opening) =>
      openKafkaLink({ driver, topic, clock, maxBatchBytes: maxMessageBytes, events, opening }),
  }
  const { openTimeoutMs = TIMES.openTimeoutMs, probeTimeoutMs = TIMES.probeTimeoutMs } = relay
  return relayAdapter(bus, { ...relay, openTimeoutMs, probeTimeoutMs }, "kafka")
}

function driverOf(client: KafkaJsLike | KafkaDriver, settings: { groupPrefix: string; maxWaitMs: number }) {
  if (hasMethods<KafkaDriver>(client, "openProducer", "openConsumer")) return client
  if (hasMethods<KafkaJs>(client, "producer", "consumer")) return kafkaJsDriver(client, settings)
  return reject("kafka client", "an instance of Kafka of kafkajs, or a driver", client)
}

function checkName(path: string, name: unknown): void {
  if (typeof name === "string" && name.length <= MAX_NAME && /^[\w.-]+$/.test(name)) return
  reject(path, `1 to ${MAX_NAME} letters, digits, ., - and _`, name)
}
