/**
 * A promise that has to settle in time, for as long as anybody waits for it.
 */

import type { Clock } from "../core/timer.js"
import { PatientTimer } from "./patient-timer.js"

/** What can end waits before their time. An `AbortSignal` is one. */
interface Ending {
  addEventListener(type: "abort", listener: () => void): void
  removeEventListener(type: "abort", listener: () => void): void
}

/** An {@link Ending} of any number of waits; Node takes more than ten listeners of a signal for a leak. */
export class Endings implements Ending {
  readonly #listeners = new Set<() => void>()

  addEventListener(_type: "abort", listener: () => void): void {
    this.#listeners.add(listener)
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.#listeners.delete(listener)
  }

  /** Ends them. */
  abort(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

/** How long a wait may take, and what it ends with when it is too long. */
export interface Deadline {
  readonly clock: Clock
  readonly ms: number
  /** Ends the wait at once: nobody needs it any more. */
  readonly signal?: Ending
  readonly late: () => Error
}

/** The same promise; rejects when it takes too long, or is needed no more. What it does later goes unnoticed. */
export function within<T>(work: Promise<T>, { clock, ms, signal, late }: Deadline): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      done()
      reject(late())
    }
    const timer = new PatientTimer(clock, giveUp)
    const done = () => {
      timer.stop()
      signal?.removeEventListener("abort", giveUp)
    }
    timer.start(ms)
    signal?.addEventListener("abort", giveUp)
    work.then(done, done)
    work.then(resolve, reject)
  })
}
