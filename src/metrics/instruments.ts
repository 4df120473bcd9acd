/**
 * The instruments that a hub can be read with: one list for every metrics system. It knows names, kinds and units, and no
 * system at all.
 */

import type { HistogramStats } from "../hub/histogram.js"
import type { HubCounters } from "../hub/hub-counters.js"
import type { HubStats } from "../hub/hub-stats.js"

/** What a value is measured in. Times are seconds, as metrics systems expect. */
export type Unit = "s" | "By"

/** Something with one value, or with one for each value of a label. */
export interface NumberInstrument {
  /** Its name, without the prefix: words with dots between them. */
  readonly name: string
  /** A gauge goes up and down, a counter only up. */
  readonly kind: "gauge" | "counter"
  /** What it is, in a sentence. */
  readonly help: string
  /** What it is measured in; `undefined` for a plain number. */
  readonly unit?: Unit
  /** What tells its values apart, where it has several. */
  readonly label?: string
  /** Its value, or its values by label. */
  read(stats: HubStats): number | Readonly<Partial<Record<string, number>>>
}

/** How values are distributed. */
export interface HistogramInstrument {
  /** Its name, without the prefix: words with dots between them. */
  readonly name: string
  /** What it is, in a sentence. */
  readonly help: string
  /** What it is measured in; `undefined` for a plain number. */
  readonly unit?: Unit
  /** What a value of the hub's is multiplied by to be one of this instrument. */
  readonly scale: number
  /** Which of the hub's histograms it is. */
  readonly source: "handlerMs" | "pingMs" | "receivers"
}

/** Gauges and counters. */
export const NUMBERS: readonly NumberInstrument[] = [
  {
    name: "connections.active",
    kind: "gauge",
    help: "Connections that are open or closing now.",
    read: ({ connections }) => connections.now,
  },
  {
    name: "connections",
    kind: "counter",
    help: "Connections that were ever added.",
    read: ({ connections }) => connections.total,
  },
  {
    name: "connections.slow",
    kind: "gauge",
    help: "Connections whose outbox is full now.",
    read: ({ connections }) => connections.slow,
  },
  {
    name: "connections.closed",
    kind: "counter",
    help: "Connections that have ended, by close code; 1006 without a closing handshake.",
    label: "code",
    read: ({ connections }) => connections.closedByCode,
  },
  {
    name: "connections.ended",
    kind: "counter",
    help: "Connections that have ended, by which side or which rule ended them.",
    label: "cause",
    read: ({ connections }) => connections.closedByCause,
  },
  {
    name: "upgrades",
    kind: "counter",
    help: "Upgrade requests, by what became of them.",
    label: "result",
    read: ({ upgrades }) => upgrades,
  },
  {
    name: "messages.received",
    kind: "counter",
    help: "Messages that came in.",
    read: ({ messages }) => messages.in,
  },
  {
    name: "messages.sent",
    kind: "counter",
    help: "Messages that were accepted for sending, once for each receiver.",
    read: ({ messages }) => messages.out,
  },
  {
    name: "messages.lost",
    kind: "counter",
    help: "Messages that were lost on the way to their readers.",
    label: "reason",
    read: ({ messages }) => messages.lostByReason,
  },
  {
    name: "frames.encoded",
    kind: "counter",
    help: "Frames that were encoded: one for each message, whatever the number of receivers.",
    read: ({ messages }) => messages.framesEncoded,
  },
  {
    name: "received",
    kind: "counter",
    help: "Bytes of payload that came in.",
    unit: "By",
    read: ({ bytes }) => bytes.in,
  },
  {
    name: "sent",
    kind: "counter",
    help: "Bytes that were written, frame headers included.",
    unit: "By",
    read: ({ bytes }) => bytes.out,
  },
  {
    name: "buffered",
    kind: "gauge",
    help: "Bytes that wait to leave now.",
    unit: "By",
    read: ({ bytes }) => bytes.buffered,
  },
  {
    name: "throttles",
    kind: "counter",
    help: "How often a client's reading was paused because it sent too fast.",
    read: ({ throttles }) => throttles,
  },
  {
    name: "rooms",
    kind: "gauge",
    help: "Rooms with a member on this node now.",
    read: ({ rooms }) => rooms,
  },
  {
    name: "memberships",
    kind: "gauge",
    help: "Places in rooms now: a connection in three rooms has three.",
    read: ({ memberships }) => memberships,
  },
  {
    name: "subscriptions",
    kind: "gauge",
    help: "Channels that are asked for from the adapter now.",
    read: ({ subscriptions }) => subscriptions,
  },
  {
    name: "adapter.up",
    kind: "gauge",
    help: "Whether the way to other nodes is open now: 1 or 0.",
    read: ({ adapter }) => Number(adapter.state === "up" || adapter.state === "degraded"),
  },
  {
    name: "adapter.publishes",
    kind: "counter",
    help: "Payloads that were handed to the adapter, by what became of that.",
    label: "result",
    read: ({ adapter }) => ({ ...adapter.publishes }),
  },
  {
    name: "adapter.gaps",
    kind: "counter",
    help: "Holes in what other nodes sent.",
    read: ({ adapter }) => adapter.gaps,
  },
  {
    name: "adapter.messages.missed",
    kind: "counter",
    help: "Messages of other nodes that fell into those holes, as far as that is known.",
    read: ({ adapter }) => adapter.missedMessages,
  },
]

const MS_TO_S = 1 / 1_000

/** Histograms. */
export const HISTOGRAMS: readonly HistogramInstrument[] = [
  {
    name: "message.duration",
    help: "How long messages were handled, until their listeners were done.",
    unit: "s",
    scale: MS_TO_S,
    source: "handlerMs",
  },
  {
    name: "ping.duration",
    help: "Round trips of heartbeats.",
    unit: "s",
    scale: MS_TO_S,
    source: "pingMs",
  },
  {
    name: "fanout.receivers",
    help: "Receivers on this node of each message that was sent to a selection.",
    scale: 1,
    source: "receivers",
  },
]

/** Whose metrics they are: a `Hub` of any types. */
export interface MeasuredHub {
  /** The hub in numbers. */
  stats(): HubStats
  /** @internal What is counted on the way. */
  readonly counters: HubCounters
}

/** A number in another unit, without the noise that binary fractions make of decimal ones. */
export function scaled(value: number, scale: number): number {
  return Number((value * scale).toPrecision(12))
}

/** The bounds of a histogram in the unit of its instrument. */
export function boundsOf({ bounds }: HistogramStats, scale: number): number[] {
  return bounds.map((it) => scaled(it, scale))
}
