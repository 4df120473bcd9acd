/**
 * One run of a drop-in socket: a `ReconnectingClient` from the first dial to the end, told in the words of a
 * `WebSocket`. It dispatches no events; a socket that is closed and revived has one run after another.
 */

import type { StateChange } from "../client/client-events.js"
import type { LinkEnd } from "../client/link.js"
import { ReconnectingClient } from "../client/reconnecting-client.js"
import { retryAdvice } from "../core/close-codes.js"
import { ConnectError } from "../core/errors.js"
import { Timer } from "../core/timer.js"
import type { SocketLike, WebSocketConstructor } from "../wire/socket.js"
import type { CompatSettings, ProtocolsProvider, UrlProvider } from "./compat-options.js"
import { type Message, type Sendable, SendOrder } from "./send-order.js"
import { ABNORMAL, type CloseDetails, closeEvent } from "./socket-events.js"
import { parseAddress, parseProtocols } from "./socket-syntax.js"

/** A socket as a run dials it. */
export interface DialledSocket extends SocketLike {
  /** The extensions that were agreed on. */
  readonly extensions?: string
}

/** Whom a run tells. */
export interface RunOwner {
  /** An attempt begins. */
  connecting(): void
  /** A socket was made for that address. */
  dialled(socket: DialledSocket, url: string): void
  /** It is open. */
  opened(): void
  /** A message came in. */
  received(data: string | Uint8Array): void
  /** The connection or the attempt has failed. Its end follows. */
  failed(error: unknown): void
  /** The connection or the attempt has ended, and with it, perhaps, the run. */
  ended(run: Run, end: CloseDetails, isFinal: boolean): void
}

/** How long a close waits for Blobs that are being read, in milliseconds. */
const READ_MS = 10_000

/** Dials, retries, and ends once. */
export class Run {
  /** How many attempts have failed since the last stable connection. */
  retryCount = 0
  readonly #client: ReconnectingClient<string | Uint8Array, Sendable>
  readonly #order: SendOrder
  readonly #settings: CompatSettings
  readonly #readTimer: Timer
  #owner: RunOwner | undefined
  /** The end of a connection was announced by an error and not told yet. */
  #isFailing = false
  /** The application closed it, with this. */
  #closing: CloseDetails | undefined
  /** The connection was lost before it could be closed. */
  #wasFaster = false

  constructor(url: UrlProvider, protocols: ProtocolsProvider, settings: CompatSettings, owner: RunOwner) {
    this.#settings = settings
    this.#owner = owner
    this.#client = new ReconnectingClient(perAttempt(url, parseAddress), {
      ...settings.client,
      protocols: perAttempt(protocols, parseProtocols),
      WebSocket: settings.WebSocket && this.#recorded(settings.WebSocket),
      shouldReconnect: (end) => this.#mayReturn(end),
    })
    this.#order = new SendOrder(
      (message) => void this.#client.send(message),
      (error) => settings.debug("a Blob cannot be read", error),
    )
    this.#readTimer = new Timer(settings.clock, () => this.#leave(this.#closing))
    this.#client.on("state", (change) => this.#changed(change))
    this.#client.on("message", ({ data }) => this.#owner?.received(data))
    this.#client.on("error", ({ error, stage }) => {
      if (stage === "listener") settings.debug("shouldReconnectOnClose failed", error)
      else this.#failed(error)
    })
  }

  /** Whether an error was told whose `close` has not been. */
  get isFailing(): boolean {
    return this.#isFailing
  }

  /** How many messages wait. */
  get queued(): number {
    return this.#client.queued + this.#order.size
  }

  /** How many bytes wait. */
  get queuedBytes(): number {
    return this.#client.queuedBytes + this.#order.bytes
  }

  /** Dials, right after the current synchronous code. */
  start(): void {
    this.#settings.clock.soon(() => {
      if (!this.#closing) this.#client.connect()
    })
  }

  /** Sends a message, or keeps it. */
  send(message: Message): void {
    this.#order.push(message)
  }

  /** Takes out everything that waits, oldest first. */
  drain(): Message[] {
    return [...this.#client.drainQueue(), ...this.#order.drain()]
  }

  /** Ends it, after what was sent over an open connection. The owner hears of it, never at once. */
  async close(end: CloseDetails): Promise<void> {
    this.#closing = end
    const sent = this.#client.state === "open" ? this.#order.settled : undefined
    if (sent) this.#readTimer.start(READ_MS)
    await sent
    this.#leave(end)
  }

  /** Ends it; the owner hears nothing any more. */
  retire(end: CloseDetails): void {
    this.#owner = undefined
    this.#leave(end)
  }

  #leave(end: CloseDetails | undefined): void {
    this.#order.stop()
    void this.#client.close(end?.code, end?.reason)
  }

  #changed({ from, to, attempt, lastClose }: StateChange): void {
    this.retryCount = attempt
    if (to === "open") this.#owner?.opened()
    else if (to === "waiting") this.#waiting(lastClose)
    else if (to === "closed") this.#ended(from, lastClose)
    else if (to === "connecting") this.#owner?.connecting()
  }

  #waiting(lastClose: LinkEnd | undefined): void {
    this.#isFailing = false
    this.#wasFaster = this.#closing !== undefined
    if (this.#wasFaster) void this.#client.close()
    else this.#owner?.ended(this, detailsOf(lastClose), false)
  }

  #ended(from: StateChange["from"], lastClose: LinkEnd | undefined): void {
    this.#readTimer.stop()
    const closing = this.#closing
    const isCutShort = closing && !this.#isFailing && (from === "connecting" || from === "idle")
    // as in the standard: to close a socket that is not open yet is to fail it
    if (isCutShort) this.#failed(new ConnectError("closed before the connection was established"))
    this.#isFailing = false
    const isBetweenTries = closing && from === "waiting" && !this.#wasFaster
    this.#owner?.ended(this, isCutShort ? ABNORMAL : isBetweenTries ? closing : detailsOf(lastClose), true)
  }

  #failed(error: unknown): void {
    this.#isFailing = true
    this.#owner?.failed(error)
  }

  #mayReturn(end: LinkEnd): boolean | undefined {
    const ask = this.#settings.shouldReconnectOnClose
    if (!ask) return undefined
    if (!ask(closeEvent(detailsOf(end)))) return false
    // yes is yes, also to a code that says never; the rest of the usual advice, how long to wait, still counts
    return end.wasOpen && retryAdvice(end.code) === "never" ? true : undefined
  }

  /** The same constructor, but its sockets are made known: what they are asked for outlives their connection. */
  #recorded(Socket: WebSocketConstructor): WebSocketConstructor {
    return new Proxy(Socket, {
      construct: (target, args: ConstructorParameters<WebSocketConstructor>) => {
        const socket = new target(...args)
        this.#owner?.dialled(socket, args[0])
        return socket
      },
    })
  }
}

function detailsOf(end: LinkEnd | undefined): CloseDetails {
  if (!end) return ABNORMAL
  return { code: end.code, reason: end.reason, wasClean: end.code !== ABNORMAL.code }
}

/** What is given once is parsed once, here; what is asked for is parsed at each attempt, and is an attempt that failed. */
function perAttempt<Given, Parsed>(
  given: Given | (() => Given | PromiseLike<Given>),
  parse: (value: Given) => Parsed,
): Parsed | (() => Promise<Parsed>) {
  if (typeof given !== "function") return parse(given)
  return async () => parse(await (given as () => Given | PromiseLike<Given>)())
}
