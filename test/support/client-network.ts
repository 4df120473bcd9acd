/**
 * A network in memory for clients: a `WebSocket` constructor whose sockets do what the test says. Each socket is both
 * ends at once; the methods of the far end are named after what a server does.
 */

import type { Clock, Payload, SocketLike, WebSocketConstructor } from "holdfast"

/**
 * Whose socket is played.
 *
 * - `browser`: a failure is an `error` and a `close`; no ping frames, no `terminate`, no `pause`.
 * - `node22`: an attempt that fails has an `error` and never a `close`, and stays at readyState 0.
 * - `node24`: `close()` while connecting stays at readyState 2 for ever, without an event.
 * - `frames`: like a browser's, with ping frames, `terminate` and `pause`.
 */
export type Make = "browser" | "node22" | "node24" | "frames"

type Listener = (event: never) => void

/** One socket that a client dialled, and the far end of it. */
export class DialledSocket implements SocketLike {
  readyState = 0
  bufferedAmount = 0
  protocol = ""
  binaryType = "blob"
  /** What has arrived at the far end, in order. */
  readonly received: Payload[] = []
  /** How the client closed it. */
  readonly closes: { readonly code: number | undefined; readonly reason: string | undefined }[] = []
  /** A far end that answers nothing: no ping, no closing handshake. What is sent to it is lost. */
  isDeaf = false
  /** Whether the far end answers the text `ping` with `pong`. */
  answersLiteral = false
  /** The next so many sends throw. */
  failingSends = 0
  /** What is sent stays in `bufferedAmount` until {@link drain}. */
  isStalled = false
  protected readonly network: FakeNetwork
  readonly #listeners = new Map<string, Set<Listener>>()
  #isCut = false

  constructor(
    network: FakeNetwork,
    readonly url: string,
    readonly protocols: string | string[] | undefined,
    readonly options: object | undefined,
  ) {
    this.network = network
  }

  /** How many listeners there are. */
  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((sum, it) => sum + it.size, 0)
  }

  addEventListener(type: string, listener: (event: unknown) => void): void {
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(listener))
  }

  removeEventListener(type: string, listener: (event: unknown) => void): void {
    this.#listeners.get(type)?.delete(listener)
  }

  send(data: Payload): void {
    if (this.readyState === 0) throw new Error("still connecting")
    if (this.failingSends > 0) {
      this.failingSends -= 1
      throw new Error("send failed")
    }
    if (this.readyState !== 1) return
    const copy = typeof data === "string" ? data : new Uint8Array(data)
    if (this.isStalled) this.bufferedAmount += copy.length
    this.network.carry(() => this.#arrive(copy))
  }

  close(code?: number, reason?: string): void {
    if (this.readyState > 1) return
    const wasConnecting = this.readyState === 0
    this.readyState = 2
    this.closes.push({ code, reason })
    if (wasConnecting && this.network.make === "node24") return
    const ended = wasConnecting ? () => this.#fail() : () => this.#closed(code ?? 1005, reason ?? "")
    this.network.carry(() => this.isDeaf || ended())
  }

  // --- the far end

  /** Completes the handshake. */
  accept(protocol = ""): void {
    if (this.readyState !== 0) return
    this.readyState = 1
    this.protocol = protocol
    this.emit("open", {})
  }

  /** Turns the client away. */
  refuse(): void {
    if (this.readyState === 0) this.#fail()
  }

  /** Sends a message to the client. */
  deliver(data: Payload): void {
    const event = { data: typeof data === "string" ? data : new Uint8Array(data).buffer }
    if (this.readyState === 1 && !this.isDeaf) this.emit("message", event)
  }

  /** Closes with a code. */
  end(code = 1000, reason = ""): void {
    if (this.readyState < 3) this.#closed(code, reason)
  }

  /** The line is cut: whatever is under way is lost. */
  cut(): void {
    this.end(1006)
  }

  /** The line is dead, and nobody is told. */
  blackHole(): void {
    this.isDeaf = true
    this.#isCut = true
  }

  /** So many bytes leave the socket. */
  drain(bytes: number): void {
    this.bufferedAmount = Math.max(0, this.bufferedAmount - bytes)
  }

  /** Tells the client something, whatever state the socket is in: a late event. */
  emit(type: string, event: object): void {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) listener(event as never)
  }

  protected get isLost(): boolean {
    return this.#isCut || this.readyState === 3
  }

  #arrive(data: Payload): void {
    if (this.isLost) return
    if (data === "ping" && this.answersLiteral) this.network.carry(() => this.deliver("pong"))
    this.received.push(data)
    this.network.received.push(data)
  }

  #fail(): void {
    if (this.network.make !== "node22") this.readyState = 3
    this.emit("error", { message: "" })
    if (this.network.make !== "node22") this.emit("close", { code: 1006, reason: "" })
  }

  #closed(code: number, reason: string): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.emit("close", { code, reason })
  }
}

/** A socket with what the `ws` package has on top. */
export class FrameSocket extends DialledSocket {
  isPaused = false
  readonly pings: string[] = []
  #unread: Payload[] = []

  ping(payload = ""): void {
    if (this.readyState !== 1) return
    this.pings.push(payload)
    this.network.carry(() => this.isLost || this.isDeaf || this.pong(payload))
  }

  /** Answers a ping. */
  pong(payload: string): void {
    this.emit("pong", { data: new TextEncoder().encode(payload) })
  }

  terminate(): void {
    this.end(1006)
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    while (!this.isPaused && this.#unread.length > 0) super.deliver(this.#unread.shift() as Payload)
  }

  override deliver(data: Payload): void {
    if (this.isPaused) this.#unread.push(data)
    else super.deliver(data)
  }
}

/** Everything that was dialled, and what becomes of the next dial. */
export class FakeNetwork {
  /** Every socket that was ever dialled, oldest first. */
  readonly sockets: DialledSocket[] = []
  /** What has arrived at the far ends of all sockets, in order. */
  readonly received: Payload[] = []
  /** The most sockets that were connecting or open at one time. */
  mostLive = 0
  /** The most sockets that were not closed at one time. */
  mostUnclosed = 0
  /** Whether far ends answer the text `ping` with `pong` from their opening on. */
  answersLiteral = false
  /** How long a frame takes, in milliseconds; 0 is right after the synchronous code. */
  latencyMs = 0
  /** What happens to a socket that was dialled. */
  onDial: (socket: DialledSocket) => void = (socket) => socket.accept()
  readonly make: Make
  /** What a client is given as its `WebSocket`. */
  readonly WebSocket: WebSocketConstructor
  readonly #clock: Clock
  #unclosed: DialledSocket[] = []

  constructor(clock: Clock, make: Make = "browser") {
    this.#clock = clock
    this.make = make
    const dial = (url: string, protocols?: string | string[], options?: object) =>
      this.#dial(url, protocols, options)
    this.WebSocket = class {
      constructor(url: string, protocols?: string | string[], options?: object) {
        // biome-ignore lint/correctness/noConstructorReturn: a test needs the socket itself, not a wrapper
        return dial(url, protocols, options)
      }
    } as unknown as WebSocketConstructor
  }

  /** The socket dialled last. */
  get last(): DialledSocket {
    const socket = this.sockets.at(-1)
    if (!socket) throw new Error("nothing was dialled")
    return socket
  }

  /** The sockets that are connecting or open. */
  get live(): DialledSocket[] {
    return this.#unclosed.filter((it) => it.readyState < 2)
  }

  /** Lets something happen after the latency. */
  carry(happen: () => void): void {
    if (this.latencyMs > 0) this.#clock.setTimer(happen, this.latencyMs)
    else this.#clock.soon(happen)
  }

  #dial(url: string, protocols: string | string[] | undefined, options: object | undefined): DialledSocket {
    if (!/^wss?:\/\//.test(url)) throw new SyntaxError(`invalid URL: ${url}`)
    const Socket = this.make === "frames" ? FrameSocket : DialledSocket
    const socket = new Socket(this, url, protocols, options)
    socket.answersLiteral = this.answersLiteral
    this.sockets.push(socket)
    this.#unclosed = [...this.#unclosed.filter((it) => it.readyState < 3), socket]
    this.mostUnclosed = Math.max(this.mostUnclosed, this.#unclosed.length)
    this.mostLive = Math.max(this.mostLive, this.live.length)
    this.carry(() => this.onDial(socket))
    return socket
  }
}
