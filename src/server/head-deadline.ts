/**
 * How long a new socket may take to send the head of its first request. Node's own deadline is a minute, looked at
 * every half minute, which lets whoever sends one byte at a time hold a socket for as long. It reads nothing itself.
 */

import type { IncomingMessage, Server } from "node:http"
import type { Socket } from "node:net"
import { type Clock, Timer } from "../core/timer.js"

/** The answer to a head that never ends, as Node words it. */
const TOO_LATE = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"

/** Watches the sockets of one server until each has sent its first head. */
export class HeadDeadline {
  readonly #server: Server
  readonly #timeoutMs: number
  readonly #clock: Clock
  /** By the other end's address, because the socket of a request over TLS is not the one that was connected. */
  readonly #waiting = new Map<string, Wait>()

  constructor(server: Server, timeoutMs: number, clock: Clock) {
    this.#server = server
    this.#timeoutMs = timeoutMs
    this.#clock = clock
    server.on("connection", this.#connected).on("secureConnection", this.#secured).on("request", this.arrived)
  }

  /** Stops watching. */
  close(): void {
    this.#server
      .off("connection", this.#connected)
      .off("secureConnection", this.#secured)
      .off("request", this.arrived)
    for (const peer of [...this.#waiting.keys()]) this.#forget(peer)
  }

  /** A head is complete. */
  readonly arrived = ({ socket }: IncomingMessage): void => this.#forget(peerOf(socket))

  readonly #connected = (socket: Socket): void => {
    const peer = peerOf(socket)
    if (peer === undefined) return
    this.#forget(peer)
    const timer = new Timer(this.#clock, () => this.#end(peer))
    const closed = () => {
      if (this.#waiting.get(peer) === wait) this.#forget(peer)
    }
    const isPlain = !("setSecureContext" in this.#server)
    const wait: Wait = { timer, socket, isPlain, unlisten: () => socket.off("close", closed) }
    this.#waiting.set(peer, wait)
    timer.start(this.#timeoutMs)
    socket.on("close", closed)
  }

  /** From here on there is somebody to answer. */
  readonly #secured = (socket: Socket): void => {
    const wait = this.#waiting.get(peerOf(socket) ?? "")
    if (wait) Object.assign(wait, { socket, isPlain: true })
  }

  #end(peer: string): void {
    const wait = this.#waiting.get(peer)
    this.#waiting.delete(peer)
    if (!wait?.isPlain) return void wait?.socket.destroy()
    // whoever was written to has sent something that was understood, if not as a request
    if (wait.socket.bytesWritten > 0) return
    wait.socket.end(TOO_LATE, () => wait.socket.destroy())
  }

  #forget(peer: string | undefined): void {
    const wait = peer === undefined ? undefined : this.#waiting.get(peer)
    if (peer === undefined || !wait) return
    wait.timer.stop()
    // a socket may live for days after its head, and there may be a hundred thousand
    wait.unlisten()
    this.#waiting.delete(peer)
  }
}

interface Wait {
  readonly timer: Timer
  socket: Socket
  /** Whether what is written to it arrives as it is. */
  isPlain: boolean
  /** Hears no more of its end. */
  readonly unlisten: () => void
}

/** Where the other end is; `undefined` for Unix sockets, and for those that have ended. */
function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress}:${remotePort}`
}
