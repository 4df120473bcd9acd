/**
 * A promise that has to settle in time.
 */

import type { Clock } from "../core/timer.js"
import { PatientTimer } from "./patient-timer.js"

/** The same promise; rejects with `late()` when it takes longer than `ms`. What it does later goes unnoticed. */
export function within<T>(clock: Clock, ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = new PatientTimer(clock, () => reject(late()))
    timer.start(ms)
    const done = () => timer.stop()
    work.then(done, done)
    work.then(resolve, reject)
  })
}
