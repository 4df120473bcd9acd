/**
 * The end of one connection: whose doing it is, how long it may take, what was never sent, and who waits to hear of it.
 * Made when the end is first thought of, since most of a connection's life there is nothing to know. It closes no socket.
 */

import { type Clock, Timer } from "../core/timer.js"
import type { Lag } from "./backlog.js"
import type { CloseCause, CloseInfo } from "./connection-events.js"
import { type PromiseWithResolvers, withResolvers } from "./message-iterator.js"

/** How one connection ends. */
export class Ending {
  #cause: CloseCause = "peer"
  #unsent: Lag = { count: 0, bytes: 0 }
  #timer: Timer | undefined
  #info: CloseInfo | undefined
  #closed: PromiseWithResolvers<CloseInfo> | undefined

  /** Resolves with how it ended; at once after {@link Ending.end}. Never rejects. */
  get closed(): Promise<CloseInfo> {
    if (this.#closed === undefined) {
      this.#closed = withResolvers()
      this.tell()
    }
    return this.#closed.promise
  }

  /** It is this side's doing. What follows from that is no cause of its own: to be called once. */
  because(cause: CloseCause): void {
    this.#cause = cause
  }

  /** The closing handshake may take so many milliseconds. */
  allow(ms: number, clock: Clock, late: () => void): void {
    this.#timer = new Timer(clock, late)
    this.#timer.start(ms)
  }

  /** So much was given up. */
  lose({ count, bytes }: Lag): void {
    this.#unsent = { count: this.#unsent.count + count, bytes: this.#unsent.bytes + bytes }
  }

  /** It has come. */
  end(code: number, reason: string): CloseInfo {
    this.#timer?.stop()
    this.#info = { code, reason, cause: this.#cause, unsent: this.#unsent }
    return this.#info
  }

  /** Whoever waits for it hears of it, once it has come. */
  tell(): void {
    if (this.#info) this.#closed?.resolve(this.#info)
  }
}
