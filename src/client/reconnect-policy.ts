/**
 * Whether to dial again after an end, and when. It counts attempts and knows no timer and no socket.
 */

import { type BackoffSettings, backoffDelay } from "../core/backoff.js"
import { EXPIRED, REVOKED, type RetryAdvice, retryAdvice } from "../core/close-codes.js"
import { ConnectError, hasErrorCode } from "../core/errors.js"
import { checkMs } from "../core/options.js"
import type { LinkEnd } from "./link.js"

/**
 * Why a client ended for good.
 *
 * - `closed`: `close()` was called.
 * - `aborted`: its signal was.
 * - `close-code`: the server closed with a code that says never to come back.
 * - `auth`: that code was 4401 or 4403.
 * - `max-retries`: `maxRetries` attempts in a row failed.
 * - `stopped`: `shouldReconnect` said no, or a callback or listener threw `StopReconnecting`.
 * - `config`: there is no `WebSocket`, or the address is none.
 */
export type EndCause = "closed" | "aborted" | "close-code" | "auth" | "max-retries" | "stopped" | "config"

/** What an application may decide about an end: go on, stop, or go on after so many milliseconds. */
export type ReconnectDecision =
  | boolean
  | {
      /** How long to wait, in milliseconds. */
      readonly delayMs: number
    }
  | undefined

/** What the policy goes by. */
export interface PolicySettings {
  /** How long to wait. */
  readonly backoff: BackoffSettings
  /** How many retries in a row may fail; `false` for any number. */
  readonly maxRetries: number | false
  /** Advice for close codes that differs from the usual. */
  readonly closeCodes: Readonly<Record<number, RetryAdvice>>
  /** Asked first; `undefined` leaves it to the rest. */
  readonly shouldReconnect: ((end: LinkEnd) => ReconnectDecision) | undefined
}

/** What to do: wait so long, or stop for that cause. */
export type PolicyVerdict = Wait | { readonly stop: EndCause; readonly error?: unknown }

/** A wait, in milliseconds; a firm one was set by the server or the application, not drawn from the backoff. */
export interface Wait {
  readonly delayMs: number
  readonly isFirm: boolean
}

/** How long a client stays away from a server that restarts or is overloaded, in milliseconds. */
const LATER_MS = { min: 5_000, max: 30_000 }
/** The longest wait that a server can ask for, in milliseconds. */
const MAX_HINT_MS = 300_000

/** Counts attempts, and decides after each end. */
export class ReconnectPolicy {
  readonly #settings: PolicySettings
  readonly #onFault: (error: unknown) => void
  #attempt = 0
  #previousMs: number | undefined

  /** @param onFault - Told what `shouldReconnect` threw; the rest decides then. */
  constructor(settings: PolicySettings, onFault: (error: unknown) => void) {
    this.#settings = settings
    this.#onFault = onFault
  }

  /** How many attempts have failed since the last stable connection. */
  get attempt(): number {
    return this.#attempt
  }

  /** The connection has proved stable, or the user asked for a fresh start: the count begins anew. */
  reset(): void {
    this.#attempt = 0
    this.#previousMs = undefined
  }

  /** Decides what follows an end, and counts it. */
  decide(end: LinkEnd): PolicyVerdict {
    if (isConfig(end.error)) return { stop: "config", error: end.error }
    const decision = this.#ask(end)
    if (typeof decision === "object" && "stop" in decision) return decision
    if (decision === false) return { stop: "stopped" }
    const isForced = decision !== undefined
    const advice =
      isForced || !end.wasOpen ? "now" : (this.#settings.closeCodes[end.code] ?? retryAdvice(end.code))
    if (advice === "never") return { stop: isAuth(end.code) ? "auth" : "close-code", error: end.error }
    const { maxRetries } = this.#settings
    if (maxRetries !== false && this.#attempt >= maxRetries) return { stop: "max-retries", error: end.error }
    return this.#wait(end, advice, decision)
  }

  #ask(end: LinkEnd): ReconnectDecision | { readonly stop: EndCause; readonly error: unknown } {
    try {
      const decision = this.#settings.shouldReconnect?.(end)
      if (typeof decision === "object") checkMs("shouldReconnect delayMs", decision.delayMs)
      return decision
    } catch (error) {
      if (hasErrorCode(error, "STOP_RECONNECTING")) return { stop: "stopped", error }
      this.#onFault(error)
      return undefined
    }
  }

  #wait(end: LinkEnd, advice: RetryAdvice, decision: ReconnectDecision): Wait {
    const { backoff } = this.#settings
    const usual = backoffDelay(backoff, this.#attempt, this.#previousMs)
    this.#previousMs = usual
    this.#attempt += 1
    const firm = typeof decision === "object" ? decision.delayMs : askedDelay(end, advice, usual, backoff)
    return { delayMs: firm ?? usual, isFirm: firm !== undefined }
  }
}

/** How long the server wants the client to stay away, where it says so. */
function askedDelay(
  end: LinkEnd,
  advice: RetryAdvice,
  usual: number,
  { random }: BackoffSettings,
): number | undefined {
  const hint = hintOf(end)
  if (hint !== undefined) return Math.max(usual, Math.min(hint, MAX_HINT_MS))
  return advice === "later" ? LATER_MS.min + random() * (LATER_MS.max - LATER_MS.min) : undefined
}

/** Whether dialling again would change nothing. */
function isConfig(error: unknown): boolean {
  return hasErrorCode(error, "NO_WEBSOCKET") || hasErrorCode(error, "INVALID_ADDRESS")
}

function isAuth(code: number): boolean {
  return code === EXPIRED || code === REVOKED
}

/** How long the server asked to stay away, in milliseconds: `Retry-After`, or `{"retryAfterMs":n}` as the close reason. */
function hintOf({ error, reason }: LinkEnd): number | undefined {
  if (error instanceof ConnectError && error.retryAfterMs !== undefined) return error.retryAfterMs
  if (!reason.startsWith("{")) return undefined
  try {
    const { retryAfterMs } = JSON.parse(reason) as { retryAfterMs?: unknown }
    return typeof retryAfterMs === "number" && retryAfterMs >= 0 ? retryAfterMs : undefined
  } catch {
    return undefined
  }
}
