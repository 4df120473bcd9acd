/**
 * Middlewares around the handling of a message, outermost first. What is behind `next` is part of handling the message,
 * whether its middleware waits for it or not; what is handled, and what comes of it, is the router's business.
 */

import type { MaybePromise } from "../core/types.js"
import type { Middleware } from "./router-types.js"

/** What {@link runMiddlewares} is told of a message: as much as the middlewares. */
type ContextOf<Incoming, Peer> = Parameters<Middleware<Incoming, Peer>>[0]

/**
 * Runs middlewares, and within the last of them what handles the message.
 * @returns when all is done. Rejects with what a middleware threw, or let through.
 */
export async function runMiddlewares<Incoming, Peer>(
  middlewares: readonly Middleware<Incoming, Peer>[],
  context: ContextOf<Incoming, Peer>,
  handle: () => MaybePromise<void>,
): Promise<void> {
  const [outermost, ...others] = middlewares
  if (!outermost) return handle()
  let rest: Rest<void> | undefined
  await outermost(context, () => {
    if (rest) throw new Error("a middleware called next() twice")
    rest = new Rest((resolve) => resolve(runMiddlewares(others, context, handle)))
    // a middleware may fail, and wait for nothing any more
    Promise.prototype.then.call(rest, undefined, () => {})
    return rest
  })
  if (rest?.isAwaited === false) await rest
}

/** What `next()` returns: a promise that knows whether anybody waits for it. */
class Rest<Outcome> extends Promise<Outcome> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  isAwaited = false

  // biome-ignore lint/suspicious/noThenProperty: every way to wait for a promise leads through it
  override then<Value, Reason>(
    onValue?: ((value: Outcome) => Value | PromiseLike<Value>) | null,
    onError?: ((reason: unknown) => Reason | PromiseLike<Reason>) | null,
  ): Promise<Value | Reason> {
    this.isAwaited = true
    return super.then(onValue, onError)
  }
}
