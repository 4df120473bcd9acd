/**
 * A `WebSocket` that comes back: the platform's interface over a `ReconnectingClient`. It keeps what an application
 * can see, and leaves dialling, retrying and sending to one {@link Run} after another.
 */

import { defaultLogger } from "../core/logger.js"
import type { Given } from "../core/options.js"
import { CLOSED, CLOSING, OPEN } from "../wire/socket.js"
import {
  type CompatSettings,
  type Options,
  type ProtocolsProvider,
  resolveCompat,
  type UrlProvider,
} from "./compat-options.js"
import { type DialledSocket, Run } from "./run.js"
import { type Message, sizeOf, toMessage } from "./send-order.js"
import {
  ABNORMAL,
  type CloseDetails,
  closeEvent,
  errorEvent,
  messageEvent,
  openEvent,
} from "./socket-events.js"
import { parseAddress, parseClose, parseProtocols } from "./socket-syntax.js"
import { CONNECTING, WebSocketTarget } from "./websocket-target.js"

/**
 * Stands in for `WebSocket`, and for the sockets of reconnecting-websocket and partysocket, by changing one import.
 *
 * It behaves as the WHATWG standard says, plus reconnection: `open` comes at each open and `close` at each loss;
 * between two attempts `readyState` is `CLOSED`; `send()` never throws but keeps messages for the next connection.
 *
 * @example
 * const socket = new ReconnectingWebSocket("wss://api.example/ws")
 * socket.onmessage = ({ data }) => render(data)
 * socket.send("hello")
 */
export class ReconnectingWebSocket extends WebSocketTarget {
  readonly #settings: CompatSettings
  readonly #newRun: () => Run
  /** Takes what is sent. One that was closed is followed at once by another, which starts when it is asked to. */
  #run: Run
  /** Closed by the application, and not ended yet. */
  #leaving: Run | undefined
  #shouldReconnect: boolean
  #readyState: 0 | 1 | 2 | 3 = CONNECTING
  #binaryType: "blob" | "arraybuffer" = "blob"
  #url = ""
  #origin = ""
  #retryCount = 0
  #openedAt = 0
  /** The socket that was dialled last. */
  #socket: DialledSocket | undefined
  /** What was dropped because this socket is closed counts as buffered (WHATWG WebSockets, section 3.1). */
  #strandedBytes = 0
  #isTellingClose = false
  #hasWarned = false

  /**
   * @param url - Where to dial, as `WebSocket` takes it, or a function that is asked before each attempt.
   * @param protocols - Subprotocols to offer, or a function that is asked before each attempt.
   * @param options - See {@link Options}.
   * @throws DOMException `SyntaxError` for an address or a subprotocol that is none. What a function returns is
   * checked at each attempt, and makes it fail.
   * @throws InvalidOptionError with the value received.
   */
  constructor(url: UrlProvider, protocols?: ProtocolsProvider, options: Given<Options> = {}) {
    super()
    if (typeof url !== "function") this.#url = parseAddress(url)
    const offered = typeof protocols === "function" ? protocols : parseProtocols(protocols)
    const settings = resolveCompat(options)
    this.#settings = settings
    this.#newRun = () =>
      new Run(typeof url === "function" ? url : this.#url, offered, settings, {
        connecting: () => this.#connecting(),
        dialled: (socket, address) => this.#dialled(socket, address),
        opened: () => this.#opened(),
        received: (data) => this.#received(data),
        failed: (error) => this.#failed(error),
        ended: (run, end, isFinal) => this.#ended(run, end, isFinal),
      })
    this.#run = this.#newRun()
    this.#shouldReconnect = !options.startClosed
    if (this.#shouldReconnect) this.#run.start()
    else this.#readyState = CLOSED
  }

  /** One of the four constants. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState
  }

  /** Where it dials, normalised; with a url function, where it dialled last, and empty before that. */
  get url(): string {
    return this.#url
  }

  /** The subprotocol of the last connection; empty for none. */
  get protocol(): string {
    return this.#socket?.protocol ?? ""
  }

  /** The extensions of the last connection; empty for none. */
  get extensions(): string {
    return this.#socket?.extensions ?? ""
  }

  /** Bytes given to `send` that have not left this process: in the queue and in the socket, text as UTF-8. */
  get bufferedAmount(): number {
    const waiting = this.#run.queuedBytes + (this.#leaving?.queuedBytes ?? 0)
    return waiting + (this.#socket?.bufferedAmount ?? 0) + this.#strandedBytes
  }

  /** How binary messages come; it outlives connections. Anything but the two words is ignored. */
  get binaryType(): "blob" | "arraybuffer" {
    return this.#binaryType
  }

  /** Holds from the next message on, also after reconnecting; any other value is ignored. */
  set binaryType(value: "blob" | "arraybuffer") {
    if (value === "blob" || value === "arraybuffer") this.#binaryType = value
  }

  /** How many attempts have failed since the last connection that lasted `minUptime`, or since `reconnect()`. */
  get retryCount(): number {
    const { clock, minUptimeMs } = this.#settings
    const isStable = this.#readyState === OPEN && clock.now() - this.#openedAt >= minUptimeMs
    return isStable ? 0 : this.#retryCount
  }

  /** Whether it comes back by itself. `false` in the `close` event that is the last. */
  get shouldReconnect(): boolean {
    return this.#shouldReconnect
  }

  /**
   * Sends a message, or keeps it for the next connection; never throws. A `Blob` keeps its place among the others.
   * After `close()`, messages wait for a `reconnect()`.
   *
   * @returns `true` when the connection is open; `false` when the message waits, or was dropped for lack of room.
   */
  send(data: Message): boolean {
    const message = toMessage(data)
    const size = sizeOf(message)
    if (this.#readyState === OPEN || this.#hasRoom(size)) this.#run.send(message)
    else this.#dropped(size)
    return this.#readyState === OPEN
  }

  /** Takes out everything that waits, oldest first, and returns it. */
  drainQueuedMessages(): Message[] {
    return this.#run.drain()
  }

  /**
   * Ends the connection, the attempt or the wait, for good or until `reconnect()`. A `close` event follows, also
   * when there is no connection just now, but for a call inside a `close` event, which is the last one then.
   *
   * What was sent before leaves first. Blobs that are being read have 10 s for it; what is behind them waits then, as
   * what is sent after `close()` does.
   *
   * @throws DOMException `InvalidAccessError` for a code other than 1000 and 3000–4999.
   * @throws DOMException `SyntaxError` for a reason of more than 123 bytes of UTF-8.
   */
  close(code?: number, reason?: string): void {
    const end = parseClose(code, reason)
    if (!this.#shouldReconnect) return
    this.#shouldReconnect = false
    const run = this.#run
    this.#run = this.#newRun()
    if (this.#isTellingClose && this.#readyState === CLOSED) {
      run.retire(end)
      this.#inherit(run)
      return
    }
    this.#leaving = run
    // what an open connection was given leaves before the close frame
    if (this.#readyState !== OPEN) this.#inherit(run)
    if (this.#readyState !== CLOSED) this.#readyState = CLOSING
    void run.close(end)
  }

  /**
   * Ends the connection, the attempt or the wait, and dials at once. Begins to count retries anew, and revives a
   * socket that was closed.
   *
   * @throws DOMException as {@link close} does.
   */
  reconnect(code?: number, reason?: string): void {
    const end = parseClose(code, reason)
    const old = this.#leaving ?? this.#run
    const isLost = old.isFailing
    const isTold = this.#readyState === CLOSED && !isLost
    if (!this.#leaving) this.#run = this.#newRun()
    this.#leaving = undefined
    this.#shouldReconnect = true
    this.#retryCount = 0
    this.#strandedBytes = 0
    const next = this.#run
    old.retire(end)
    this.#inherit(old)
    this.#readyState = CLOSED
    if (!isTold) this.#tellClose(isLost ? ABNORMAL : end)
    // a listener may have closed it, or reconnected
    if (!this.#shouldReconnect || next !== this.#run) return
    this.#readyState = CONNECTING
    next.start()
  }

  #connecting(): void {
    this.#readyState = CONNECTING
  }

  #dialled(socket: DialledSocket, url: string): void {
    this.#settings.debug("connect", { url })
    this.#socket = socket
    this.#url = url
    this.#origin = new URL(url).origin
  }

  #opened(): void {
    // closed right before this, and told so after it
    if (this.#leaving) return
    this.#readyState = OPEN
    this.#openedAt = this.#settings.clock.now()
    this.#tell(openEvent())
  }

  #received(data: string | Uint8Array): void {
    if (this.#readyState !== OPEN) return
    this.dispatchEvent(messageEvent(this.#incoming(data), this.#origin))
  }

  #failed(error: unknown): void {
    this.#readyState = CLOSED
    this.#tell(errorEvent(error))
  }

  #ended(run: Run, end: CloseDetails, isFinal: boolean): void {
    this.#readyState = CLOSED
    this.#retryCount = run.retryCount
    if (isFinal) {
      this.#shouldReconnect = false
      this.#leaving = undefined
      if (run === this.#run) this.#run = this.#newRun()
      this.#inherit(run)
    }
    this.#tellClose(end)
  }

  #tellClose(end: CloseDetails): void {
    const isNested = this.#isTellingClose
    this.#isTellingClose = true
    this.#tell(closeEvent(end))
    this.#isTellingClose = isNested
  }

  #tell(event: Event): void {
    this.#settings.debug(`${event.type} event`)
    this.dispatchEvent(event)
  }

  /** What an ended run could not send goes to its successor, before what that was given meanwhile. */
  #inherit(old: Run): void {
    const later = this.#run.drain()
    for (const message of [...old.drain(), ...later]) this.#run.send(message)
  }

  #incoming(data: string | Uint8Array): string | ArrayBuffer | Blob {
    if (typeof data === "string") return data
    // a `Buffer` is often a part of a larger memory
    const bytes = new Uint8Array(data)
    return this.#binaryType === "blob" ? new Blob([bytes]) : bytes.buffer
  }

  #hasRoom(size: number): boolean {
    const { maxMessages, maxBytes } = this.#settings
    return this.#run.queued < maxMessages && this.#run.queuedBytes + size <= maxBytes
  }

  #dropped(size: number): void {
    if (!this.#shouldReconnect) this.#strandedBytes += size
    if (this.#hasWarned) return
    this.#hasWarned = true
    defaultLogger.warn({ queued: this.#run.queued }, "maxEnqueuedMessages is reached: messages are dropped")
  }
}
