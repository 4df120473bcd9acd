/**
 * Typed events over `eventemitter3`, with the three things it leaves open: a listener that throws stops nobody,
 * a listener that was removed does not run any more, and an `error` that nobody listens to reaches the logger.
 */

import { EventEmitter } from "eventemitter3"
import { CodecError } from "./errors.js"
import { defaultLogger, type Logger } from "./logger.js"
import { isThenable } from "./maybe-promise.js"
import { reject } from "./options.js"
import type { Unsubscribe } from "./types.js"

/** Takes one payload. A promise it returns is watched: a rejection counts as a throw. */
export type Listener<Payload> = (payload: Payload) => unknown

/** One listener's place in an emitter. */
interface Subscription {
  readonly owner: Emitter<object>
  readonly event: PropertyKey
  readonly listener: Listener<never>
  readonly isOnce: boolean
  isActive: boolean
}

/** An error as a log may have it. That of a codec quotes the message it is about, and payloads are not logged. */
export function loggable(error: unknown): object {
  return error instanceof CodecError ? { code: error.code } : { err: error }
}

/** What an `error` event carries everywhere in this library. */
export interface ErrorEvent {
  /** What was thrown, or what a promise was rejected with. */
  readonly error: unknown
  /** Which part of the work failed. */
  readonly stage: string
}

/**
 * Base of everything here that has events. Listeners run in the order they were added;
 * one added while an event is dispatched is first called at the next.
 */
export class Emitter<Events extends object> {
  /** The one function that `eventemitter3` sees; its context says whose listener is meant. */
  static readonly #run = function (this: Subscription, payload: unknown): void {
    const { owner, event } = this
    if (!this.isActive) return
    if (this.isOnce) owner.#forget(this)
    try {
      const result = this.listener(payload as never)
      if (isThenable(result)) owner.#settle(event, payload, result)
    } catch (error) {
      owner.listenerFailed(event, error, payload)
    }
  }

  /** Takes the errors that nobody listens to. */
  protected readonly logger: Logger
  #target: EventEmitter | undefined
  #subscriptions: Subscription[] | undefined

  constructor(logger: Logger = defaultLogger) {
    this.logger = logger
  }

  /**
   * Listens to an event. Returns its own undo.
   * @throws InvalidOptionError for what is no function.
   */
  on<Name extends keyof Events>(event: Name, listener: Listener<Events[Name]>): Unsubscribe {
    return this.#subscribe(event, listener as Listener<never>, false)
  }

  /**
   * Listens to the next occurrence of an event. Returns its own undo.
   * @throws InvalidOptionError for what is no function.
   */
  once<Name extends keyof Events>(event: Name, listener: Listener<Events[Name]>): Unsubscribe {
    return this.#subscribe(event, listener as Listener<never>, true)
  }

  /** Removes a listener that {@link on} or {@link once} added; the oldest one, if it was added several times. */
  off<Name extends keyof Events>(event: Name, listener: Listener<Events[Name]>): void {
    const found = this.#subscriptions?.find(
      (it) => it.event === event && it.listener === (listener as unknown),
    )
    if (found) this.#forget(found)
  }

  /** How many listeners an event has. */
  listenerCount(event: keyof Events): number {
    return this.#target?.listenerCount(event as string) ?? 0
  }

  /** Calls the listeners of an event. Returns whether there were any. */
  protected emit<Name extends keyof Events>(event: Name, payload: Events[Name]): boolean {
    return this.#target?.emit(event as string, payload) ?? false
  }

  /** Removes every listener; for an end after which nothing is emitted. */
  protected removeAllListeners(): void {
    for (const subscription of this.#subscriptions ?? []) subscription.isActive = false
    this.#subscriptions = undefined
    this.#target = undefined
  }

  /** Emits an `error` event; one that nobody hears goes to the logger. The only place where that happens. */
  protected raise(event: ErrorEvent): void {
    if (!this.emit("error" as keyof Events, event as Events[keyof Events])) {
      this.logger.error({ ...loggable(event.error), stage: event.stage }, "an error that nobody listens to")
    }
  }

  /** A listener threw, or the promise it returned was rejected: an `error` event with stage `listener`. */
  protected listenerFailed(event: PropertyKey, error: unknown, _payload: unknown): void {
    if (event === "error") this.logger.error({ err: error, stage: "listener" }, "an error listener threw")
    else this.raise({ error, stage: "listener" })
  }

  /** A listener of this payload returned a promise. What this returns is called when it settles, either way. */
  protected listenerPending(_event: PropertyKey, _payload: unknown): (() => void) | undefined {
    return undefined
  }

  #forget(subscription: Subscription): void {
    if (!subscription.isActive) return
    subscription.isActive = false
    this.#target?.removeListener(subscription.event as string, Emitter.#run, subscription)
    const list = this.#subscriptions as Subscription[]
    list.splice(list.indexOf(subscription), 1)
  }

  #settle(event: PropertyKey, payload: unknown, result: PromiseLike<unknown>): void {
    const done = this.listenerPending(event, payload)
    // a promise of another make could throw here, or settle twice
    Promise.resolve(result).then(done, (error: unknown) => {
      this.listenerFailed(event, error, payload)
      done?.()
    })
  }

  #subscribe(event: PropertyKey, listener: Listener<never>, isOnce: boolean): Unsubscribe {
    if (typeof listener !== "function") reject("listener", "a function", listener)
    this.#target ??= new EventEmitter()
    this.#subscriptions ??= []
    const subscription: Subscription = { owner: this, event, listener, isOnce, isActive: true }
    this.#subscriptions.push(subscription)
    this.#target.on(event as string, Emitter.#run, subscription)
    return () => this.#forget(subscription)
  }
}
