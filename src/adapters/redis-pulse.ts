/**
 * Asks every connection to a Redis Cluster whether it still carries anything. The relay's own question goes through one node
 * of Redis alone, and what the others say keeps it quiet: a node that hangs, or whose machine is gone, would go unnoticed.
 */

import { Timer } from "../core/timer.js"
import { Endings, within } from "../relay/deadline.js"
import type { RelaySettings } from "../relay/relay-options.js"
import type { RedisConnection } from "./redis-driver.js"

/** Watches the connections of one link. */
export class RedisPulse {
  readonly #settings: RelaySettings
  readonly #connections: () => Iterable<Promise<RedisConnection>>
  readonly #dead: (error: unknown) => void
  readonly #timer: Timer
  readonly #ending = new Endings()
  #isOver = false

  /** @param dead - Hears of the first connection that does not answer in time. */
  constructor(
    settings: RelaySettings,
    connections: () => Iterable<Promise<RedisConnection>>,
    dead: (error: unknown) => void,
  ) {
    this.#settings = settings
    this.#connections = connections
    this.#dead = dead
    this.#timer = new Timer(settings.clock, () => void this.#ask())
  }

  /** Begins. */
  start(): void {
    if (!this.#isOver) this.#timer.start(this.#settings.silenceMs)
  }

  /** Ends it for good. */
  stop(): void {
    this.#isOver = true
    this.#timer.stop()
    this.#ending.abort()
  }

  async #ask(): Promise<void> {
    try {
      await Promise.all([...this.#connections()].map((it) => this.#isAlive(it)))
      this.start()
    } catch (error) {
      if (!this.#isOver) this.#dead(error)
    }
  }

  #isAlive(connection: Promise<RedisConnection>): Promise<unknown> {
    const { clock, probeTimeoutMs } = this.#settings
    const late = () => new Error(`a node of the Redis cluster did not answer within ${probeTimeoutMs} ms`)
    const answered = connection.then((it) => it.command("PING"))
    return within(answered, { clock, ms: probeTimeoutMs, signal: this.#ending, late })
  }
}
