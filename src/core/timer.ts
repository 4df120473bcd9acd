/**
 * The only file that asks the platform for time. Everything else takes a {@link Clock},
 * so a virtual one can drive hours of reconnecting in milliseconds.
 */

/** What a {@link Clock} hands out for a waiting callback. Opaque. */
export type TimerHandle = unknown

/** Where the library takes its time from. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes backwards. */
  now(): number
  /** Milliseconds since 1970, for stamps that people read. */
  date(): number
  /** Calls back once, `ms` milliseconds from now at the earliest. */
  setTimer(callback: () => void, ms: number): TimerHandle
  /** Forgets a callback. One that has run, or `undefined`, is ignored. */
  clearTimer(handle: TimerHandle): void
  /** Calls back once the current turn of the event loop has handled what it had read. */
  defer(callback: () => void): void
  /** Calls back right after the current synchronous code. */
  soon(callback: () => void): void
}

/** The platform's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  setTimer: (callback, ms) => setTimeout(callback, ms),
  clearTimer: (handle) => clearTimeout(handle as number),
  defer: (callback) => {
    if (typeof setImmediate === "function") setImmediate(callback)
    else setTimeout(callback, 0)
  },
  soon: (callback) => queueMicrotask(callback),
}

/** The platform's own time, whose waiting callbacks keep no process alive where the platform knows processes. */
export const backgroundClock: Clock = {
  ...systemClock,
  setTimer(callback, ms) {
    const timer = setTimeout(callback, ms) as number | { unref?(): void }
    if (typeof timer === "object") timer.unref?.()
    return timer
  },
}

/**
 * Calls back when every promise has been heard that settles without news from outside. In Node that is before anything
 * else is read, the end of the stream included; a turn of the event loop would be too late.
 */
export function afterPromises(callback: () => void): void {
  const { process } = globalThis as { process?: { nextTick?(callback: () => void): void } }
  queueMicrotask(() => (process?.nextTick ? process.nextTick(callback) : callback()))
}

/** One callback that can be armed, re-armed and disarmed. At most one wait is pending at any time. */
export class Timer {
  readonly #clock: Clock
  readonly #callback: () => void
  #handle: TimerHandle

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock
    this.#callback = callback
  }

  /** Whether a wait is pending. */
  get isArmed(): boolean {
    return this.#handle !== undefined
  }

  /** Starts the wait, in milliseconds; one that is pending is replaced. */
  start(ms: number): void {
    this.stop()
    this.#handle = this.#clock.setTimer(() => {
      this.#handle = undefined
      this.#callback()
    }, ms)
  }

  /** Ends the wait, if there is one. */
  stop(): void {
    if (this.#handle === undefined) return
    this.#clock.clearTimer(this.#handle)
    this.#handle = undefined
  }
}
