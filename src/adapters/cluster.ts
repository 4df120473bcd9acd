/**
 * Carries messages between hubs of one machine: workers of `node:cluster` and worker threads, through their primary.
 *
 * @module holdfast/adapters/cluster
 */

import cluster from "node:cluster"
import { parentPort } from "node:worker_threads"
import { type Given, reject } from "../core/options.js"
import { type Clock, systemClock } from "../core/timer.js"
import type { Adapter } from "../hub/adapter.js"
import type { Bus } from "../relay/bus.js"
import { relayAdapter } from "../relay/relay.js"
import type { RelayOptions } from "../relay/relay-options.js"
import { type ClusterLike, createExchange, type Exchange, type ExchangeStats } from "./cluster-exchange.js"
import { openWorkerLink } from "./cluster-link.js"
import { type PortLike, type ProcessLike, type ToExchange, wayOver } from "./cluster-wire.js"

export type { Clock, ClusterLike, Exchange, ExchangeStats, PortLike, ProcessLike, RelayOptions }
export { createExchange }

/** Settings of a worker's adapter. */
export interface WorkerAdapterOptions extends RelayOptions {
  /**
   * The way to the exchange: a `MessagePort` whose other end the exchange has been given.
   * @defaultValue the parent of this worker
   */
  readonly port?: PortLike
}

/** The largest message, envelope included: what a relay may have on its way at once. */
const MAX_BYTES = 64 * 1024 * 1024

/**
 * Makes the adapter of a worker. The primary process has to have an {@link createExchange | exchange}: without one the
 * adapter stays `connecting`, and its errors and its log say what is missing.
 *
 * @throws InvalidOptionError with the value received, or when this is no worker of `node:cluster`, no forked process and no
 * worker thread, and no port is given.
 *
 * @example
 * const hub = createHub({ adapter: worker() })
 */
export function worker(options: Given<WorkerAdapterOptions> = {}): Adapter {
  if (typeof options !== "object" || options === null) reject("worker", "an object", options)
  const { port, ...relay } = options
  const way = wayOver<ToExchange>(port ?? parent())
  if (!way) {
    if (port !== undefined) reject("worker.port", "a MessagePort", port)
    reject("worker", "called in a worker of node:cluster, a forked process or a worker thread", "neither")
  }
  const clock = relay.clock ?? systemClock
  const bus: Bus = {
    name: "worker",
    capabilities: { interest: "channel", maxPayloadBytes: MAX_BYTES },
    open: (events, opening) => openWorkerLink(way, events, opening, clock),
  }
  return relayAdapter(bus, relay, "worker")
}

/** A thread may live in a worker of a cluster, and its parent is that worker. */
function parent(): unknown {
  return parentPort ?? (cluster.isWorker || process.send ? process : undefined)
}
