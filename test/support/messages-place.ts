/**
 * The three places where messages come in, a hub, a bare connection and a client, with a far end that speaks JSON, all in
 * memory and on virtual time, so that one test can prove a thing for each of them.
 */

import {
  Connection,
  type ConnectionOptions,
  createHub,
  type ErrorEvent,
  type HubConnection,
  ReconnectingClient,
} from "holdfast"
import { socketPair, VirtualClock } from "holdfast/testing"
import { FakeNetwork } from "./client-network.js"

export const PLACES = ["hub", "connection", "client"] as const

/** What messages come in at, and who is at the other end. */
export interface Place {
  /** What a router is mounted on. */
  readonly target: HubConnection
  /** What a message came from: the connection or the client itself. */
  readonly peer: HubConnection
  readonly clock: VirtualClock
  /** What the target has reported as `error`. */
  readonly errors: ErrorEvent[]
  /** Lets the far end send these, as JSON, and time pass until they have arrived. */
  receive(...messages: unknown[]): Promise<void>
  /** The same with frames as they are. */
  receiveRaw(...frames: (string | Uint8Array)[]): Promise<void>
  /** What the far end has got so far, decoded. */
  told(): unknown[]
  /** The same as it came. */
  toldRaw(): readonly unknown[]
  /** Cuts the line. A client dials anew as time passes. */
  cut(): Promise<void>
}

/** Sets a place up. Types are left out: what is tested with it are values. */
export async function place(
  kind: (typeof PLACES)[number],
  options: ConnectionOptions<unknown, unknown> = {},
): Promise<Place> {
  const clock = new VirtualClock()
  const errors: ErrorEvent[] = []
  if (kind === "client") {
    const network = new FakeNetwork(clock)
    const client = new ReconnectingClient("ws://far.example/", {
      clock,
      heartbeat: false,
      logger: false,
      backoff: { random: () => 0.5 },
      WebSocket: network.WebSocket,
      ...(options.codec && { codec: options.codec }),
    })
    client.on("error", (event) => errors.push(event))
    await clock.advance(0)
    const receiveRaw = async (...frames: (string | Uint8Array)[]) => {
      for (const frame of frames) network.last.deliver(frame)
      await clock.advance(0)
    }
    return {
      target: client as never,
      peer: client as never,
      clock,
      errors,
      receiveRaw,
      receive: (...messages) => receiveRaw(...messages.map((it) => JSON.stringify(it))),
      told: () => network.received.map((it) => JSON.parse(String(it))),
      toldRaw: () => network.received,
      async cut() {
        network.last.cut()
        await clock.advance(0)
      },
    }
  }
  const [socket, far] = socketPair({ clock })
  const hub = createHub({ clock, heartbeat: false, logger: false, ...options })
  const connection =
    kind === "hub" ? hub.add(socket) : new Connection(socket, {}, { clock, logger: false, ...options })
  if (kind === "hub") hub.on("error", (event) => errors.push(event))
  else connection.on("error", (event) => errors.push(event))
  const received: unknown[] = []
  far.addEventListener("message", (event) => received.push((event as { data: unknown }).data))
  const receiveRaw = async (...frames: (string | Uint8Array)[]) => {
    for (const frame of frames) far.send(frame)
    await clock.advance(0)
  }
  return {
    target: (kind === "hub" ? hub : connection) as never,
    peer: connection as never,
    clock,
    errors,
    receiveRaw,
    receive: (...messages) => receiveRaw(...messages.map((it) => JSON.stringify(it))),
    told: () => received.map((it) => JSON.parse(String(it))),
    toldRaw: () => received,
    async cut() {
      far.terminate()
      await clock.advance(0)
    },
  }
}
