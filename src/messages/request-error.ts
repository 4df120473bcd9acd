/**
 * How requests fail.
 */

import { HoldfastError } from "../core/errors.js"

/** What a {@link RequestError} may carry beyond its code and its message. */
export interface RequestErrorOptions extends ErrorOptions {
  /** More about it; goes to the peer. @defaultValue undefined */
  readonly data?: unknown
}

/**
 * A request was refused, in words that both sides see. A handler throws it, and its peer's request is rejected with it:
 * `reason`, `message` and `data` make the way, stack and cause do not.
 *
 * @example
 * router.answer("get-user", ({ message }) => {
 *   const user = users.get(message.name)
 *   if (!user) throw new RequestError("NOT_FOUND", "there is no such user")
 *   return user
 * })
 */
export class RequestError extends HoldfastError {
  /** What was wrong, for programs: yours, or one that the library answers with. JSON-RPC has numbers. */
  readonly reason: string | number
  /** More about it. */
  readonly data: unknown

  constructor(reason: string | number, message: string, options: RequestErrorOptions = {}) {
    super("REQUEST_FAILED", message, options)
    this.reason = reason
    this.data = options.data
  }
}

/** A request was not answered in time. It may still have been carried out. */
export class RequestTimeoutError extends HoldfastError {
  constructor(message: string, options?: ErrorOptions) {
    super("REQUEST_TIMEOUT", message, options)
  }
}
