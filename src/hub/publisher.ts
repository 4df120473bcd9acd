/**
 * Sends to the connections of a cluster from a process that is no node: a cron job, an HTTP worker. It has no
 * connections, hears nothing, and no node counts it.
 */

import { attempt } from "../core/attempt.js"
import { type Logger, resolveLogger } from "../core/logger.js"
import { type Given, reject } from "../core/options.js"
import { type Codec, json } from "../wire/codec.js"
import { randomId } from "../wire/connection-options.js"
import { encodeWith } from "../wire/payload.js"
import type { Adapter } from "./adapter.js"
import { EVERYBODY, roomChannels, userChannel } from "./channel.js"
import { checkAdapter, checkCloseCode } from "./hub-options.js"
import { encodeForwarding, encodeOperation, type Question } from "./operation.js"
import { ALL, type SelectionNames, type Target, targetIds } from "./selection.js"

/** Settings of a publisher. */
export interface PublisherOptions<Outgoing = unknown> {
  /** How messages are written: as the hubs do it. @defaultValue json() */
  readonly codec?: Pick<Codec<unknown, Outgoing>, "encode">
  /** Takes what is worth a line; `false` for silence. @defaultValue warnings and errors go to the console */
  readonly logger?: Logger | false
}

/**
 * Makes a publisher.
 *
 * @param adapter - An adapter of its own, at the same broker and with the same prefix as the hubs'.
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * await using publisher = createPublisher(redis(client))
 * await publisher.to("orders").send({ type: "shipped", id: 7 })
 */
export function createPublisher<Outgoing = unknown>(
  adapter: Adapter,
  options: Given<PublisherOptions<Outgoing>> = {},
): Publisher<Outgoing> {
  return new Publisher(adapter, options)
}

/** Whom a publisher means. A value, as a hub's selections are. */
export class PublisherSelection<Outgoing = unknown> {
  readonly #publisher: Publisher<Outgoing>
  readonly #names: SelectionNames

  /** @internal Made by {@link Publisher}. */
  constructor(publisher: Publisher<Outgoing>, names: SelectionNames) {
    this.#publisher = publisher
    this.#names = names
  }

  /** Without the connections with these ids. */
  except(targets: Target | readonly Target[]): PublisherSelection<Outgoing> {
    return this.#with({ exceptIds: [...this.#names.exceptIds, ...targetIds(targets)] })
  }

  /** Without the members of these rooms. */
  exceptRooms(rooms: string | Iterable<string>): PublisherSelection<Outgoing> {
    return this.#with({ exceptChannels: [...this.#names.exceptChannels, ...roomChannels(rooms)] })
  }

  /**
   * Sends a message. Resolves when the broker took it; who got it is not known here.
   * @throws AdapterError `ADAPTER_UNAVAILABLE` when the broker did not take it within a second.
   * @throws CodecError when the codec cannot encode it.
   */
  send(message: Outgoing): Promise<void> {
    return this.#publisher.publish(this.#names, message)
  }

  /**
   * Has every node close the connections that are meant. Resolves when the broker took it; nobody answers.
   * @throws InvalidOptionError for a code that may not be sent.
   */
  close(code = 1000, reason = ""): Promise<void> {
    return this.#publisher.disconnect(this.#names, code, reason)
  }

  #with(change: Partial<SelectionNames>): PublisherSelection<Outgoing> {
    return new PublisherSelection(this.#publisher, { ...this.#names, ...change })
  }
}

/** A way into the cluster. Made by {@link createPublisher}. */
export class Publisher<Outgoing = unknown> {
  /** Resolves when the adapter is usable. Sending before that waits for it, a second at most. */
  readonly ready: Promise<void>
  readonly #adapter: Adapter
  readonly #codec: Pick<Codec<unknown, Outgoing>, "encode">
  readonly #ending = new AbortController()

  /** @internal Use {@link createPublisher}. */
  constructor(adapter: Adapter, options: Given<PublisherOptions<Outgoing>>) {
    this.#adapter = checkAdapter(adapter)
    const { codec = json() as Codec<unknown, Outgoing>, logger: given } = options
    if (typeof codec?.encode !== "function") reject("publisher.codec", "a codec", codec)
    const logger = resolveLogger(given)
    this.#codec = codec
    const connected = attempt(() =>
      adapter.connect({
        nodeId: `publisher-${randomId()}`,
        isPublisher: true,
        onMessage() {},
        onOperation() {},
        onState: (state) => logger.debug({ state }, "the state of a publisher's adapter"),
        onGap() {},
        logger,
        signal: this.#ending.signal,
      }),
    )
    this.ready = connected ?? Promise.resolve()
    this.ready.catch((err: unknown) => {
      if (!this.#ending.signal.aborted) logger.error({ err }, "a publisher could not connect")
    })
  }

  /**
   * The members of a room, or of several.
   * @throws InvalidOptionError for a room name that is empty or above 512 bytes.
   */
  to(rooms: string | Iterable<string>): PublisherSelection<Outgoing> {
    return this.#select([...new Set(roomChannels(rooms))])
  }

  /** All connections of one user. */
  user(userId: string): PublisherSelection<Outgoing> {
    return this.#select([userChannel(userId)])
  }

  /** Everybody. */
  get everybody(): PublisherSelection<Outgoing> {
    return this.#select([EVERYBODY])
  }

  /** Sends to one connection, by id, on whichever node it is. Resolves when the broker took it. */
  async send(id: string, message: Outgoing): Promise<void> {
    const payload = encodeWith(this.#codec, message)
    const bytes = encodeForwarding({ connectionId: id, payload, isDirected: false })
    await this.#adapter.send("*", "forward", bytes)
  }

  /** Hands over what was accepted, for a second at most, and ends. */
  async close(): Promise<void> {
    this.#ending.abort()
    await this.#adapter.close({ deadlineMs: 1_000 })
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal */
  async publish({ channels, exceptIds, exceptChannels }: SelectionNames, message: Outgoing): Promise<void> {
    const payload = encodeWith(this.#codec, message)
    // a node that has a member in several of the rooms leaves out those it served before
    const publications = channels.map((channel, index) => {
      const meta = { exceptIds, exceptChannels: [...exceptChannels, ...channels.slice(0, index)] }
      return attempt(() => this.#adapter.publish(channel, payload, meta))
    })
    await Promise.all(publications)
  }

  /** @internal */
  async disconnect(
    { channels, exceptIds, exceptChannels }: SelectionNames,
    code: number,
    reason: string,
  ): Promise<void> {
    checkCloseCode(code)
    const question: Question = { ask: "close", names: { channels, exceptIds, exceptChannels }, code, reason }
    await this.#adapter.send("*", "ask", encodeOperation(question))
  }

  #select(channels: readonly string[]): PublisherSelection<Outgoing> {
    return new PublisherSelection(this, { ...ALL, channels })
  }
}
