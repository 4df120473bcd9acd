/**
 * A drop-in socket on a fake network and a virtual clock, with everything it tells written down.
 */

import type { Given } from "holdfast"
import {
  type CloseEvent,
  type ErrorEvent,
  type Options,
  type ProtocolsProvider,
  ReconnectingWebSocket,
  type UrlProvider,
} from "holdfast/compat"
import { VirtualClock } from "holdfast/testing"
import { FakeNetwork, type Make } from "./client-network.js"

/** Options of {@link fakeSocket}: the socket's own, and what is around it. */
export interface FakeSocketOptions extends Options {
  readonly url?: UrlProvider
  readonly protocols?: ProtocolsProvider
  readonly make?: Make
}

/** What has a reader's interest in an event: its name, and `readyState` and fields at that moment. */
type Line = string

/** Writes down the events of a socket as lines. */
function linesOf(socket: ReconnectingWebSocket): Line[] {
  const lines: Line[] = []
  socket.addEventListener("open", () => lines.push(`open @${socket.readyState}`))
  socket.addEventListener("message", ({ data }) => lines.push(`message ${data}`))
  socket.addEventListener("error", (event: ErrorEvent) =>
    lines.push(`error ${event.message} @${socket.readyState}`),
  )
  socket.addEventListener("close", ({ code, reason, wasClean }: CloseEvent) =>
    lines.push(`close ${code} ${reason || "-"} ${wasClean ? "clean" : "unclean"} @${socket.readyState}`),
  )
  return lines
}

/** A socket that waits exactly a second between tries. Every dial is accepted unless `network.onDial` is changed. */
export function fakeSocket(given: Given<FakeSocketOptions> = {}) {
  const { url = "ws://far.example/", protocols, make, ...options } = given
  const clock = new VirtualClock()
  const network = new FakeNetwork(clock, make)
  const socket = new ReconnectingWebSocket(url, protocols, {
    minReconnectionDelay: 1_000,
    maxReconnectionDelay: 1_000,
    clock,
    WebSocket: network.WebSocket,
    ...options,
  })
  return { socket, clock, network, lines: linesOf(socket) }
}

/** The same, and already open. */
export async function openSocket(given: Given<FakeSocketOptions> = {}) {
  const fake = fakeSocket(given)
  await fake.clock.advance(0)
  if (fake.socket.readyState !== fake.socket.OPEN) throw new Error("expected an open socket")
  return fake
}
