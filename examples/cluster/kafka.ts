/**
 * Two nodes over Kafka: `npm run demo:kafka`, with brokers at `KAFKA_BROKERS`. examples/compose.yaml starts one. A node
 * takes three seconds to join, unless the brokers have `group.initial.rebalance.delay.ms=0`.
 */

import { kafka } from "holdfast/adapters/kafka"
import { Kafka, logLevel } from "kafkajs"
import { twoNodes } from "./two-nodes.js"

const { KAFKA_BROKERS = "127.0.0.1:9092" } = process.env

const client = new Kafka({
  brokers: KAFKA_BROKERS.split(","),
  requestTimeout: 5_000,
  // trying again is the adapter's
  retry: { retries: 0 },
  logLevel: logLevel.NOTHING,
})

await twoNodes(import.meta.url, `Kafka at ${KAFKA_BROKERS}`, () => kafka(client))
