/**
 * Messages that are answered. One instance serves any number of connections and clients, in both directions at once; what
 * a request looks like on the wire is the framing's business.
 */

import { Emitter } from "../core/emitter.js"
import { ConnectionLostError, HoldfastError, QueueFullError } from "../core/errors.js"
import { type Logger, resolveLogger } from "../core/logger.js"
import { checkCount, checkMethods, checkMs, type Given, reject, resolveOptions } from "../core/options.js"
import { systemClock } from "../core/timer.js"
import { randomId } from "../wire/connection-options.js"
import { type Framing, type RequestId, resolveFraming } from "./framing.js"
import { abortError, PendingRequest } from "./pending-request.js"
import {
  ClientLine,
  ConnectionLine,
  isClient,
  isConnection,
  type LineOwner,
  type RequestLine,
} from "./request-line.js"
import type {
  Gathered,
  MissingReply,
  NamedReply,
  RequestOptions,
  RequestPeer,
  RequestSelection,
  RequestsEvents,
  RequestsOptions,
  SentTo,
} from "./request-types.js"

/**
 * Makes requests possible. Share one among all connections: it keeps what waits of each apart.
 *
 * @typeParam Replies - What each kind of request is answered with, by type.
 * @typeParam Key - The field that holds a message's type; name it when it is not `type`.
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * const requests = createRequests<{ "get-user": User }>()
 * const user = await requests.request(client, { type: "get-user", name: "ada" }, { timeoutMs: 2_000 })
 */
export function createRequests<Replies = Readonly<Record<string, unknown>>, Key extends string = "type">(
  options: Given<RequestsOptions<Key>> = {},
): Requests<Replies, Key> {
  return new Requests(options)
}

const DEFAULTS = /* @__PURE__ */ Object.freeze({
  discriminator: undefined as string | undefined,
  framing: undefined as Framing | undefined,
  timeoutMs: 10_000,
  maxPending: 1_024,
  logger: undefined as Logger | false | undefined,
  clock: systemClock,
})

/** Numbers of requests, by peer: several of us may ask the same one. */
const serials = /* @__PURE__ */ new WeakMap<object, number>()

/** Requests to any number of peers. Made by {@link createRequests}. */
export class Requests<Replies, Key extends string> extends Emitter<RequestsEvents> {
  /** How many replies came that nobody waited for. */
  unmatched = 0
  readonly #framing: Framing
  readonly #settings: typeof DEFAULTS
  /** Those of peers that have not ended. */
  readonly #lines = new Map<object, RequestLine>()
  #isClosed = false

  /** @internal Use {@link createRequests}. */
  constructor(options: Given<RequestsOptions<Key>>) {
    const settings = resolveOptions("requests", DEFAULTS, options as never)
    const { discriminator, framing, timeoutMs, maxPending, clock } = settings
    super(resolveLogger(settings.logger))
    checkMs("requests.timeoutMs", timeoutMs, 1)
    checkCount("requests.maxPending", maxPending)
    checkMethods("requests.clock", clock, ["now", "setTimer", "clearTimer"])
    this.#framing = resolveFraming("requests", discriminator, framing)
    this.#settings = settings
  }

  /** How many requests to a peer wait for their answer. */
  pending(peer: RequestPeer): number {
    return this.#lines.get(peer)?.size ?? 0
  }

  /**
   * Sends a message and resolves with what it is answered with.
   *
   * On a client without a connection it waits in the client's queue, until its own deadline. When the connection ends
   * before the answer, it is lost, since it may have been carried out, unless it is `idempotent`.
   *
   * @throws RequestError when the peer refused it: `reason`, `message` and `data` are the peer's.
   * @throws RequestTimeoutError after `timeoutMs`.
   * @throws ConnectionLostError when the connection, or the client, ended before the answer.
   * @throws QueueFullError when too many wait, or the queue or outbox has no room.
   * @throws HoldfastError `ABORTED` when the signal was aborted, the message taken out of the client's queue, or these
   *   requests {@link close | closed}.
   * @throws CodecError when the codec cannot encode it.
   * @throws InvalidOptionError when the message has an id already.
   */
  async request<
    Peer extends RequestPeer,
    Message extends SentTo<Peer> & { readonly [K in Key]: keyof Replies },
  >(peer: Peer, message: Message, options: RequestOptions = {}): Promise<Replies[Message[Key]]> {
    this.#check(options)
    const line = this.#lineOf(peer)
    const serial = (serials.get(peer) ?? 0) + 1
    serials.set(peer, serial)
    const request = this.#open(line, this.#framing.request(message as object, serial), serial, options)
    try {
      line.transmit(request)
    } catch (error) {
      request.settle(error)
    }
    return request.answer as Promise<Replies[Message[Key]]>
  }

  /**
   * Sends one message to all that a selection means on this node, in one frame, and collects what they answer with. Never
   * rejects because of one of them: who was refused, left, or is late, is in `missing`.
   *
   * @throws HoldfastError `ABORTED` when the signal was aborted, or these requests {@link close | closed}.
   * @throws CodecError when the codec cannot encode it.
   * @throws InvalidOptionError when the message has an id already.
   *
   * @example
   * const { replies, missing } = await requests.requestAll(hub.to("lobby"), { type: "vote" }, { timeoutMs: 2_000 })
   */
  async requestAll<
    Selected extends RequestSelection,
    Message extends SentTo<Selected["local"]> & { readonly [K in Key]: keyof Replies },
  >(
    selection: Selected,
    message: Message,
    options: Omit<RequestOptions, "idempotent"> = {},
  ): Promise<Gathered<Replies[Message[Key]]>> {
    // nothing is sent that nobody will wait for
    this.#check(options)
    const id = randomId()
    const framed = this.#framing.request(message as object, id)
    const asked = selection.connections.map((peer) => this.#ask(peer, framed, id, options))
    try {
      selection.local.send(framed as never)
    } catch (error) {
      for (const { request } of asked) request?.settle(error)
      throw error
    }
    const answers = await Promise.all(asked.map(({ answer }) => answer))
    this.#check(options)
    return {
      replies: answers.filter((it) => "reply" in it) as NamedReply<Replies[Message[Key]]>[],
      missing: answers.filter((it) => "error" in it),
    }
  }

  /**
   * Ends all requests that wait, with the code `ABORTED`, and listens to no peer any more. For requests that are made for a
   * part of a program's life; those that are shared by all of it need not be closed.
   */
  close(): void {
    this.#isClosed = true
    const error = new HoldfastError("ABORTED", "the requests were closed")
    for (const line of this.#lines.values()) line.end(error)
    this.removeAllListeners()
  }

  /** The same as {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  /** Waits for the answer of one of many, which never rejects. */
  #ask(
    peer: RequestSelection["connections"][number],
    message: object,
    id: RequestId,
    options: RequestOptions,
  ) {
    const missing = (error: unknown): MissingReply => ({ id: peer.id, error })
    try {
      const request = this.#open(this.#lineOf(peer), message, id, options)
      return { request, answer: request.answer.then((reply) => ({ id: peer.id, reply }), missing) }
    } catch (error) {
      return { request: undefined, answer: missing(error) }
    }
  }

  #open(line: RequestLine, message: object, id: RequestId, options: RequestOptions): PendingRequest {
    const { clock, maxPending } = this.#settings
    const { signal, idempotent = false } = options
    const timeoutMs = this.#check(options)
    if (line.size >= maxPending) throw new QueueFullError(`${line.size} requests wait for this peer`)
    const settled = () => line.forget(id)
    const request = new PendingRequest({
      id,
      message,
      isIdempotent: idempotent,
      timeoutMs,
      signal,
      clock,
      settled,
    })
    line.expect(request)
    return request
  }

  /** Whether there may be requests with these options. Returns how long they may take. */
  #check({ timeoutMs = this.#settings.timeoutMs, signal }: RequestOptions): number {
    checkMs("request.timeoutMs", timeoutMs, 1)
    if (signal?.aborted) throw abortError(signal)
    if (this.#isClosed) throw new HoldfastError("ABORTED", "the requests are closed")
    return timeoutMs
  }

  #lineOf(peer: RequestPeer): RequestLine {
    const known = this.#lines.get(peer)
    if (known) return known
    if (peer?.state === "closed") throw new ConnectionLostError("the connection has ended")
    const owner: LineOwner = {
      strayed: (reply) => {
        this.unmatched += 1
        this.emit("unmatched", { peer, reply })
      },
      ended: () => void this.#lines.delete(peer),
    }
    const line = lineTo(peer, this.#framing, owner)
    this.#lines.set(peer, line)
    return line
  }
}

function lineTo(peer: RequestPeer, framing: Framing, owner: LineOwner): RequestLine {
  if (!isConnection(peer)) return reject("request.peer", "a connection or a client", peer)
  return isClient(peer) ? new ClientLine(peer, framing, owner) : new ConnectionLine(peer, framing, owner)
}
