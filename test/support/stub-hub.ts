/**
 * A hub of strings over stub sockets and a clock that stands still, for tests without a network.
 */

import {
  type AddOptions,
  createHub,
  type Given,
  type Hub,
  type HubConnection,
  type HubOptions,
  text,
} from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { decodeFrames, StubSocket, StubStream } from "./stub-socket.js"

/** One connection of a hub and what lies under it. */
export interface StubPeer<Incoming = string, Outgoing = string, Data = unknown> {
  readonly connection: HubConnection<Incoming, Outgoing, Data>
  readonly socket: StubSocket
  readonly stream: StubStream
  /** Every message written so far. */
  received(): unknown[]
}

/** Adds a stub socket to a hub, with the stream under it. */
export function addPeer<Incoming, Outgoing, Data>(
  hub: Hub<Incoming, Outgoing, Data>,
  options: AddOptions<Data> = {},
): StubPeer<Incoming, Outgoing, Data> {
  const socket = new StubSocket()
  const stream = new StubStream()
  const connection = hub.add(socket, { stream, ...options })
  return { connection, socket, stream, received: () => decodeFrames(stream.writes) }
}

/** A hub of strings on a virtual clock, which logs nothing, and the ways to work it. */
export function stubHub(options: Given<HubOptions<string, string>> = {}) {
  const clock = new VirtualClock()
  const hub = createHub<string, string>({ codec: text(), clock, logger: false, ...options })
  return {
    hub,
    clock,
    /** Adds a connection, in rooms if any are given. */
    add(id?: string, ...rooms: string[]): StubPeer {
      const peer = addPeer(hub, { id })
      void peer.connection.join(rooms)
      return peer
    },
    /** Ends this turn of the event loop: what was sent is written. */
    flush: () => clock.advance(0),
  }
}
