/**
 * An adapter made of any bus. The bus moves bytes; here is all that makes them dependable: envelopes, sequences,
 * gaps, deadlines, probes and new links. One node at a time; it may connect again after `close`.
 */

import type { Given } from "../core/options.js"
import type { Payload, Writable } from "../core/types.js"
import type {
  Adapter,
  AdapterCapabilities,
  AdapterContext,
  AdapterCounters,
  AdapterHealth,
  PublishMeta,
} from "../hub/adapter.js"
import type { Bus } from "./bus.js"
import { unavailable } from "./publications.js"
import { type RelayOptions, type RelaySettings, resolveRelay } from "./relay-options.js"
import { RelaySession } from "./session.js"
import { channelSubject } from "./subjects.js"

/**
 * Makes an adapter of a bus.
 * @param path - What the options are called in errors.
 * @throws InvalidOptionError with the value received.
 */
export function relayAdapter(bus: Bus, options?: Given<RelayOptions>, path = "relay"): Adapter {
  return new Relay(bus, resolveRelay(options, path))
}

/** The adapter. What it does between `connect` and `close` is a session's. */
class Relay implements Adapter {
  readonly capabilities: AdapterCapabilities
  readonly #bus: Bus
  readonly #settings: RelaySettings
  readonly #counters: Writable<AdapterCounters> = {
    published: 0,
    rejected: 0,
    delivered: 0,
    lost: 0,
    duplicates: 0,
    late: 0,
    overflowed: 0,
    unreadable: 0,
    reconnects: 0,
  }
  #session: RelaySession | undefined
  /** The one that still hands over what it accepted. */
  #closing: { readonly session: RelaySession; readonly ended: Promise<void> } | undefined

  constructor(bus: Bus, settings: RelaySettings) {
    this.#bus = bus
    this.#settings = settings
    this.capabilities = Object.freeze({
      ...bus.capabilities,
      order: "publisher",
      history: false,
      presence: false,
    })
  }

  async connect(context: AdapterContext): Promise<void> {
    // in the same turn, so that whatever is called next finds the new one
    for (const earlier of [this.#session, this.#closing?.session]) void earlier?.close(0)
    const session = new RelaySession(this.#bus, this.#settings, context, this.#counters)
    this.#session = session
    session.start()
    await session.usable
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    await this.#open().interest.want(channels.map(channelSubject))
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    await this.#open().unwant(channels.map(channelSubject))
  }

  publish(channel: string, payload: Payload, meta: PublishMeta): Promise<void> {
    return this.#session?.sender.publish(channel, payload, meta) ?? Promise.reject(notConnected())
  }

  async send(nodeId: string, operation: string, bytes: Uint8Array): Promise<void> {
    await this.#open().sender.operate(nodeId, operation, bytes)
  }

  health(): AdapterHealth {
    const health = this.#session?.health() ?? { state: "down", pendingPublishes: 0, subscriptions: 0 }
    return { ...health, counters: { ...this.#counters } }
  }

  async close({ deadlineMs }: { readonly deadlineMs: number }): Promise<void> {
    const session = this.#session
    this.#session = undefined
    if (session) this.#closing = { session, ended: session.close(deadlineMs) }
    const closing = this.#closing
    await closing?.ended
    if (this.#closing === closing) this.#closing = undefined
  }

  #open(): RelaySession {
    if (this.#session) return this.#session
    throw notConnected()
  }
}

function notConnected(): Error {
  return unavailable("the adapter is not connected")
}
