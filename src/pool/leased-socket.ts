/**
 * One open socket as one holder sees it: everything passes, both ways, until the holder lets go. It knows neither who
 * held the socket before nor who comes next, and it is of the socket's own style: Node's or the browser's.
 */

import { NORMAL } from "../core/close-codes.js"
import type { SocketLike } from "../wire/socket.js"

/** Why a connection ended whose holder has given it back. */
const RELEASED = "released"

type Listen = (type: string, listener: (...args: unknown[]) => void) => void
type Left = (error?: Error | null) => void

/** A view of an open socket that can be ended while the socket lives on. */
export class LeasedSocket implements SocketLike {
  readonly on?: Listen
  readonly off?: Listen
  readonly addEventListener?: Listen
  readonly removeEventListener?: Listen
  readonly ping?: (data?: string | Uint8Array) => void
  readonly terminate?: () => void
  readonly pause?: () => void
  readonly resume?: () => void
  binaryType = "arraybuffer"
  readonly #socket: SocketLike & { send(data: string | Uint8Array, left?: Left): void }
  #isHeld = true
  #isLeaving = false
  #tellClosed: (() => void) | undefined

  /** @param socket - An open socket. */
  constructor(socket: SocketLike) {
    this.#socket = socket
    // whoever wraps a socket asks what it can do, and in whose style it talks
    if (socket.ping) this.ping = (data) => this.#isHeld && socket.ping?.(data)
    if (socket.terminate) this.terminate = () => this.#isHeld && socket.terminate?.()
    if (socket.pause) this.pause = () => this.#isHeld && socket.pause?.()
    if (socket.resume) this.resume = () => this.#isHeld && socket.resume?.()
    Object.assign(this, typeof socket.on === "function" ? this.#nodeStyle() : this.#webStyle())
  }

  /** That of the socket, which goes on after the view. */
  get readyState(): number {
    return this.#socket.readyState
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount
  }

  get protocol(): string {
    return this.#socket.protocol ?? ""
  }

  send(data: string | Uint8Array, left?: Left): void {
    if (!this.#isHeld) return
    if (left) this.#socket.send(data, left)
    else this.#socket.send(data)
  }

  close(...args: [code?: number, reason?: string]): void {
    if (this.#isHeld && !this.#isLeaving) this.#socket.close(...args)
  }

  /**
   * Ends the view: whoever listens to it is told of a close, and hears nothing any more. What `finish` sends still
   * leaves, and what it closes is the view alone.
   */
  letGo(finish: () => void): void {
    this.#isLeaving = true
    finish()
    this.#isHeld = false
    this.#tellClosed?.()
  }

  #nodeStyle() {
    const socket = this.#socket
    const on: Listen = (event, listener) => {
      if (event === "close") this.#tellClosed = () => listener(NORMAL, RELEASED)
      // listeners that are left behind for good would be one more with every holder
      if (this.#isHeld) socket.on?.(event, listener)
    }
    const off: Listen = (event, listener) => void socket.off?.(event, listener)
    return { on, off }
  }

  #webStyle() {
    const socket = this.#socket
    const addEventListener: Listen = (type, listener) => {
      if (type === "close") this.#tellClosed = () => listener({ code: NORMAL, reason: RELEASED })
      socket.addEventListener?.(type, listener)
    }
    const removeEventListener: Listen = (type, listener) => socket.removeEventListener?.(type, listener)
    return { addEventListener, removeEventListener }
  }
}
