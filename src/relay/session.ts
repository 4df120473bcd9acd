/**
 * What a relay does between `connect` and `close`: the line, what is wanted on it, the way out and the way in, tied
 * together. Each of them knows its own work alone.
 */

import type { Writable } from "../core/types.js"
import type { AdapterContext, AdapterCounters, AdapterHealth, AdapterState } from "../hub/adapter.js"
import type { Bus, BusLink } from "./bus.js"
import { within } from "./deadline.js"
import { Interest } from "./interest.js"
import { Line, type LineHost } from "./line.js"
import { unavailable } from "./publications.js"
import { Receiver } from "./receiver.js"
import type { RelaySettings } from "./relay-options.js"
import { RelaySender } from "./sender.js"
import { ALL_NODES, nodeSubject } from "./subjects.js"

/** One stay at the broker: from `connect` to `close`. */
export class RelaySession implements LineHost {
  /** Resolves when all is subscribed for the first time. */
  readonly usable: Promise<void>
  readonly interest: Interest
  readonly sender: RelaySender
  readonly #settings: RelaySettings
  readonly #context: AdapterContext
  readonly #counters: Writable<AdapterCounters>
  readonly #line: Line
  readonly #receiver: Receiver
  #isUsable!: () => void
  #giveUp!: (error: Error) => void

  constructor(
    bus: Bus,
    settings: RelaySettings,
    context: AdapterContext,
    counters: Writable<AdapterCounters>,
  ) {
    this.#settings = settings
    this.#context = context
    this.#counters = counters
    this.usable = new Promise((resolve, reject) => {
      this.#isUsable = resolve
      this.#giveUp = reject
    })
    // it is the caller's to handle, and there may be none any more
    this.usable.catch(() => {})
    const suspect = () => this.#line.suspect()
    this.interest = new Interest(settings, suspect, () => this.#line.lastError)
    this.sender = new RelaySender({
      settings,
      nodeId: context.nodeId,
      maxBytes: bus.capabilities.maxPayloadBytes,
      counters,
      suspect,
      why: () => this.#line.lastError,
    })
    this.#receiver = new Receiver({
      settings,
      context,
      counters,
      interest: this.interest,
      answered: () => this.#line.answered(),
      greeted: () => this.sender.markAgain(),
    })
    const isPublisher = context.isPublisher === true
    this.#line = new Line(bus, settings, isPublisher, this)
    if (!isPublisher) this.interest.want([ALL_NODES, nodeSubject(context.nodeId)]).catch(() => {})
  }

  /** Goes to the broker. */
  start(): void {
    this.state("connecting")
    this.#line.open()
  }

  async unwant(subjects: readonly string[]): Promise<void> {
    this.#receiver.forget(subjects)
    await this.interest.unwant(subjects)
  }

  health(): Omit<AdapterHealth, "counters"> {
    const { deliveredAt } = this.#receiver
    return {
      state: this.#line.state,
      ...(deliveredAt !== undefined && { lastDeliveryMs: this.#settings.clock.now() - deliveredAt }),
      pendingPublishes: this.sender.pending,
      subscriptions: this.interest.channels,
      ...(this.#line.lastError !== undefined && { lastError: this.#line.lastError }),
    }
  }

  /** Ends it. A second call with 0 cuts a first one short. */
  async close(deadlineMs: number): Promise<void> {
    const late = () => unavailable(`not all was taken within ${deadlineMs} ms`)
    if (deadlineMs > 0) {
      const finish = within(this.sender.finish(), { clock: this.#settings.clock, ms: deadlineMs, late })
      await finish.catch((error: unknown) => {
        this.#context.logger.warn({ err: error }, "the adapter closed before all was taken")
      })
    }
    this.sender.close()
    this.interest.close()
    const ended = this.#line.close()
    this.#receiver.close()
    this.#giveUp(unavailable("the adapter was closed"))
    await ended
  }

  message(subject: string, bytes: Uint8Array): void {
    this.#line.heard()
    this.#receiver.take(subject, bytes)
  }

  lost(subjects: readonly string[] | "all", reason: string): void {
    this.interest.refresh(subjects)
    this.#receiver.missed(subjects, reason)
  }

  async linked(link: BusLink): Promise<void> {
    this.sender.flow(link)
    await this.interest.restore(link)
  }

  ready(link: BusLink, isAgain: boolean): void {
    if (isAgain) {
      this.#counters.reconnects += 1
      this.#receiver.missed("all", "the way to the broker was interrupted")
    }
    this.sender.greet(link)
    this.#isUsable()
  }

  doubted(): void {
    this.sender.hold()
  }

  trusted(link: BusLink): void {
    this.sender.flow(link)
  }

  failed(err: unknown): void {
    this.#context.logger.warn({ err }, "the adapter has no way to its broker, and goes on trying")
  }

  unlinked(): void {
    this.sender.hold()
    this.interest.detach()
  }

  ask(link: BusLink): void {
    this.sender.probe(link)
  }

  state(state: AdapterState): void {
    this.#context.onState(state)
  }
}
