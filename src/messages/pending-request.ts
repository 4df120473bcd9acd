/**
 * One request that waits for its answer: for so long, and no longer than its signal allows. It knows no connection.
 */

import { HoldfastError } from "../core/errors.js"
import { type Clock, Timer } from "../core/timer.js"
import { type PromiseWithResolvers, withResolvers } from "../wire/message-iterator.js"
import type { RequestId } from "./framing.js"
import { RequestTimeoutError } from "./request-error.js"

/** What is known of a request from its beginning. */
export interface PendingRequestParts {
  /** What its answer will carry. */
  readonly id: RequestId
  /** The request as it is sent. */
  readonly message: object
  /** Whether it may be sent again. */
  readonly isIdempotent: boolean
  /** How long the answer may take, in milliseconds. */
  readonly timeoutMs: number
  /** Gives it up. */
  readonly signal: AbortSignal | undefined
  /** Where time comes from. */
  readonly clock: Clock
  /** It waits no longer. */
  readonly settled: () => void
}

/** A request between its sending and its answer. */
export class PendingRequest {
  readonly #parts: PendingRequestParts
  readonly #result: PromiseWithResolvers<unknown> = withResolvers()
  readonly #waiting = new AbortController()
  readonly #timer: Timer
  readonly #abort = () => this.settle(abortError(this.#parts.signal))

  constructor(parts: PendingRequestParts) {
    this.#parts = parts
    const { clock, timeoutMs, signal } = parts
    this.#timer = new Timer(clock, () =>
      this.settle(new RequestTimeoutError(`no answer within ${timeoutMs} ms`)),
    )
    this.#timer.start(timeoutMs)
    signal?.addEventListener("abort", this.#abort)
  }

  /** See {@link PendingRequestParts.id}. */
  get id(): RequestId {
    return this.#parts.id
  }

  /** See {@link PendingRequestParts.message}. */
  get message(): object {
    return this.#parts.message
  }

  /** See {@link PendingRequestParts.isIdempotent}. */
  get isIdempotent(): boolean {
    return this.#parts.isIdempotent
  }

  /** Aborted when it waits no longer: a message that has not left must not leave then. */
  get signal(): AbortSignal {
    return this.#waiting.signal
  }

  /** What it is answered with; rejected where it is not. */
  get answer(): Promise<unknown> {
    return this.#result.promise
  }

  /** The end of waiting. Later calls do nothing. */
  settle(error: unknown, value?: unknown): void {
    this.#timer.stop()
    this.#parts.signal?.removeEventListener("abort", this.#abort)
    this.#parts.settled()
    if (error === undefined) this.#result.resolve(value)
    else this.#result.reject(error)
    this.#waiting.abort()
  }
}

/** How a request ends that was given up. */
export function abortError(signal: AbortSignal | undefined): HoldfastError {
  return new HoldfastError("ABORTED", "the request was given up", { cause: signal?.reason })
}
