/**
 * One attempt at an open socket, from the first question for its address until messages may flow. It succeeds or fails
 * exactly once, in time, and never tries again.
 */

import { ConnectError, HoldfastError } from "../core/errors.js"
import { type Clock, Timer } from "../core/timer.js"
import type { MaybePromise } from "../core/types.js"
import { askDestination, connectError, type DialRequest, makeSocket, refusal } from "./dial-request.js"
import { listen, type SocketLike, terminate } from "./socket.js"

/** What an attempt keeps to. */
export interface OpeningRequest extends DialRequest {
  /** How long all of it may take, in milliseconds. */
  readonly connectTimeoutMs: number
  /** Where time comes from. */
  readonly clock: Clock
}

/** What is particular to one attempt. */
export interface OpeningContext {
  /** How many have failed in a row before it. */
  readonly attempt: number
  /** Ends it when aborted. */
  readonly signal: AbortSignal | undefined
}

/**
 * Opens a socket.
 *
 * @param wrap - Called within the socket's `open` event, so that whoever listens from there on misses nothing. What it
 * promises has to come within `connectTimeoutMs` too.
 * @throws ConnectError when it is refused, reset, too late, or has nowhere to go.
 * @throws HoldfastError with code `ABORTED`.
 */
export function openSocket<T>(
  request: OpeningRequest,
  context: OpeningContext,
  wrap: (socket: SocketLike) => MaybePromise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => new Opening({ request, context, wrap, resolve, reject }).begin())
}

interface OpeningTask<T> {
  readonly request: OpeningRequest
  readonly context: OpeningContext
  readonly wrap: (socket: SocketLike) => MaybePromise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

class Opening<T> {
  readonly #task: OpeningTask<T>
  readonly #abort = new AbortController()
  readonly #timer: Timer
  #socket: SocketLike | undefined
  #unlisten: (() => void) | undefined
  #isOpen = false
  #isOver = false

  constructor(task: OpeningTask<T>) {
    this.#task = task
    this.#timer = new Timer(task.request.clock, () => this.#timedOut())
  }

  begin(): void {
    const { request, context } = this.#task
    if (context.signal?.aborted) {
      this.#aborted()
      return
    }
    context.signal?.addEventListener("abort", this.#aborted)
    this.#timer.start(request.connectTimeoutMs)
    this.#dial().catch((error: unknown) => this.#fail(connectError(error)))
  }

  async #dial(): Promise<void> {
    const { request, context } = this.#task
    const { attempt } = context
    const destination = await askDestination(request, { attempt, signal: this.#abort.signal })
    if (this.#isOver) return
    const socket = makeSocket(request, destination)
    this.#socket = socket
    this.#unlisten = listen(socket, {
      open: () => this.#opened(socket),
      message: () => {},
      close: (code) => this.#fail(new ConnectError(`the connection ended with ${code} before it was ready`)),
      error: (error) => this.#fail(connectError(error)),
      refused: (status, header) => this.#fail(refusal(status, header("retry-after"), request.clock)),
    })
    // a constructor that is not the platform's may run anything
    if (this.#isOver) this.#abandon()
  }

  #opened(socket: SocketLike): void {
    this.#isOpen = true
    const wrapped = (async () => this.#task.wrap(socket))()
    wrapped.then(
      (value) => this.#end() && this.#task.resolve(value),
      (error: unknown) => this.#fail(connectError(error, "the connection could not be made ready")),
    )
  }

  #timedOut(): void {
    const what = this.#isOpen ? "not ready" : "not open"
    const { connectTimeoutMs } = this.#task.request
    this.#fail(new ConnectError(`${what} within ${connectTimeoutMs} ms`, { code: "CONNECT_TIMEOUT" }))
  }

  readonly #aborted = (): void => {
    const cause: unknown = this.#task.context.signal?.reason
    this.#fail(new HoldfastError("ABORTED", "the dial was aborted", { cause }))
  }

  #fail(error: HoldfastError): void {
    if (!this.#end()) return
    this.#abandon()
    this.#abort.abort(error)
    this.#task.reject(error)
  }

  #abandon(): void {
    this.#unlisten?.()
    if (this.#socket) terminate(this.#socket)
  }

  /** Returns whether this is the end, and not an echo of it. */
  #end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#timer.stop()
    this.#unlisten?.()
    this.#task.context.signal?.removeEventListener("abort", this.#aborted)
    return true
  }
}
