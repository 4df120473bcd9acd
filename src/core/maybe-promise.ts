/**
 * Work that may be done at once or take a while. What is done at once costs no promise, and no turn of the event loop.
 */

import type { MaybePromise } from "./types.js"

/** Whether a value is a promise of one, of whatever make. */
export function isThenable<T>(value: MaybePromise<T>): value is PromiseLike<T>
export function isThenable(value: unknown): value is PromiseLike<unknown>
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  )
}

/** Does some work, and goes on with its value, or with what it threw or was rejected with. */
export function settle<T, R>(
  work: () => MaybePromise<T>,
  onValue: (value: T) => R,
  onError: (error: unknown) => R,
): MaybePromise<R> {
  let value: MaybePromise<T>
  try {
    value = work()
  } catch (error) {
    return onError(error)
  }
  return isThenable(value) ? value.then(onValue, onError) : onValue(value)
}

/** Goes on with a value: at once where it is there, later where it is a promise. */
export function after<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isThenable(value) ? value.then(next) : next(value)
}
