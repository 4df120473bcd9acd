/**
 * A connection over one end of a socket pair, on virtual time, and the bare other end.
 */

import { type SocketPairOptions, socketPair } from "../../src/testing/socket-pair.js"
import { VirtualClock } from "../../src/testing/virtual-clock.js"
import { Connection } from "../../src/wire/connection.js"
import type { ConnectionIdentity, ConnectionOptions } from "../../src/wire/connection-options.js"
import { RecordingLogger } from "./recording-logger.js"

/** What a pair can be told. */
export interface ConnectedPairOptions<Incoming, Outgoing> extends ConnectionOptions<Incoming, Outgoing> {
  readonly pair?: SocketPairOptions
  readonly identity?: ConnectionIdentity
}

/** Makes the pair. Whatever the peer gets is in `received`; what `error` listeners hear is in `errors`. */
export function connectedPair<Incoming = unknown, Outgoing = unknown>({
  pair,
  identity,
  ...options
}: ConnectedPairOptions<Incoming, Outgoing> = {}) {
  const clock = new VirtualClock()
  const logger = new RecordingLogger()
  const [socket, peer] = socketPair({ clock, ...pair })
  const connection = new Connection<Incoming, Outgoing>(socket, identity, { clock, logger, ...options })
  const received: unknown[] = []
  peer.addEventListener("message", (event) => received.push((event as { data: unknown }).data))
  const errors: { error: unknown; stage: string }[] = []
  connection.on("error", (event) => void errors.push(event))
  return {
    clock,
    logger,
    socket,
    peer,
    connection,
    received,
    errors,
    /** Ends this turn of the event loop, and lets arrive what is sent in it. */
    turn: () => clock.advance(0),
    /** Lets the peer send these as JSON. */
    async receive(...messages: unknown[]): Promise<void> {
      for (const message of messages) peer.send(JSON.stringify(message))
      await clock.advance(0)
    },
  }
}
