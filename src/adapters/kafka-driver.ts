/**
 * What a client library of Kafka has to do for the adapter. Types only: one is made of `kafkajs` here, and one for any
 * other library can be handed to the adapter.
 */

import type { MaybePromise } from "../core/types.js"

/** A record to be written. */
export interface KafkaRecord {
  /** Decides the partition: equal keys go to the same one. */
  readonly key: Uint8Array
  /** The value. */
  readonly value: Uint8Array
  /** The partition, where the key is not to decide. */
  readonly partition?: number
}

/** A record that was read. */
export interface KafkaRead {
  /** Where it was. */
  readonly partition: number
  /** Its key; `null` where it has none. */
  readonly key: Uint8Array | null
  /** Its value; `null` where it has none. */
  readonly value: Uint8Array | null
}

/** Writes to one topic. */
export interface KafkaProducerLike {
  /**
   * Writes records in their order. Resolves when Kafka has all of them. It is called again only when it has settled, so
   * trying again must not change the order.
   */
  send(records: readonly KafkaRecord[]): Promise<void>
  /** Ends it, whatever state it is in. */
  close(): MaybePromise<void>
}

/** Reads one topic. */
export interface KafkaConsumerLike {
  /** All partitions of the topic. */
  readonly partitions: readonly number[]
  /** Ends it, whatever state it is in. */
  close(): MaybePromise<void>
}

/** Who reads. */
export interface KafkaReader {
  /** A record came in; those of a partition in their order. */
  record(record: KafkaRead): void
  /** Nothing comes any more, or something was skipped. */
  down(error: unknown): void
}

/** Makes producers and consumers. */
export interface KafkaDriver {
  /** Opens a producer. */
  openProducer(topic: string): Promise<KafkaProducerLike>
  /** Opens a consumer that reads all partitions from their end, for itself alone. */
  openConsumer(topic: string, reader: KafkaReader): Promise<KafkaConsumerLike>
}
