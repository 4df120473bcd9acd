/**
 * How long a new socket may take to send the head of its first request. Node's own deadline is a minute, looked at
 * every half minute, which lets whoever sends one byte at a time hold a socket for as long. It reads nothing itself.
 */

import type { IncomingMessage, Server } from "node:http"
import type { Socket } from "node:net"
import { type Clock, Timer } from "../core/timer.js"

/** The answer to a head that never ends, as Node words it. */
const TOO_LATE = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"

/** What a waiting socket is found by. */
type Key = Socket | string | undefined

/** Watches the sockets of one server until each has sent its first head. One timer serves all of them. */
export class HeadDeadline {
  readonly #server: Server
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #timer: Timer
  readonly #isSecure: boolean
  /** Who has waited for longest comes first. */
  readonly #waiting = new Map<Key, Wait>()
  /** One listener for all sockets: it may stay on those that live for days. */
  readonly #closed: (this: Socket) => void

  /** @param before - Who is watched already by the deadline that this one takes the place of. */
  constructor(server: Server, timeoutMs: number, clock: Clock, before?: HeadDeadline) {
    this.#server = server
    this.#timeoutMs = timeoutMs
    this.#clock = clock
    this.#timer = new Timer(clock, () => this.#look())
    this.#isSecure = "setSecureContext" in server
    const ended = (socket: Socket) => this.#ended(socket)
    this.#closed = function (this: Socket) {
      ended(this)
    }
    server.on("connection", this.#connected).on("secureConnection", this.#secured).on("request", this.arrived)
    if (before) this.#takeOver(before)
  }

  /** Stops watching. Whoever waits is left to the deadline that comes after this one, if one does. */
  close(): void {
    this.#server
      .off("connection", this.#connected)
      .off("secureConnection", this.#secured)
      .off("request", this.arrived)
    this.#timer.stop()
  }

  /** A head is complete. */
  readonly arrived = ({ socket }: IncomingMessage): void => this.#forget(this.#keyOf(socket))

  readonly #connected = (socket: Socket): void => {
    const key = this.#keyOf(socket)
    if (key === undefined) return
    // the address of one that has ended may come again before its end is told
    this.#waiting.delete(key)
    const answered = this.#isSecure ? undefined : socket
    this.#add(key, { connected: socket, answered, since: this.#clock.now() })
  }

  #add(key: Key, wait: Wait): void {
    this.#waiting.set(key, wait)
    if (!this.#timer.isArmed) this.#timer.start(Math.max(0, this.#dueInMs(wait)))
    wait.connected.on("close", this.#closed)
  }

  /** Who waits does not begin anew because somebody else was attached to the server, or left it. */
  #takeOver(before: HeadDeadline): void {
    const isSameTime = before.#clock === this.#clock
    for (const [key, wait] of before.#waiting) {
      wait.connected.off("close", before.#closed)
      this.#add(key, isSameTime ? wait : { ...wait, since: this.#clock.now() })
    }
    before.#waiting.clear()
  }

  #dueInMs({ since }: Wait): number {
    return since + this.#timeoutMs - this.#clock.now()
  }

  /** From here on there is somebody to answer. */
  readonly #secured = (socket: Socket): void => {
    const wait = this.#waiting.get(this.#keyOf(socket))
    if (wait) wait.answered = socket
  }

  /** Ends those whose time is over, and waits for the next. */
  #look(): void {
    for (const [key, wait] of this.#waiting) {
      const leftMs = this.#dueInMs(wait)
      if (leftMs > 0) {
        this.#timer.start(leftMs)
        return
      }
      this.#waiting.delete(key)
      end(wait)
    }
  }

  #ended(socket: Socket): void {
    const key = this.#keyOf(socket)
    if (this.#waiting.get(key)?.connected === socket) this.#forget(key)
  }

  #forget(key: Key): void {
    if (this.#waiting.delete(key) && this.#waiting.size === 0) this.#timer.stop()
  }

  /** The socket of a request over TLS is not the one that was connected; what they share is the address of the peer. */
  #keyOf(socket: Socket): Key {
    return this.#isSecure ? peerOf(socket) : socket
  }
}

interface Wait {
  readonly connected: Socket
  /** On which what is written arrives as it is: over TLS there is none before its handshake is done. */
  answered: Socket | undefined
  /** When it was connected, on the clock. */
  readonly since: number
}

function end({ connected, answered }: Wait): void {
  if (!answered) connected.destroy()
  // whoever was written to has sent something that was understood, if not as a request
  else if (answered.bytesWritten === 0) answered.end(TOO_LATE, () => answered.destroy())
}

/** Where the other end is; `undefined` for Unix sockets, and for those that have ended. */
function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress}:${remotePort}`
}
