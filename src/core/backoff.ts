/**
 * How long to wait before try number n. Pure: it keeps no count and owns no timer.
 */

import { checkFunction, checkMs, checkNumber, checkOneOf, type Given, resolveOptions } from "./options.js"
import type { Clock } from "./timer.js"

/**
 * How chance enters the delay. With `cap = min(maxMs, initialMs · factorⁿ)`:
 *
 * - `full`: uniform on [`floorMs`, cap]. Spreads a crowd best.
 * - `equal`: uniform on [cap / 2, cap]. Never quick, still spread.
 * - `decorrelated`: uniform on [`initialMs`, 3 × the previous delay or `maxMs`, whichever is less].
 * - `none`: the cap itself. A crowd that was cut together comes back together.
 *
 * Names and formulas as in Marc Brooker's "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), but that
 * `decorrelated` is bounded before the draw: bounded after it, two in three delays would be `maxMs` itself.
 */
export type Jitter = "full" | "equal" | "decorrelated" | "none"

/** Settings of a backoff. */
export interface BackoffOptions {
  /** Upper bound of the first delay, in milliseconds. @defaultValue 2_000 */
  readonly initialMs?: number
  /** What the upper bound is multiplied by from try to try; at least 1. @defaultValue 2 */
  readonly factor?: number
  /** The bound that no delay exceeds, in milliseconds. Jitter goes on at this bound. @defaultValue 30_000 */
  readonly maxMs?: number
  /** The bound that no delay goes below, in milliseconds. @defaultValue 100 */
  readonly floorMs?: number
  /** How chance enters. @defaultValue "full" */
  readonly jitter?: Jitter
  /** Source of chance, on [0, 1). Give one to make the delays repeatable. @defaultValue Math.random */
  readonly random?: () => number
}

/** {@link BackoffOptions} with every field decided. */
export type BackoffSettings = Required<BackoffOptions>

/** The defaults of {@link BackoffOptions}. */
export const BACKOFF_DEFAULTS: BackoffSettings = Object.freeze({
  initialMs: 2_000,
  factor: 2,
  maxMs: 30_000,
  floorMs: 100,
  jitter: "full" as Jitter,
  random: Math.random,
})

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolveBackoff(given?: Given<BackoffOptions>, path = "backoff"): BackoffSettings {
  const settings = resolveOptions<BackoffSettings>(path, BACKOFF_DEFAULTS, given)
  checkMs(`${path}.initialMs`, settings.initialMs)
  checkNumber(`${path}.factor`, settings.factor, 1)
  checkMs(`${path}.maxMs`, settings.maxMs)
  checkNumber(`${path}.floorMs`, settings.floorMs, 0, settings.maxMs)
  checkOneOf(`${path}.jitter`, settings.jitter, ["full", "equal", "decorrelated", "none"])
  checkFunction(`${path}.random`, settings.random)
  return settings
}

/**
 * A source of chance that never fails: where the one given throws or draws no number on [0, 1], the platform's is asked,
 * so that nothing waits for ever, or not at all, because of it.
 *
 * @param onFault - Told of each fault, right after the current synchronous code: a step is being taken.
 */
export function steadyRandom(
  given: () => number,
  clock: Clock,
  onFault: (error: unknown) => void,
): () => number {
  return () => {
    try {
      return checkNumber("backoff.random()", given(), 0, 1)
    } catch (error) {
      clock.soon(() => onFault(error))
      return Math.random()
    }
  }
}

/**
 * The delay before a try, in milliseconds.
 *
 * @param attempt - How many tries have failed since the last success; 0 before the first retry.
 * @param previousMs - The delay before, which only `decorrelated` looks at.
 */
export function backoffDelay(
  settings: BackoffSettings,
  attempt: number,
  previousMs = settings.initialMs,
): number {
  const { initialMs, factor, maxMs, floorMs, jitter, random } = settings
  // 0 times a factor that has outgrown every number would be NaN
  const cap = initialMs === 0 ? 0 : Math.min(maxMs, initialMs * factor ** attempt)
  const between = (low: number, high: number) => low + random() * Math.max(0, high - low)
  const delay = {
    full: () => between(floorMs, cap),
    equal: () => between(cap / 2, cap),
    decorrelated: () => between(initialMs, Math.min(maxMs, previousMs * 3)),
    none: () => cap,
  }[jitter]()
  return Math.min(maxMs, Math.max(floorMs, delay))
}
