/**
 * What a hub counts as it goes: only what cannot be read off its connections when somebody asks. Plain numbers.
 */

import { Tally } from "../core/tally.js"
import type { Clock } from "../core/timer.js"
import type { Lag, OverflowPolicy } from "../wire/backlog.js"
import type { CloseCause, CloseInfo } from "../wire/connection-events.js"
import type { AdapterGap, AdapterState } from "./adapter.js"
import { Histogram } from "./histogram.js"

/**
 * Why messages were lost: the overflow policy of a slow reader; `overload`, where all readers together were too slow; or
 * `unsent`, where they were given to `send` and the connection ended for another reason before they left.
 */
export type LossReason = OverflowPolicy | "overload" | "unsent"

/** What is added up of connections when they have ended. */
export interface Traffic {
  /** Messages that came in. */
  messagesIn: number
  /** Messages that were accepted for sending. */
  messagesOut: number
  /** Bytes of payload that came in. */
  bytesIn: number
  /** Bytes that were written, frame headers included. */
  bytesOut: number
}

const HANDLER_MS = [0.1, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]
const PING_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]
const RECEIVERS = [0, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000]

/** The counters of one hub. */
export class HubCounters {
  /** Connections that were ever added. */
  connections = 0
  /** Breaches of a client's rate that paused its reading. */
  throttles = 0
  /** Publishes to other nodes, by what became of them. */
  readonly publishes = { ok: 0, failed: 0 }
  /** Holes in what other nodes sent, and how many messages fell into them, as far as that is known. */
  readonly gaps = { count: 0, messages: 0 }
  /** Connections that have ended, by close code. */
  readonly closesByCode = new Tally<number>()
  /** The same, by cause. */
  readonly closesByCause = new Tally<CloseCause>()
  /** Messages that were lost on the way to their readers. */
  readonly losses = new Tally<LossReason>()
  /** Upgrades, by what became of them. Counted by whoever takes them. */
  readonly upgrades = new Tally<string>()
  /** What connections that have ended had sent and received. */
  readonly ended: Traffic = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 }
  /** How long messages were handled, in milliseconds. */
  readonly handlerMs = new Histogram(HANDLER_MS)
  /** Round trips of heartbeats, in milliseconds. */
  readonly pingMs = new Histogram(PING_MS)
  /** Receivers on this node, for each message that was sent to a selection. */
  readonly receivers = new Histogram(RECEIVERS)
  readonly #clock: Clock
  readonly #overflow: OverflowPolicy
  #adapterState: AdapterState = "connecting"
  #adapterSince: number

  constructor(clock: Clock, overflow: OverflowPolicy) {
    this.#clock = clock
    this.#overflow = overflow
    this.#adapterSince = clock.now()
  }

  /** How the adapter stands, and for how long it has, in milliseconds. */
  get adapter(): { readonly state: AdapterState; readonly forMs: number } {
    return { state: this.#adapterState, forMs: this.#clock.now() - this.#adapterSince }
  }

  /** The adapter's state may have changed. */
  adapterIs(state: AdapterState): void {
    if (state === this.#adapterState) return
    this.#adapterState = state
    this.#adapterSince = this.#clock.now()
  }

  /** Messages of other nodes did not arrive. */
  missed({ count }: AdapterGap): void {
    this.gaps.count += 1
    this.gaps.messages += count ?? 0
  }

  /** A slow reader lost messages and goes on. */
  lost({ count }: Lag): void {
    this.losses.add(this.#overflow, count)
  }

  /** A connection has ended. */
  left(connection: Readonly<Traffic>, { code, cause, unsent }: CloseInfo): void {
    const { ended } = this
    ended.messagesIn += connection.messagesIn
    ended.messagesOut += connection.messagesOut
    ended.bytesIn += connection.bytesIn
    ended.bytesOut += connection.bytesOut
    this.closesByCode.add(code)
    this.closesByCause.add(cause)
    if (unsent.count > 0) this.losses.add(this.#lossReason(cause), unsent.count)
  }

  #lossReason(cause: CloseCause): LossReason {
    if (cause === "overflow") return this.#overflow
    return cause === "overload" ? "overload" : "unsent"
  }
}
