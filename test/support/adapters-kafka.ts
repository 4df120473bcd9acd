/**
 * Kafka for tests: brokers that librdkafka mocks in the process of `kcat`, and adapters at them. They speak the protocol
 * over TCP, keep records in memory, and choose their ports themselves.
 */

import { connect } from "node:net"
import type { Adapter } from "holdfast"
import { type KafkaAdapterOptions, kafka } from "holdfast/adapters/kafka"
import { type ISocketFactory, Kafka, logLevel } from "kafkajs"
import { ensureProgram } from "../../scripts/debian-packages.js"
import type { EngineKind } from "./adapters-engine.js"

/** A mocked cluster of one broker. */
export function kafkaBroker(): EngineKind {
  return {
    program: ensureProgram("kcat", "kcat"),
    // it reads a topic of its own, for something to do
    args: () => ["-X", "test.mock.num.brokers=1", "-b", "mock", "-C", "-t", "kept-up", "-o", "end"],
    ready: /replaced with 127\.0\.0\.1:(\d+)/,
  }
}

/** The mock answers a request for records only when its time is over, and a real broker as soon as there are some. */
const MAX_WAIT_MS = 100

/** An adapter at brokers, as `KAFKA_BROKERS` lists them: by commas. */
export function kafkaAdapter(brokers: string, options: KafkaAdapterOptions): Adapter {
  return kafka(kafkaClient({ brokers: brokers.split(",") }), { maxWaitMs: MAX_WAIT_MS, ...options })
}

/** An adapter whose client reaches every broker through one port, whatever port a broker says it has. */
export function kafkaAdapterThrough(port: number, options: KafkaAdapterOptions): Adapter {
  const socketFactory: ISocketFactory = ({ onConnect }) => connect(port, "127.0.0.1", onConnect)
  const client = kafkaClient({ brokers: ["127.0.0.1:1"], socketFactory })
  return kafka(client, { maxWaitMs: MAX_WAIT_MS, ...options })
}

function kafkaClient(options: { brokers: string[]; socketFactory?: ISocketFactory }): Kafka {
  const times = { connectionTimeout: 1_000, requestTimeout: 2_000 }
  return new Kafka({ logLevel: logLevel.NOTHING, retry: { retries: 0 }, ...times, ...options })
}
