/**
 * Calls into an adapter, which is somebody else's code: whether it throws or rejects makes no difference to the caller.
 */

import type { MaybePromise } from "./types.js"

/** Does some work. Returns the promise of its end, rejected if it threw; `undefined` when it is done already. */
export function attempt(work: () => MaybePromise<void>): Promise<void> | undefined {
  try {
    const end = work()
    return end === undefined ? undefined : Promise.resolve(end)
  } catch (error) {
    return Promise.reject(error)
  }
}
