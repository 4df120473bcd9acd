/**
 * Which channels this node asks its adapter for: those with a local member, and for a second longer, so that a room
 * which empties and fills again costs the broker nothing.
 */

import { attempt } from "../core/attempt.js"
import { type Clock, Timer } from "../core/timer.js"
import type { Adapter } from "./adapter.js"

/** How long a channel stays subscribed after its last local member left, in milliseconds. */
const LINGER_MS = 1_000

/** Keeps an adapter's subscriptions in step with the members of this node. */
export class Subscriptions {
  readonly #adapter: Adapter
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #timer: Timer
  /** Asked for; the promise is there until the adapter has confirmed. */
  readonly #wanted = new Map<string, Promise<void> | undefined>()
  /** Unwanted, with the moment from which they may go. Oldest first. */
  readonly #lingering = new Map<string, number>()
  #ready: Promise<void> | undefined
  #isClosed = false

  constructor(adapter: Adapter, clock: Clock, onError: (error: unknown) => void) {
    this.#adapter = adapter
    this.#clock = clock
    this.#onError = onError
    this.#timer = new Timer(clock, () => this.#sweep())
  }

  /** Channels asked for, lingering ones included. */
  get size(): number {
    return this.#wanted.size
  }

  /** Holds back every subscription until the adapter is connected. */
  waitFor(ready: Promise<void>): void {
    this.#ready = ready
    const done = () => {
      this.#ready = undefined
    }
    ready.then(done, done)
  }

  /** Wants a channel. Resolves once the adapter has confirmed it; at once where it has already. */
  want(channel: string): Promise<void> | undefined {
    if (this.#isClosed) return undefined
    this.#lingering.delete(channel)
    if (this.#wanted.has(channel)) return this.#wanted.get(channel)
    const confirmed = this.#subscribe(channel)
    this.#wanted.set(channel, confirmed)
    return confirmed
  }

  /** Wants a channel no longer. */
  release(channel: string): void {
    if (this.#isClosed) return
    this.#lingering.set(channel, this.#clock.now() + LINGER_MS)
    if (!this.#timer.isArmed) this.#timer.start(LINGER_MS)
  }

  /** Forgets everything, and asks the adapter for nothing any more, which is closed by its owner. */
  close(): void {
    this.#isClosed = true
    this.#timer.stop()
    this.#wanted.clear()
    this.#lingering.clear()
  }

  #subscribe(channel: string): Promise<void> | undefined {
    const ask = () => attempt(() => this.#adapter.subscribe([channel]))
    const askIfWanted = () => (this.#wanted.has(channel) ? ask() : undefined)
    // an adapter that was not usable in time may be so later, and carries out then what it was asked for
    const confirmed = this.#ready ? this.#ready.then(askIfWanted, askIfWanted) : ask()
    confirmed?.then(
      () => this.#isPending(channel, confirmed) && this.#wanted.set(channel, undefined),
      (error: unknown) => {
        // the next member asks again
        if (this.#isPending(channel, confirmed)) this.#wanted.delete(channel)
        this.#onError(error)
      },
    )
    return confirmed
  }

  /** Not so any more when the channel was given up meanwhile, even if it is wanted again: that is another promise. */
  #isPending(channel: string, confirmed: Promise<void>): boolean {
    return this.#wanted.get(channel) === confirmed
  }

  #sweep(): void {
    const now = this.#clock.now()
    const gone: string[] = []
    for (const [channel, due] of this.#lingering) {
      if (due > now) break
      gone.push(channel)
    }
    for (const channel of gone) {
      this.#lingering.delete(channel)
      this.#wanted.delete(channel)
    }
    if (gone.length > 0) attempt(() => this.#adapter.unsubscribe(gone))?.catch(this.#onError)
    if (this.#lingering.size > 0) this.#timer.start(LINGER_MS)
  }
}
