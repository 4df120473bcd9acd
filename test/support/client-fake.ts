/**
 * A reconnecting client of strings on a fake network and a virtual clock, with everything it tells written down.
 */

import {
  type ClientEnd,
  type ErrorEvent,
  type Given,
  ReconnectingClient,
  type ReconnectingClientOptions,
  type StateChange,
  text,
} from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { FakeNetwork, type Make } from "./client-network.js"

/** What a client has told. */
export interface ClientLog<Incoming, Outgoing> {
  readonly changes: StateChange[]
  readonly messages: Incoming[]
  readonly errors: ErrorEvent[]
  readonly dropped: { readonly message: Outgoing; readonly reason: string }[]
  readonly pongs: number[]
  readonly ends: ClientEnd[]
  /** The states it went through, without the first. */
  readonly states: string[]
  /** How many events of any kind. */
  readonly count: number
}

/** Writes down everything a client tells from now on. */
export function logOf<Incoming, Outgoing>(
  client: ReconnectingClient<Incoming, Outgoing>,
): ClientLog<Incoming, Outgoing> {
  const changes: StateChange[] = []
  const messages: Incoming[] = []
  const errors: ErrorEvent[] = []
  const dropped: { readonly message: Outgoing; readonly reason: string }[] = []
  const pongs: number[] = []
  const ends: ClientEnd[] = []
  client.on("state", (change) => changes.push(change))
  client.on("message", ({ data }) => messages.push(data))
  client.on("error", (event) => errors.push(event))
  client.on("dropped", (event) => dropped.push(event))
  client.on("pong", ({ rttMs }) => pongs.push(rttMs))
  client.on("end", (end) => ends.push(end))
  return {
    changes,
    messages,
    errors,
    dropped,
    pongs,
    ends,
    get states() {
      return changes.map(({ to }) => to)
    },
    get count() {
      return [changes, messages, errors, dropped, pongs, ends].reduce((sum, it) => sum + it.length, 0)
    },
  }
}

/** Options of {@link fakeClient}: the client's own, and what is around it. */
export interface FakeClientOptions<Incoming, Outgoing> extends ReconnectingClientOptions<Incoming, Outgoing> {
  readonly url?: ConstructorParameters<typeof ReconnectingClient>[0]
  readonly make?: Make
  /** Whether servers answer the text `ping` with `pong`. @defaultValue false */
  readonly answersLiteral?: boolean
  readonly clock?: VirtualClock
}

/**
 * A client without a heartbeat, whose backoff draws the middle of every range: 1,050 ms before the first retry.
 * Every dial is accepted unless `network.onDial` is changed.
 */
export function fakeClient<Incoming = string, Outgoing = string>(
  given: Given<FakeClientOptions<Incoming, Outgoing>> = {},
) {
  const {
    url = "ws://far.example/",
    make,
    answersLiteral = false,
    clock = new VirtualClock(),
    ...options
  } = given
  const network = new FakeNetwork(clock, make)
  network.answersLiteral = answersLiteral
  const client = new ReconnectingClient<Incoming, Outgoing>(url, {
    codec: text() as never,
    heartbeat: false,
    backoff: { random: () => 0.5 },
    logger: false,
    clock,
    WebSocket: network.WebSocket,
    ...options,
  })
  return { client, clock, network, log: logOf(client) }
}

/** The same, and already open. */
export async function openClient<Incoming = string, Outgoing = string>(
  given: Given<FakeClientOptions<Incoming, Outgoing>> = {},
) {
  const fake = fakeClient<Incoming, Outgoing>(given)
  await fake.clock.advance(fake.network.latencyMs)
  if (fake.client.state !== "open") throw new Error(`expected an open client, it is ${fake.client.state}`)
  return fake
}
