/**
 * A thermometer: sends a reading at its interval, and keeps the last ten while the line is down.
 */

import { createRouter, ReconnectingClient } from "holdfast"
import { makeReading, makeSeconds, type Outgoing, type Packet, packets, parseSeconds } from "./protocol.js"

/** Starts to measure. Returns the end of it. */
export function startDevice(url: string, key: string, celsius: () => number): () => Promise<unknown> {
  const client = new ReconnectingClient<Packet, Outgoing>(url, {
    codec: packets,
    node: { headers: { Authorization: `Bearer ${key}` } },
    queue: { maxMessages: 10, overflow: "drop-oldest" },
    heartbeat: { intervalMs: 30_000, timeoutMs: 10_000 },
  })
  client.on("error", () => {}) // attempts that fail

  let sequence = 0
  const measure = () => {
    sequence += 1
    client.send({ type: "reading", payload: makeReading(sequence, celsius(), 100 - (sequence % 100)) })
  }
  let timer = setInterval(measure, 1_000)
  createRouter<Packet, typeof client>()
    .on("interval", ({ message }) => {
      const seconds = parseSeconds(message)
      clearInterval(timer)
      timer = setInterval(measure, seconds * 1_000)
      client.send({ type: "accepted", payload: makeSeconds(seconds) })
    })
    .otherwise(() => {})
    .mount(client)
  measure()
  return () => {
    clearInterval(timer)
    return client.close()
  }
}
