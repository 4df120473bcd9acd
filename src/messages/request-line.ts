/**
 * The requests that wait for one peer's answers. What becomes of them when the connection ends is the difference between a
 * connection, which ends with it, and a client, which comes back.
 */

import { ConnectionLostError, QueueFullError } from "../core/errors.js"
import type { Unsubscribe } from "../core/types.js"
import type { Envelope, Framing, RefusalEnvelope, ReplyEnvelope, RequestId } from "./framing.js"
import type { PendingRequest } from "./pending-request.js"
import { RequestError } from "./request-error.js"

/** Whom a line tells. */
export interface LineOwner {
  /** A reply came that nobody waits for. */
  strayed(reply: ReplyEnvelope | RefusalEnvelope): void
  /** It waits for nothing any more. */
  ended(): void
}

/** What a line needs of a connection. */
export interface ConnectionPeer {
  /** Where it stands. */
  readonly state: string
  /** Sends a message, and says what became of it. */
  send(message: object): string
  /** Listens. */
  on(event: "message", listener: (payload: { readonly data: unknown }) => void): Unsubscribe
  on(event: "close", listener: (info: { readonly code: number }) => void): Unsubscribe
}

/** What a line needs of a client. */
export interface ClientPeer {
  /** Where it stands. */
  readonly state: string
  /** Sends a message, and resolves when the socket has taken it. */
  sendAsync(message: object, options: { readonly signal: AbortSignal }): Promise<void>
  /** Listens. */
  on(event: "message", listener: (payload: { readonly data: unknown }) => void): Unsubscribe
  on(event: "state", listener: (change: { readonly from: string }) => void): Unsubscribe
  on(event: "end", listener: () => void): Unsubscribe
}

/** Whether a peer can be sent to, and listened to. */
export function isConnection<Peer extends object>(peer: Peer): peer is Peer & ConnectionPeer {
  const { state, send, on }: Partial<ConnectionPeer> = Object(peer)
  return typeof state === "string" && typeof send === "function" && typeof on === "function"
}

/** Whether a peer that can comes back when its connection has ended. */
export function isClient<Peer extends ConnectionPeer>(peer: Peer): peer is Peer & ClientPeer {
  return "reconnect" in peer
}

/** The requests of one peer. */
export abstract class RequestLine {
  readonly #framing: Framing
  readonly #owner: LineOwner
  readonly #pending = new Map<RequestId, PendingRequest>()
  /** The undo of each listener. */
  protected readonly listening: Unsubscribe[] = []

  constructor(framing: Framing, owner: LineOwner) {
    this.#framing = framing
    this.#owner = owner
  }

  /** How many wait. */
  get size(): number {
    return this.#pending.size
  }

  /** Waits for the answer to a request from now on. */
  expect(request: PendingRequest): void {
    this.#pending.set(request.id, request)
  }

  /** Waits no longer. */
  forget(id: RequestId): void {
    this.#pending.delete(id)
  }

  /** Ends every request that waits, and listens no more. */
  end(error: Error): void {
    for (const undo of this.listening.splice(0)) undo()
    for (const request of this.waiting) request.settle(error)
    this.#owner.ended()
  }

  /** Sends a request that is expected. */
  abstract transmit(request: PendingRequest): void

  /** Takes what came in: replies are for here, everything else is somebody else's. */
  protected received(data: unknown): void {
    const read = this.#framing.read(data)
    for (const envelope of Array.isArray(read) ? (read as readonly Envelope[]) : [read as Envelope]) {
      if (envelope.kind === "reply" || envelope.kind === "refusal") this.#answered(envelope)
    }
  }

  /** Every request that waits, at this moment. */
  protected get waiting(): PendingRequest[] {
    return [...this.#pending.values()]
  }

  #answered(envelope: ReplyEnvelope | RefusalEnvelope): void {
    const request = envelope.id === null ? undefined : this.#pending.get(envelope.id)
    if (!request) this.#owner.strayed(envelope)
    else if (envelope.kind === "reply") request.settle(undefined, envelope.value)
    else {
      const { reason, message, data } = envelope.failure
      request.settle(new RequestError(reason, message, { data }))
    }
  }
}

/** The requests of a connection: they end with it. */
export class ConnectionLine extends RequestLine {
  readonly #peer: ConnectionPeer

  constructor(peer: ConnectionPeer, framing: Framing, owner: LineOwner) {
    super(framing, owner)
    this.#peer = peer
    this.listening.push(
      peer.on("message", ({ data }) => this.received(data)),
      peer.on("close", ({ code }) =>
        this.end(new ConnectionLostError(`the connection ended with ${code} before the answer`)),
      ),
    )
  }

  override transmit(request: PendingRequest): void {
    const result = this.#peer.send(request.message)
    if (result === "closed") request.settle(new ConnectionLostError(`the connection is ${this.#peer.state}`))
    if (result === "dropped") request.settle(new QueueFullError("the outbox has no room for the request"))
  }
}

/**
 * The requests of a client: one that has not left waits for the next connection; one that has, and is not answered, is
 * lost with its connection, or sent again where that does no harm.
 */
export class ClientLine extends RequestLine {
  readonly #peer: ClientPeer
  /** Those that the socket has taken. */
  readonly #sent = new WeakSet<PendingRequest>()

  constructor(peer: ClientPeer, framing: Framing, owner: LineOwner) {
    super(framing, owner)
    this.#peer = peer
    this.listening.push(
      peer.on("message", ({ data }) => this.received(data)),
      peer.on("state", ({ from }) => {
        if (from === "open")
          for (const request of this.waiting) if (this.#sent.has(request)) this.#lost(request)
      }),
      peer.on("end", () => this.end(new ConnectionLostError("the client ended before the answer"))),
    )
  }

  override transmit(request: PendingRequest): void {
    const { message, signal } = request
    this.#peer.sendAsync(message, { signal }).then(
      () => {
        this.#sent.add(request)
        // whoever sent it may have replaced the connection in the same breath
        if (this.#peer.state !== "open") this.#lost(request)
      },
      (error: unknown) => request.settle(error),
    )
  }

  #lost(request: PendingRequest): void {
    this.#sent.delete(request)
    if (request.isIdempotent && !request.signal.aborted) this.transmit(request)
    else request.settle(new ConnectionLostError("the connection ended before the answer"))
  }
}
