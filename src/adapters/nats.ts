/**
 * Carries messages between hubs over NATS, with the client library you have.
 *
 * @module holdfast/adapters/nats
 */

import { checkCount, type Given, reject } from "../core/options.js"
import type { Adapter } from "../hub/adapter.js"
import type { Bus, BusEvents, BusLink } from "../relay/bus.js"
import { tooLarge } from "../relay/publications.js"
import { relayAdapter } from "../relay/relay.js"
import type { RelayOptions } from "../relay/relay-options.js"

export type { RelayOptions }

/** Settings of the NATS adapter. */
export interface NatsAdapterOptions extends RelayOptions {
  /** What subjects begin with: one token or several. Hubs with different prefixes do not hear each other. @defaultValue "holdfast" */
  readonly prefix?: string
  /** The server's `max_payload`. @defaultValue 1_048_576 */
  readonly maxPayloadBytes?: number
}

/** What the adapter needs to decide about its connection. Lay it over your own options. */
export interface NatsConnectOptions {
  /** Reconnecting is the adapter's. */
  readonly reconnect: false
  /** How often the library asks whether the server is there, in milliseconds. */
  readonly pingInterval: number
  /** How long connecting may take, in milliseconds. */
  readonly timeout: number
}

/** The parts of a subscription that are used. */
export interface NatsSubscriptionLike {
  /** Ends it. */
  unsubscribe(): void
}

/** The parts of a NATS connection that are used: those of `@nats-io/transport-node` fit. */
export interface NatsConnectionLike {
  /** What the server said of itself. */
  readonly info?:
    | {
        /** The largest payload it takes, in bytes. */
        readonly max_payload?: number
      }
    | undefined
  /** Sends. Says nothing of what became of it. */
  publish(subject: string, payload: Uint8Array): void
  /** Asks for a subject. */
  subscribe(
    subject: string,
    options: {
      /** Takes each message, or what went wrong. */
      readonly callback: (
        error: Error | null,
        message: {
          /** The payload. */
          readonly data: Uint8Array
        },
      ) => void
    },
  ): NatsSubscriptionLike
  /** Resolves once the server has read everything sent so far. */
  flush(): Promise<void>
  /** Resolves when the connection has ended, with the reason where there is one. */
  closed(): Promise<unknown>
  /** Ends it. */
  close(): Promise<void>
}

/**
 * Makes an adapter of NATS.
 *
 * @param connect - Opens a connection. The adapter calls it for each new one, with options to lay over yours, and ends
 * what it got.
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * import { connect } from "@nats-io/transport-node"
 *
 * const adapter = nats((options) => connect({ servers: "nats://127.0.0.1:4222", ...options }))
 */
export function nats(
  connect: (options: NatsConnectOptions) => Promise<NatsConnectionLike>,
  options: Given<NatsAdapterOptions> = {},
): Adapter {
  if (typeof connect !== "function") reject("nats connect", "a function", connect)
  if (typeof options !== "object" || options === null) reject("nats", "an object", options)
  const { prefix = "holdfast", maxPayloadBytes = 1_048_576, ...relay } = options
  if (typeof prefix !== "string" || !/^[\w-]+(\.[\w-]+)*$/.test(prefix)) {
    reject("nats.prefix", "tokens of letters, digits, - and _, joined by dots", prefix)
  }
  checkCount("nats.maxPayloadBytes", maxPayloadBytes)
  const bus: Bus = {
    name: "nats",
    capabilities: { interest: "channel", maxPayloadBytes },
    async open(events) {
      const connection = await connect({ reconnect: false, pingInterval: PING_MS, timeout: CONNECT_MS })
      return new NatsLink(connection, prefix, events)
    },
  }
  return relayAdapter(bus, relay, "nats")
}

/** The relay asks earlier where it matters; this one is for the library's own sake. */
const PING_MS = 10_000
const CONNECT_MS = 10_000

/** One connection, with a subscription for each subject. */
class NatsLink implements BusLink {
  readonly #connection: NatsConnectionLike
  readonly #prefix: string
  readonly #events: BusEvents
  readonly #subscriptions = new Map<string, NatsSubscriptionLike>()
  #flushing: Promise<void> | undefined
  #nextFlush: Promise<void> | undefined

  constructor(connection: NatsConnectionLike, prefix: string, events: BusEvents) {
    this.#connection = connection
    this.#prefix = prefix
    this.#events = events
    const end = (error: unknown) => events.down(error ?? new Error("the connection to NATS ended"))
    connection.closed().then(end, end)
  }

  async subscribe(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) if (!this.#subscriptions.has(subject)) this.#subscribe(subject)
    await this.#flush()
  }

  async unsubscribe(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) {
      this.#subscriptions.get(subject)?.unsubscribe()
      this.#subscriptions.delete(subject)
    }
    await this.#flush()
  }

  /** NATS says nothing of a publication; that it answered a later ping proves that it read it. */
  async publish(subject: string, bytes: Uint8Array): Promise<void> {
    const max = this.#connection.info?.max_payload
    if (max !== undefined && bytes.byteLength > max) {
      throw tooLarge("the NATS server (max_payload)", bytes.byteLength, max)
    }
    this.#connection.publish(this.#name(subject), bytes)
    await this.#flush()
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  #subscribe(subject: string): void {
    const callback = (error: Error | null, { data }: { readonly data: Uint8Array }) => {
      if (error) this.#events.down(error)
      else this.#events.message(subject, data)
    }
    this.#subscriptions.set(subject, this.#connection.subscribe(this.#name(subject), { callback }))
  }

  /** One ping on its way and one to follow are enough for any number of callers. */
  #flush(): Promise<void> {
    if (!this.#flushing) {
      this.#flushing = this.#connection.flush().finally(() => {
        this.#flushing = undefined
      })
      return this.#flushing
    }
    this.#nextFlush ??= this.#flushing
      .catch(() => {})
      .then(() => {
        this.#nextFlush = undefined
        return this.#flush()
      })
    return this.#nextFlush
  }

  /** One token: letters, digits, - and _ as they are, every other byte as = and two hex digits. */
  #name(subject: string): string {
    const token = Buffer.from(subject).reduce((text, byte) => text + (PLAIN[byte] ?? ""), "")
    return `${this.#prefix}.${token}`
  }
}

/** How each byte is written in a subject. */
const PLAIN: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const letter = String.fromCharCode(byte)
  return /[A-Za-z0-9_-]/.test(letter) ? letter : `=${byte.toString(16).padStart(2, "0")}`
})
