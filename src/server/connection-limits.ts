/**
 * How many connections an attachment has, in all, of one address, and of one user, and how fast more come. It decides
 * before anybody is asked who the client is; it reads no requests and holds no connections.
 */

import { isIPv6 } from "node:net"
import { Tally } from "../core/tally.js"
import type { Clock } from "../core/timer.js"
import { TokenBucket } from "../wire/token-bucket.js"
import type { Limits } from "./limit-options.js"
import { type Refused, retryAfterSeconds } from "./refusal.js"

/** A place that one upgrade, and later its connection, takes up. */
export interface Place {
  /** What its address counts as; `undefined` where it has none. */
  readonly network: string | undefined
  /** Whose it is, once that is known. */
  userId: string | undefined
}

/** Names of limits, as options have them. */
type LimitName = "connections" | "perAddress" | "perUser" | "upgradesPerSecond" | "sharedLimiter"

/** How long who finds no place is told to stay away, in seconds. Spread, so that they do not come back together. */
const FULL_SECONDS = [5, 30] as const
const BUSY_SECONDS = [1, 5] as const

/** The places of one attachment. */
export class ConnectionLimits {
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #upgrades: TokenBucket | undefined
  readonly #networks = new Tally<string>()
  readonly #users = new Tally<string>()
  #size = 0

  constructor(limits: Limits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
    this.#upgrades = limits.upgrades && new TokenBucket(limits.upgrades, clock.now())
  }

  /** How many places are taken. */
  get size(): number {
    return this.#size
  }

  /** Whether no place is left, whoever comes. */
  get isFull(): boolean {
    const { connections } = this.#limits
    return connections !== false && this.#size >= connections
  }

  /** Takes a place for an address, which is given back with {@link leave}. */
  enter(remoteAddress: string | undefined): Place | Refused {
    const { perAddress } = this.#limits
    const network = remoteAddress === undefined ? undefined : networkOf(remoteAddress)
    if (this.#upgrades && !this.#upgrades.tryTake(this.#clock.now(), 1)) {
      return breach("upgradesPerSecond", 503, BUSY_SECONDS)
    }
    if (this.isFull) return breach("connections", 503, FULL_SECONDS)
    if (perAddress !== false && network !== undefined && this.#networks.of(network) >= perAddress) {
      return breach("perAddress", 429, FULL_SECONDS)
    }
    this.#size += 1
    if (network !== undefined) this.#networks.add(network)
    return { network, userId: undefined }
  }

  /** A place turns out to be a user's. */
  claim(place: Place, userId: string | undefined): Refused | undefined {
    const { perUser } = this.#limits
    if (userId === undefined) return undefined
    if (perUser !== false && this.#users.of(userId) >= perUser) return breach("perUser", 429, FULL_SECONDS)
    place.userId = userId
    this.#users.add(userId)
    return undefined
  }

  /** Gives a place back. Once. */
  leave({ network, userId }: Place): void {
    this.#size -= 1
    if (network !== undefined) this.#networks.remove(network)
    if (userId !== undefined) this.#users.remove(userId)
  }
}

/** What a shared limiter's rejection means; `undefined` for a failure of its own, which is always an `Error`. */
export function sharedBreach(rejection: unknown): Refused | undefined {
  if (rejection instanceof Error) return undefined
  const { msBeforeNext } = (rejection ?? {}) as { readonly msBeforeNext?: unknown }
  const seconds = Number.isFinite(msBeforeNext) ? Math.max(1, Math.ceil((msBeforeNext as number) / 1_000)) : 1
  return breach("sharedLimiter", 429, [seconds, seconds + 1])
}

function breach(limit: LimitName, status: number, [min, max]: readonly [number, number]): Refused {
  const headers = { "Retry-After": String(retryAfterSeconds(min, max)) }
  return { refusal: { status, headers }, check: "limits", reason: limit }
}

/** Whoever has one address of an IPv6 network has 2^64 of them, so the network is what counts. */
function networkOf(address: string): string {
  if (!address.includes(":") || !isIPv6(address)) return address
  const [plain = ""] = address.split("%")
  // the URL parser writes an address in its one canonical form (WHATWG URL, section 3.5)
  const canonical = new URL(`http://[${plain}]`).hostname.slice(1, -1)
  const [head = "", tail] = canonical.split("::")
  const front = head.split(":").filter(Boolean)
  const back = tail?.split(":").filter(Boolean) ?? []
  const zeros = Array<string>(8 - front.length - back.length).fill("0")
  return `${[...front, ...zeros, ...back].slice(0, 4).join(":")}::/64`
}
