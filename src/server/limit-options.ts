/**
 * How much one attachment takes: connections, upgrades, and what each client may send.
 */

import { checkCount, checkMethods, checkNumber, type Given, resolveOptions } from "../core/options.js"
import type { InboundLimits } from "../wire/throttle.js"
import type { Rate } from "../wire/token-bucket.js"

/**
 * Counts that several nodes share: the limiters of the `rate-limiter-flexible` package fit as they are, over Redis,
 * Postgres, or whatever holds the counts.
 */
export interface SharedLimiter {
  /**
   * Takes one point of a key. Rejects when none is left, with an object that may tell `msBeforeNext`; an `Error` means
   * that the counts cannot be reached.
   */
  consume(key: string): Promise<unknown>
}

/** How much an attachment takes. Whatever is `false` has no limit. */
export interface LimitOptions {
  /** Connections at once, upgrades that are being decided included; more get 503. @defaultValue 20_000 */
  readonly connections?: number | false
  /**
   * Connections at once of one address; more get 429. All addresses of an IPv6 /64 count as one. Behind a proxy,
   * set `trustedProxies` first: without it everybody has the proxy's address.
   * @defaultValue false
   */
  readonly perAddress?: number | false
  /** Connections at once of one `userId`, on this attachment; more get 429. @defaultValue false */
  readonly perUser?: number | false
  /** Upgrades each second, whatever becomes of them; more get 503. @defaultValue false */
  readonly upgradesPerSecond?: number | false
  /** Upgrades that may come at once. @defaultValue two seconds' worth, and at least 1 */
  readonly upgradeBurst?: number
  /**
   * Asked with the address of each upgrade, before any login work; whoever it refuses gets 429. Where it fails, or takes
   * longer than a second, the upgrade goes on, and it is an `error` event with stage `limits`.
   * @defaultValue nobody
   */
  readonly sharedLimiter?: SharedLimiter
  /**
   * Messages of one client each second, pings included. The first time there are more, reading pauses until the rate is
   * kept again; who goes on for 10 s is closed with 1008.
   * @defaultValue 5_000
   */
  readonly messagesPerSecond?: number | false
  /** Messages that one client may send at once. @defaultValue four seconds' worth, and at least 1 */
  readonly messageBurst?: number
  /** Bytes of payload of one client each second, with the same consequences. @defaultValue 33_554_432, which is 32 MiB */
  readonly bytesPerSecond?: number | false
  /** Bytes of payload that one client may send at once. @defaultValue four seconds' worth, and at least 1 */
  readonly byteBurst?: number
}

/** {@link LimitOptions} with everything decided. */
export interface Limits {
  /** See {@link LimitOptions.connections}. */
  readonly connections: number | false
  /** See {@link LimitOptions.perAddress}. */
  readonly perAddress: number | false
  /** See {@link LimitOptions.perUser}. */
  readonly perUser: number | false
  /** See {@link LimitOptions.upgradesPerSecond}. */
  readonly upgrades: Rate | undefined
  /** See {@link LimitOptions.sharedLimiter}. */
  readonly shared: SharedLimiter | undefined
  /** See {@link LimitOptions.messagesPerSecond}; `undefined` where nothing is limited. */
  readonly inbound: InboundLimits | undefined
}

type Optional = "upgradeBurst" | "sharedLimiter" | "messageBurst" | "byteBurst"
type Settings = Required<Omit<LimitOptions, Optional>> & {
  readonly [K in Optional]: LimitOptions[K] | undefined
}

const DEFAULTS: Settings = Object.freeze({
  connections: 20_000,
  perAddress: false,
  perUser: false,
  upgradesPerSecond: false,
  upgradeBurst: undefined,
  sharedLimiter: undefined,
  messagesPerSecond: 5_000,
  messageBurst: undefined,
  bytesPerSecond: 33_554_432,
  byteBurst: undefined,
})

/** Bursts, where none are given, in seconds of the rate. */
const UPGRADE_BURST_SECONDS = 2
const INBOUND_BURST_SECONDS = 4

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolveLimits(given: Given<LimitOptions>): Limits {
  const it = resolveOptions<Settings>("limits", DEFAULTS, given)
  const messages = rate(it, "messagesPerSecond", "messageBurst", INBOUND_BURST_SECONDS)
  const bytes = rate(it, "bytesPerSecond", "byteBurst", INBOUND_BURST_SECONDS)
  return {
    connections: countOrOff("connections", it.connections),
    perAddress: countOrOff("perAddress", it.perAddress),
    perUser: countOrOff("perUser", it.perUser),
    upgrades: rate(it, "upgradesPerSecond", "upgradeBurst", UPGRADE_BURST_SECONDS),
    shared: it.sharedLimiter && checkMethods("limits.sharedLimiter", it.sharedLimiter, ["consume"]),
    inbound: messages || bytes ? { messages, bytes } : undefined,
  }
}

function countOrOff(name: string, value: number | false): number | false {
  return value === false ? false : checkCount(`limits.${name}`, value)
}

function rate(
  settings: Settings,
  rateName: "upgradesPerSecond" | "messagesPerSecond" | "bytesPerSecond",
  burstName: "upgradeBurst" | "messageBurst" | "byteBurst",
  burstSeconds: number,
): Rate | undefined {
  const [perSecond, burst] = [settings[rateName], settings[burstName]]
  if (burst !== undefined) checkCount(`limits.${burstName}`, burst)
  if (perSecond === false) return undefined
  checkNumber(`limits.${rateName}`, perSecond, 0.001)
  return { perSecond, burst: burst ?? Math.max(1, perSecond * burstSeconds) }
}
