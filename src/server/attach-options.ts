/**
 * What `attach` can be told.
 */

import { type Logger, resolveLogger } from "../core/logger.js"
import { checkFunction, checkMs, type Given, reject, resolveOptions } from "../core/options.js"
import { type Clock, systemClock } from "../core/timer.js"
import type { Authenticate } from "./admission.js"
import { PROXY_DEFAULTS, type ProxyOptions } from "./client-address.js"
import { type ReadinessOptions, resolveReadiness } from "./health.js"
import { type LimitOptions, type Limits, resolveLimits } from "./limit-options.js"
import { ORIGIN_DEFAULTS, type OriginOptions } from "./origin.js"
import { PathPattern } from "./path-pattern.js"

/** How a hub is attached. */
export interface AttachOptions<Data = unknown> extends OriginOptions, ProxyOptions {
  /** The path of the WebSocket, with `:name` for parameters, or several. @defaultValue "/" */
  readonly path?: string | readonly string[]
  /** Decides who is let in, before the handshake. @defaultValue everybody */
  readonly authenticate?: Authenticate<Data>
  /** How long `authenticate` may take, in milliseconds, before the upgrade is refused with 503. @defaultValue 10_000 */
  readonly authenticateTimeoutMs?: number
  /**
   * How long a new socket of the HTTP server may take to send the head of its first request, in milliseconds, before it
   * is ended with 408; `false` leaves that to `server.headersTimeout`. Later requests on a socket are Node's alone.
   * @defaultValue 10_000
   */
  readonly handshakeTimeoutMs?: number | false
  /** How many connections and upgrades are taken, and how fast each client may send. @defaultValue see there */
  readonly limits?: Given<LimitOptions>
  /** From when on this process should get no new connections. @defaultValue see there */
  readonly readiness?: Given<ReadinessOptions>
  /** Subprotocols this server speaks, best first. @defaultValue the first one the client offers */
  readonly protocols?: readonly string[]
  /** The largest message taken, in bytes; a larger one closes with 1009. @defaultValue 65_536 */
  readonly maxPayloadBytes?: number
  /** How many fragments a message may have; more close with 1008. @defaultValue 128 */
  readonly maxFragments?: number
  /** Takes what nobody listens to; `false` for silence. @defaultValue warnings and errors to the console */
  readonly logger?: Logger | false
  /** Where time comes from. @defaultValue the platform's */
  readonly clock?: Clock
}

type Optional = "authenticate" | "protocols" | "logger"
type Defaults = Required<Omit<AttachOptions, Optional>> & {
  readonly [K in Optional]: AttachOptions[K] | undefined
}

/** {@link AttachOptions} with everything decided. */
export interface AttachSettings extends Omit<Defaults, "path" | "limits" | "readiness" | "logger"> {
  /** See {@link AttachOptions.readiness}. */
  readonly readiness: Required<ReadinessOptions>
  /** See {@link AttachOptions.limits}. */
  readonly limits: Limits
  /** The paths that are taken. */
  readonly patterns: readonly PathPattern[]
  /** See {@link AttachOptions.logger}. */
  readonly logger: Logger
}

const DEFAULTS: Defaults = Object.freeze({
  ...ORIGIN_DEFAULTS,
  ...PROXY_DEFAULTS,
  path: "/",
  authenticate: undefined,
  authenticateTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  limits: {},
  readiness: {},
  protocols: undefined,
  maxPayloadBytes: 65_536,
  maxFragments: 128,
  logger: undefined,
  clock: systemClock,
})

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolveAttach(options: Given<AttachOptions>): AttachSettings {
  const { path, limits, readiness, logger, ...given } = resolveOptions("attach", DEFAULTS, options)
  checkFunction("authenticate", given.authenticate)
  checkMs("authenticateTimeoutMs", given.authenticateTimeoutMs, 1)
  if (given.handshakeTimeoutMs !== false) checkMs("handshakeTimeoutMs", given.handshakeTimeoutMs, 1)
  return {
    ...given,
    patterns: patternsOf(path),
    limits: resolveLimits(limits),
    readiness: resolveReadiness(readiness),
    logger: resolveLogger(logger),
  }
}

function patternsOf(path: string | readonly string[]): readonly PathPattern[] {
  const paths = typeof path === "string" ? [path] : path
  if (!Array.isArray(paths) || paths.length === 0) reject("path", "a string, or a list of strings", path)
  return paths.map((it: string) => new PathPattern(it))
}
