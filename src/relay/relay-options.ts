/**
 * What a relay can be told. The defaults are made for a broker in the same data centre.
 */

import { type BackoffSettings, resolveBackoff } from "../core/backoff.js"
import { checkCount, checkMethods, checkMs, type Given, resolveOptions } from "../core/options.js"
import { type Clock, systemClock } from "../core/timer.js"

/** Settings of an adapter that relays through a broker. */
export interface RelayOptions {
  /** Within what time a publication is taken or rejected, in milliseconds. @defaultValue 1_000 */
  readonly publishTimeoutMs?: number
  /**
   * How long a subscription may take, in milliseconds, before its promise rejects. The wish stays: it is carried out
   * once the broker is there.
   * @defaultValue 5_000
   */
  readonly subscribeTimeoutMs?: number
  /** How long opening a link may take, in milliseconds. @defaultValue 2_000 */
  readonly openTimeoutMs?: number
  /** Publications that wait for the broker while it is away, at most. More are rejected at once. @defaultValue 256 */
  readonly maxWaiting?: number
  /** Messages that came in and are not handled yet, at most. More are dropped and counted. @defaultValue 4_096 */
  readonly maxInflow?: number
  /** From which age on a message is not delivered any more, in milliseconds. It counts as lost. @defaultValue 2_000 */
  readonly maxAgeMs?: number
  /** Silence, in milliseconds, after which the node asks itself through the broker. @defaultValue 10_000 */
  readonly silenceMs?: number
  /** How long the answer may take, in milliseconds, before the link is opened anew. @defaultValue 1_000 */
  readonly probeTimeoutMs?: number
  /** How long a stream is quiet before it tells where it ended, in milliseconds. @defaultValue 2_000 */
  readonly markMs?: number
  /** Where time is taken from. @defaultValue the platform's */
  readonly clock?: Clock
}

/** {@link RelayOptions} with everything decided. */
export interface RelaySettings extends Required<RelayOptions> {
  /** How long to wait between two links. */
  readonly backoff: BackoffSettings
}

const DEFAULTS: Required<RelayOptions> = Object.freeze({
  publishTimeoutMs: 1_000,
  subscribeTimeoutMs: 5_000,
  openTimeoutMs: 2_000,
  maxWaiting: 256,
  maxInflow: 4_096,
  maxAgeMs: 2_000,
  silenceMs: 10_000,
  probeTimeoutMs: 1_000,
  markMs: 2_000,
  clock: systemClock,
})

/** Short enough that messages flow again within a second of the broker's return, spread enough for a crowd of nodes. */
const BACKOFF = {
  initialMs: 50,
  maxMs: 750,
  floorMs: 10,
  jitter: "equal",
  // asked for when it is needed, so that a test may decide
  random: () => Math.random(),
} as const

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolveRelay(given: Given<RelayOptions> | undefined, path: string): RelaySettings {
  const settings = resolveOptions<Required<RelayOptions>>(path, DEFAULTS, given)
  const { clock, maxWaiting, maxInflow, ...times } = settings
  for (const [name, value] of Object.entries(times)) checkMs(`${path}.${name}`, value, 1)
  checkCount(`${path}.maxWaiting`, maxWaiting, 0)
  checkCount(`${path}.maxInflow`, maxInflow)
  checkMethods(`${path}.clock`, clock, ["now", "date", "setTimer", "clearTimer", "defer", "soon"])
  return { ...settings, backoff: resolveBackoff(BACKOFF) }
}
