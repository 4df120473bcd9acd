/**
 * Two sockets, connected in memory, with the faults of a real network on demand. They have the small interface that
 * the library needs of a socket, in the platform's style (`addEventListener`), plus `ping` and `terminate`.
 */

import { type Clock, systemClock } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { SocketLike } from "../wire/socket.js"
import { byteLength } from "../wire/utf8.js"

/** How a pair behaves. */
export interface SocketPairOptions {
  /** How long a frame takes, in milliseconds. @defaultValue 0, but never within the same synchronous code */
  readonly latencyMs?: number
  /** Where time comes from. @defaultValue the platform's */
  readonly clock?: Clock
  /** The subprotocol both ends report. @defaultValue "" */
  readonly protocol?: string
}

type Listener = (event: never) => void

/** One end of a {@link socketPair}. */
export class FakeSocket implements SocketLike {
  readyState = 1
  binaryType = "arraybuffer"
  readonly protocol: string
  /** Everything given to `send`, in order. */
  readonly sent: Payload[] = []
  /** @internal */
  peer!: FakeSocket
  readonly #clock: Clock
  readonly #latencyMs: number
  readonly #listeners = new Map<string, Set<Listener>>()
  #held: (() => void)[] = []
  #unread: (() => void)[] = []
  #buffered = 0
  #isStalled = false
  #isPaused = false
  #isCut = false

  /** @internal Use {@link socketPair}. */
  constructor(clock: Clock, latencyMs: number, protocol: string) {
    this.#clock = clock
    this.#latencyMs = latencyMs
    this.protocol = protocol
  }

  get bufferedAmount(): number {
    return this.#buffered
  }

  addEventListener(type: string, listener: (event: unknown) => void): void {
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(listener))
  }

  removeEventListener(type: string, listener: (event: unknown) => void): void {
    this.#listeners.get(type)?.delete(listener)
  }

  send(data: Payload): void {
    if (this.readyState !== 1) return
    // not `slice()`: a Buffer's shares its memory
    const copy = typeof data === "string" ? data : new Uint8Array(data)
    this.sent.push(copy)
    const size = byteLength(copy)
    this.#buffered += size
    this.#carry(() => {
      this.#buffered -= size
      const event = { data: typeof copy === "string" ? copy : copy.buffer }
      this.peer.#read(() => this.peer.#emit("message", event))
    })
  }

  ping(data: string | Uint8Array = ""): void {
    if (this.readyState !== 1) return
    const event = {
      data: (typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data)).buffer,
    }
    this.#carry(() =>
      this.peer.#read(() => {
        this.peer.#emit("ping", event)
        this.peer.#carry(() => this.#read(() => this.#emit("pong", event)))
      }),
    )
  }

  close(code = 1005, reason = ""): void {
    if (this.readyState > 1) return
    this.readyState = 2
    this.#carry(() => {
      if (this.peer.readyState === 3) return
      this.peer.#read(() => {
        this.peer.readyState = 2
        this.peer.#carry(() => this.#read(() => this.#end(code, reason)))
        this.peer.#end(code, reason)
      })
    })
  }

  terminate(): void {
    if (this.readyState === 3) return
    this.#carry(() => this.peer.#end(1006, ""))
    this.#end(1006, "")
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    while (!this.#isPaused && this.#unread.length > 0) this.#unread.shift()?.()
  }

  /** From now on nothing this end sends leaves; it waits in `bufferedAmount`. */
  stall(): void {
    this.#isStalled = true
  }

  /** What was stalled leaves, in order. */
  unstall(): void {
    this.#isStalled = false
    const held = this.#held
    this.#held = []
    for (const deliver of held) this.#carry(deliver)
  }

  /** Half-open: whatever either end sends from now on is swallowed, and neither is told. */
  blackHole(): void {
    this.#isCut = true
    this.peer.#isCut = true
  }

  /** Both ends fail at once, as after a TCP reset. */
  reset(): void {
    for (const end of [this as FakeSocket, this.peer]) {
      if (end.readyState === 3) continue
      end.#emit("error", { error: new Error("ECONNRESET") })
      end.#end(1006, "")
    }
  }

  #carry(deliver: () => void): void {
    if (this.#isStalled) this.#held.push(deliver)
    else this.#clock.setTimer(() => this.#isCut || deliver(), this.#latencyMs)
  }

  #read(handle: () => void): void {
    if (this.#isPaused) this.#unread.push(handle)
    else if (this.readyState < 3) handle()
  }

  #end(code: number, reason: string): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.#unread = []
    this.#emit("close", { code, reason, wasClean: code !== 1006 })
  }

  #emit(type: string, event: object): void {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) listener(event as never)
  }
}

/** Two open sockets: what one sends, the other receives. */
export function socketPair(options: SocketPairOptions = {}): [FakeSocket, FakeSocket] {
  const { clock = systemClock, latencyMs = 0, protocol = "" } = options
  const ends = [
    new FakeSocket(clock, latencyMs, protocol),
    new FakeSocket(clock, latencyMs, protocol),
  ] as const
  ends[0].peer = ends[1]
  ends[1].peer = ends[0]
  return [ends[0], ends[1]]
}
