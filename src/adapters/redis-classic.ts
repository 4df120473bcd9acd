/**
 * Classic Pub/Sub: one connection that publishes, one that subscribes, a Redis channel for each subject.
 */

import type { Bus, BusEvents, BusLink, BusOpening } from "../relay/bus.js"
import { REDIS_CAPABILITIES } from "./redis-capabilities.js"
import type { RedisConnection, RedisDriver, RedisEvents } from "./redis-driver.js"

/** A bus over classic channels, whose names begin with a prefix. */
export function classicRedisBus(driver: RedisDriver, prefix: string): Bus {
  return {
    name: "redis",
    capabilities: REDIS_CAPABILITIES,
    open: (events, opening) => openClassic(driver, prefix, events, opening),
  }
}

async function openClassic(
  driver: RedisDriver,
  prefix: string,
  events: BusEvents,
  { isPublisher, signal }: BusOpening,
): Promise<BusLink> {
  const name = (subject: string) => prefix + subject
  const redis: RedisEvents = {
    message: (channel, bytes) => events.message(channel.slice(prefix.length), bytes),
    moved: () => events.lost("all", "Redis gave up subscriptions"),
    down: (error) => events.down(error),
  }
  const publisher = await driver.connect(redis, signal)
  const subscriber = isPublisher ? undefined : await other(driver, redis, publisher, signal)
  return {
    async subscribe(subjects) {
      await subscriber?.subscribe("classic", subjects.map(name))
    },
    async unsubscribe(subjects) {
      await subscriber?.unsubscribe("classic", subjects.map(name))
    },
    publish: (subject, bytes) => publisher.command("PUBLISH", name(subject), bytes),
    close() {
      publisher.close()
      subscriber?.close()
    },
  }
}

/** The second connection; without it the first is of no use. */
async function other(
  driver: RedisDriver,
  events: RedisEvents,
  first: RedisConnection,
  signal: AbortSignal,
): Promise<RedisConnection> {
  try {
    return await driver.connect(events, signal)
  } catch (error) {
    first.close()
    throw error
  }
}
