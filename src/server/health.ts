/**
 * Two different questions: whether the process lives, and whether it should be sent new connections. Each answer as an
 * object, and as a handler for an HTTP path.
 */

import type { IncomingMessage, ServerResponse } from "node:http"
import { checkCount, checkMs, type Given, resolveOptions } from "../core/options.js"
import type { AdapterState } from "../hub/adapter.js"

/** From when on a process should get no new connections. */
export interface ReadinessOptions {
  /**
   * For how long the way to other nodes may be down, in milliseconds. Local delivery goes on meanwhile.
   * @defaultValue 30_000
   */
  readonly adapterGraceMs?: number
  /** How many bytes may wait for slow readers, of all connections together. @defaultValue 201_326_592, which is 192 MiB */
  readonly maxTotalBufferedBytes?: number
}

const READINESS_DEFAULTS: Required<ReadinessOptions> = Object.freeze({
  adapterGraceMs: 30_000,
  maxTotalBufferedBytes: 201_326_592,
})

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolveReadiness(given: Given<ReadinessOptions>): Required<ReadinessOptions> {
  const settings = resolveOptions<Required<ReadinessOptions>>("readiness", READINESS_DEFAULTS, given)
  checkMs("readiness.adapterGraceMs", settings.adapterGraceMs)
  checkCount("readiness.maxTotalBufferedBytes", settings.maxTotalBufferedBytes)
  return settings
}

/** That a process lives, and what it is doing. */
export interface HealthReport {
  /** Always true: whoever answers lives. Nothing here is a reason to restart a process. */
  readonly ok: true
  /** Connections of the hub on this node. */
  readonly connections: number
  /** Whether it is being emptied before it stops. */
  readonly isDraining: boolean
  /** How the way to other nodes stands. */
  readonly adapter: AdapterState
}

/**
 * Why a process should get no new connections.
 *
 * - `closing`: it is draining, or its attachment or its hub was closed.
 * - `overloaded`: it has as many connections as it takes, or too many bytes wait for slow readers.
 * - `adapter`: it has been cut off from other nodes for longer than `readiness.adapterGraceMs`.
 */
export type NotReady = "closing" | "overloaded" | "adapter"

/** Whether a process should get new connections. */
export interface ReadyReport {
  /** Whether it should. */
  readonly ready: boolean
  /** Why not; empty when it should. */
  readonly reasons: readonly NotReady[]
}

/** What a handler of HTTP requests is called with, in Node, Express, and whatever else has Node's own objects. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

/** Who can be asked about its health. An `Attachment` can. */
export interface HealthSource {
  /** That it lives, and what it is doing. */
  health(): HealthReport
  /** Whether it should get new connections. */
  ready(): ReadyReport
}

/** Answers 200 with {@link HealthReport} as JSON: for a liveness check. */
export function healthHandler(source: HealthSource): RequestHandler {
  return (_request, response) => answer(response, 200, source.health())
}

/** Answers 200 or 503 with {@link ReadyReport} as JSON: for a readiness check, and for load balancers. */
export function readyHandler(source: HealthSource): RequestHandler {
  return (_request, response) => {
    const report = source.ready()
    answer(response, report.ready ? 200 : 503, report)
  }
}

/** Answers with an object as JSON that no cache keeps. */
export function answer(response: ServerResponse, status: number, report: object): void {
  // what takes a while may find that somebody has given up on it
  if (response.headersSent) return
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" })
  response.end(JSON.stringify(report))
}
