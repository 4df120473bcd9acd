/**
 * A broker in memory: several nodes in one process, and every way a broker can fail. What a link asks arrives at the
 * broker in order, and what the broker sends arrives at the link in order.
 */

import type { Given } from "../core/options.js"
import { type Clock, systemClock } from "../core/timer.js"
import type { Adapter } from "../hub/adapter.js"
import type { Bus, BusEvents, BusLink, BusOpening } from "../relay/bus.js"
import { relayAdapter } from "../relay/relay.js"
import type { RelayOptions } from "../relay/relay-options.js"

/** Settings of a loopback network. */
export interface LoopbackOptions {
  /** Where time is taken from; also by the adapters. @defaultValue the platform's */
  readonly clock?: Clock
  /** The largest message, envelope included. @defaultValue 1_048_576 */
  readonly maxPayloadBytes?: number
}

/**
 * A network of adapters in one process, for tests of what several nodes do.
 *
 * @example
 * const network = new LoopbackNetwork()
 * const [one, other] = [createHub({ adapter: network.adapter() }), createHub({ adapter: network.adapter() })]
 */
export class LoopbackNetwork {
  readonly #clock: Clock
  readonly #bus: Bus
  readonly #links = new Set<LoopbackLink>()
  /** What was asked of a broker that hangs. */
  #held: (() => void)[] = []
  #isDown = false
  #isHung = false
  #isHole = false
  #latencyMs = 0
  /** What is on its way, in the order in which it left, and when the last of it arrives. */
  readonly #travelling: (() => void)[] = []
  #arrivesAt = 0
  #losing = 0
  #repeating = 0

  constructor({ clock = systemClock, maxPayloadBytes = 1_048_576 }: LoopbackOptions = {}) {
    this.#clock = clock
    this.#bus = {
      name: "loopback",
      capabilities: { interest: "channel", maxPayloadBytes },
      open: (events, opening) => this.#open(events, opening),
    }
  }

  /** A new adapter at this broker. */
  adapter(options: Given<RelayOptions> = {}): Adapter {
    return relayAdapter(this.#bus, { clock: this.#clock, ...options }, "loopback")
  }

  /** How many links there are. */
  get size(): number {
    return this.#links.size
  }

  /** Messages the broker has sent to links so far. */
  sent = 0

  /** Ends every link, and refuses new ones until {@link restart}. */
  kill(): void {
    this.#isDown = true
    this.#held = []
    this.cut()
  }

  /** Takes links again. */
  restart(): void {
    this.#isDown = false
    this.resume()
  }

  /** Ends every link. New ones are taken. What was on its way is lost. */
  cut(): void {
    for (const link of [...this.#links]) link.end(new Error("the link was cut"))
  }

  /** Takes what comes and does nothing, until {@link resume}. */
  hang(): void {
    this.#isHung = true
  }

  /** Does everything it was asked for meanwhile, late. */
  resume(): void {
    this.#isHung = false
    const held = this.#held
    this.#held = []
    for (const work of held) work()
  }

  /** Loses everything on every link, without a sign, until {@link heal}. Links of that time stay dead. */
  blackHole(): void {
    this.#isHole = true
    for (const link of this.#links) link.isDead = true
  }

  /** New links go through again. */
  heal(): void {
    this.#isHole = false
  }

  /** Makes each way take so long, in milliseconds. */
  slow(ms: number): void {
    this.#latencyMs = ms
  }

  /** Loses the next messages it would deliver. */
  lose(count: number): void {
    this.#losing = count
  }

  /** Delivers the next messages twice. */
  repeat(count: number): void {
    this.#repeating = count
  }

  /** Forgets all subscriptions without a sign: links stand, and nothing comes. */
  deafen(): void {
    for (const link of this.#links) link.subjects.clear()
  }

  /** Gives up subscriptions and says so. */
  giveUp(reason: string): void {
    for (const link of this.#links) {
      const lost = [...link.subjects]
      link.subjects.clear()
      link.events.lost(lost, reason)
    }
  }

  /** Delivers bytes to whoever wants a subject, as they are. */
  inject(subject: string, bytes: Uint8Array): void {
    for (const link of this.#links) if (link.subjects.has(subject)) this.#deliver(link, subject, bytes)
  }

  async #open(events: BusEvents, { signal }: BusOpening): Promise<BusLink> {
    if (this.#isHole) return new Promise(() => {})
    await this.#reach(() => {})
    if (this.#isDown) throw new Error("connection refused")
    const link = new LoopbackLink(events, {
      subscribe: (link, subjects) => this.#ask(link, () => addAll(link.subjects, subjects)),
      unsubscribe: (link, subjects) => this.#ask(link, () => deleteAll(link.subjects, subjects)),
      publish: (link, subject, bytes) => this.#ask(link, () => this.#spread(subject, bytes)),
      closed: (link) => void this.#links.delete(link),
    })
    if (!signal.aborted) this.#links.add(link)
    return link
  }

  #ask(link: LoopbackLink, work: () => void): Promise<void> {
    if (link.isDead) return new Promise(() => {})
    if (!this.#links.has(link)) return Promise.reject(new Error("the link has ended"))
    return this.#reach(() => {
      if (!this.#links.has(link)) throw new Error("the link has ended")
      work()
    })
  }

  /** Does something at the broker: after its latency, and not while it hangs. */
  #reach(work: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          work()
          resolve()
        } catch (error) {
          reject(error)
        }
      }
      this.#travel(() => {
        if (this.#isHung) this.#held.push(run)
        else run()
      })
    })
  }

  #spread(subject: string, bytes: Uint8Array): void {
    const receivers = [...this.#links].filter((it) => it.subjects.has(subject))
    if (this.#losing > 0) {
      this.#losing -= 1
      return
    }
    const times = this.#repeating > 0 ? 2 : 1
    this.#repeating = Math.max(0, this.#repeating - 1)
    for (const link of receivers) for (let i = 0; i < times; i += 1) this.#deliver(link, subject, bytes)
  }

  #deliver(link: LoopbackLink, subject: string, bytes: Uint8Array): void {
    const copy = bytes.slice()
    this.sent += 1
    this.#travel(() => {
      if (this.#links.has(link) && !link.isDead) link.events.message(subject, copy)
    })
  }

  /** Nothing overtakes what left before it, also where the way has become shorter meanwhile. */
  #travel(arrive: () => void): void {
    const now = this.#clock.now()
    this.#arrivesAt = Math.max(this.#arrivesAt, now + this.#latencyMs)
    if (this.#latencyMs === 0 && this.#travelling.length === 0) {
      this.#clock.soon(arrive)
      return
    }
    this.#travelling.push(arrive)
    this.#clock.setTimer(() => this.#travelling.shift()?.(), Math.max(0, this.#arrivesAt - now))
  }
}

/** What a link asks its broker. */
interface LoopbackBroker {
  subscribe(link: LoopbackLink, subjects: readonly string[]): Promise<void>
  unsubscribe(link: LoopbackLink, subjects: readonly string[]): Promise<void>
  publish(link: LoopbackLink, subject: string, bytes: Uint8Array): Promise<void>
  closed(link: LoopbackLink): void
}

class LoopbackLink implements BusLink {
  readonly events: BusEvents
  readonly subjects = new Set<string>()
  isDead = false
  readonly #broker: LoopbackBroker

  constructor(events: BusEvents, broker: LoopbackBroker) {
    this.events = events
    this.#broker = broker
  }

  subscribe(subjects: readonly string[]): Promise<void> {
    return this.#broker.subscribe(this, subjects)
  }

  unsubscribe(subjects: readonly string[]): Promise<void> {
    return this.#broker.unsubscribe(this, subjects)
  }

  publish(subject: string, bytes: Uint8Array): Promise<void> {
    return this.#broker.publish(this, subject, bytes)
  }

  close(): void {
    this.#broker.closed(this)
  }

  end(error: Error): void {
    this.close()
    this.events.down(error)
  }
}

function addAll(set: Set<string>, items: readonly string[]): void {
  for (const item of items) set.add(item)
}

function deleteAll(set: Set<string>, items: readonly string[]): void {
  for (const item of items) set.delete(item)
}
