/**
 * A pool of strings on a fake network and a virtual clock, with everything it tells written down.
 */

import {
  ConnectionPool,
  type ErrorEvent,
  type Given,
  type Lease,
  type PoolClose,
  type PoolOptions,
  text,
} from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { FakeNetwork, type FrameSocket, type Make } from "./client-network.js"

/** Options of {@link fakePool}: the pool's own, and what is around it. */
export interface FakePoolOptions<Data> extends PoolOptions<string, string, Data> {
  readonly url?: ConstructorParameters<typeof ConnectionPool>[0]
  readonly make?: Make
}

/** What became of a promise so far. */
export interface Outcome<T> {
  value?: T
  error?: unknown
  isSettled: boolean
}

/** Writes down what becomes of a promise. */
export function outcomeOf<T>(promise: Promise<T>): Outcome<T> {
  const outcome: Outcome<T> = { isSettled: false }
  promise.then(
    (value) => Object.assign(outcome, { value, isSettled: true }),
    (error: unknown) => Object.assign(outcome, { error, isSettled: true }),
  )
  return outcome
}

/**
 * A pool without a heartbeat, whose backoff draws the middle of every range: 300 ms after the first failed dial, then
 * 550 ms. Every dial is accepted unless `network.onDial` is changed.
 */
export function fakePool<Data = unknown>(given: Given<FakePoolOptions<Data>> = {}) {
  const { url = "ws://far.example/", make = "frames", ...options } = given
  const clock = new VirtualClock()
  const network = new FakeNetwork(clock, make)
  const pool = new ConnectionPool<string, string, Data>(url, {
    codec: text(),
    heartbeat: false,
    backoff: { random: () => 0.5 },
    logger: false,
    clock,
    WebSocket: network.WebSocket,
    ...options,
  })
  const opened: string[] = []
  const closed: PoolClose[] = []
  const errors: ErrorEvent[] = []
  pool.on("open", ({ id }) => opened.push(id))
  pool.on("close", (close) => closed.push(close))
  pool.on("error", (event) => errors.push(event))
  return {
    pool,
    clock,
    network,
    opened,
    closed,
    errors,
    /** Lets happen whatever is due now. */
    turn: () => clock.advance(0),
    /** Acquires, and lets happen whatever is due. Rejects when there is nothing to have yet. */
    async take(): Promise<Lease<string, string, Data>> {
      const outcome = outcomeOf(pool.acquire())
      await clock.advance(0)
      if (outcome.error) throw outcome.error
      if (!outcome.value) throw new Error("there is nothing to lease yet")
      return outcome.value
    },
    /** The far end of a lease. */
    far: (index: number) => network.sockets[index] as FrameSocket,
    /** The counts. */
    get counts() {
      const { size, idle, leased, waiting } = pool
      return { size, idle, leased, waiting }
    },
  }
}
