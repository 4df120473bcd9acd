/**
 * A hub in numbers, at one moment. Everything is a plain number or a record of them, so it can be logged, sent, or put
 * behind any metrics system as it is.
 */

import type { CloseCause } from "../wire/connection-events.js"
import type { AdapterState } from "./adapter.js"
import { roomOf } from "./channel.js"
import type { HistogramStats } from "./histogram.js"
import type { HubCounters, LossReason, Traffic } from "./hub-counters.js"

/** A hub in numbers. Whatever does not say "now" has counted since the hub was made. */
export interface HubStats {
  /** Connections. */
  readonly connections: {
    /** Open or closing now. */
    readonly now: number
    /** Ever added. */
    readonly total: number
    /** Of those now, whose outbox is full: what is sent to them waits. */
    readonly slow: number
    /** Ended, by close code; 1006 for those without a closing handshake. */
    readonly closedByCode: Readonly<Partial<Record<number, number>>>
    /** Ended, by cause. */
    readonly closedByCause: Readonly<Partial<Record<CloseCause, number>>>
  }
  /** Upgrades by what became of them: `accepted`, `gone`, or the check that refused them. Counted by `attach`. */
  readonly upgrades: Readonly<Partial<Record<string, number>>>
  /** Messages. */
  readonly messages: {
    /** Came in. */
    readonly in: number
    /** Were accepted for sending, once for each receiver. */
    readonly out: number
    /** Frames encoded: one for each message, whatever the number of receivers. */
    readonly framesEncoded: number
    /** Lost on the way to their readers, by overflow policy, or `unsent` at the end of their connection. */
    readonly lostByReason: Readonly<Partial<Record<LossReason, number>>>
  }
  /** Bytes. */
  readonly bytes: {
    /** Of payload, that came in. */
    readonly in: number
    /** Written, frame headers included. */
    readonly out: number
    /** Waiting to leave now. */
    readonly buffered: number
  }
  /** How often a client's reading was paused because it sent too fast. */
  readonly throttles: number
  /** Rooms with a member on this node now. */
  readonly rooms: number
  /** Places in those rooms now: a connection in three rooms has three. */
  readonly memberships: number
  /** Channels that are asked for from the adapter now. */
  readonly subscriptions: number
  /**
   * How long messages were handled, in milliseconds: until their listeners had returned, and for each promise that a
   * listener returned, until that had settled.
   */
  readonly handlerMs: HistogramStats
  /** Round trips of heartbeats, in milliseconds. */
  readonly pingMs: HistogramStats
  /** Receivers on this node, for each message that was sent to a selection. */
  readonly receivers: HistogramStats
  /** The way to other nodes. */
  readonly adapter: {
    /** How it stands now. */
    readonly state: AdapterState
    /** For how long it has, in milliseconds. */
    readonly forMs: number
    /** Payloads handed over, by what became of that. */
    readonly publishes: {
      /** Taken. */
      readonly ok: number
      /** Not taken: other nodes did not get them. */
      readonly failed: number
    }
    /** Holes in what other nodes sent. */
    readonly gaps: number
    /** Messages that fell into them, as far as that is known. */
    readonly missedMessages: number
  }
}

/** What is counted of a connection when somebody asks. */
interface CountedConnection extends Readonly<Traffic> {
  readonly state: string
  readonly writable: boolean
  readonly bufferedBytes: number
}

/** Where the numbers come from. */
export interface StatsSources {
  /** What was counted. */
  readonly counters: HubCounters
  /** The connections of this node. */
  readonly connections: ReadonlyMap<string, CountedConnection>
  /** Who is in which channel. */
  readonly rooms: {
    /** Channels that have a member. */
    readonly channels: Iterable<string>
    /** Their members. */
    members(channel: string): ReadonlySet<unknown>
  }
  /** What the adapter is asked for. */
  readonly subscriptions: {
    /** How many channels. */
    readonly size: number
  }
  /** Frames encoded. */
  readonly framesEncoded: number
}

/** Reads the numbers. O(connections + rooms). */
export function collectStats(sources: StatsSources): HubStats {
  const { counters, framesEncoded } = sources
  const traffic = { ...counters.ended }
  let [slow, buffered] = [0, 0]
  for (const connection of sources.connections.values()) {
    traffic.messagesIn += connection.messagesIn
    traffic.messagesOut += connection.messagesOut
    traffic.bytesIn += connection.bytesIn
    traffic.bytesOut += connection.bytesOut
    buffered += connection.bufferedBytes
    if (connection.state === "open" && !connection.writable) slow += 1
  }
  const { messagesIn, messagesOut, bytesIn, bytesOut } = traffic
  return {
    connections: {
      now: sources.connections.size,
      total: counters.connections,
      slow,
      closedByCode: counters.closesByCode.toRecord(),
      closedByCause: counters.closesByCause.toRecord(),
    },
    upgrades: counters.upgrades.toRecord(),
    messages: { in: messagesIn, out: messagesOut, framesEncoded, lostByReason: counters.losses.toRecord() },
    bytes: { in: bytesIn, out: bytesOut, buffered },
    throttles: counters.throttles,
    ...countRooms(sources),
    subscriptions: sources.subscriptions.size,
    handlerMs: counters.handlerMs.stats(),
    pingMs: counters.pingMs.stats(),
    receivers: counters.receivers.stats(),
    adapter: {
      ...counters.adapter,
      publishes: { ...counters.publishes },
      gaps: counters.gaps.count,
      missedMessages: counters.gaps.messages,
    },
  }
}

function countRooms({ rooms }: StatsSources): { rooms: number; memberships: number } {
  const count = { rooms: 0, memberships: 0 }
  for (const channel of rooms.channels) {
    if (roomOf(channel) === undefined) continue
    count.rooms += 1
    count.memberships += rooms.members(channel).size
  }
  return count
}
