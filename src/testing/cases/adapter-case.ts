/**
 * What a case of the adapter contract is, and what it needs from whoever runs it. Types, and the waiting that needs no
 * test runner.
 */

import { systemClock } from "../../core/timer.js"
import type { MaybePromise } from "../../core/types.js"
import type { Adapter } from "../../hub/adapter.js"

/** The ways in which an engine can be broken. Each takes effect for all adapters of the lab. */
export interface AdapterFaults {
  /** Stops the engine at once, as a crash does. */
  kill(): MaybePromise<void>
  /** Starts it again after {@link kill}. */
  restart(): MaybePromise<void>
  /** Stops it from doing anything while its connections stand (`SIGSTOP`). */
  hang(): MaybePromise<void>
  /** Lets it go on after {@link hang}. */
  resume(): MaybePromise<void>
  /** Resets every connection. New ones are taken. */
  cut(): MaybePromise<void>
  /** Swallows everything on every connection without a sign. */
  blackHole(): MaybePromise<void>
  /** Lets new connections through again after {@link blackHole}. */
  heal(): MaybePromise<void>
  /** Makes each way between a node and the engine take so long, in milliseconds. */
  slow(ms: number): MaybePromise<void>
}

/** Where a case is run. A lab is for one case: it is thrown away afterwards. */
export interface AdapterLab {
  /** A new adapter at the lab's engine, not connected. */
  makeAdapter(): MaybePromise<Adapter>
  /** Breaks the engine. A lab without it can only run cases that need none. */
  readonly faults?: Partial<AdapterFaults>
  /** Lets time pass, in milliseconds. @defaultValue the platform's timer */
  pass?(ms: number): Promise<void>
  /** How long a case waits for what has to happen, in milliseconds. @defaultValue 5_000 */
  readonly patienceMs?: number
  /**
   * How long the way back may take once the engine is there again, in milliseconds, until messages flow and all losses
   * are counted.
   * @defaultValue 5_000
   */
  readonly recoveryMs?: number
}

/** One thing an adapter must do. */
export interface AdapterCase {
  /** A sentence about behaviour; unique. */
  readonly name: string
  /** Faults it makes. Run it where the lab has all of them. */
  readonly needs: readonly (keyof AdapterFaults)[]
  /** Runs it. Rejects with an Error that says what was expected. */
  run(lab: AdapterLab): Promise<void>
}

/** Throws when something does not hold. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}

/** Throws when two values differ as JSON. */
export function checkSame(actual: unknown, expected: unknown, what: string): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)]
  check(is === should, `${what}: expected ${clip(should)}, received ${clip(is)}`)
}

function clip(text: string | undefined): string {
  return text === undefined || text.length <= 200 ? String(text) : `${text.slice(0, 200)}…`
}

/** Lets time pass in a lab. */
export function pass(lab: AdapterLab, ms: number): Promise<void> {
  return lab.pass ? lab.pass(ms) : new Promise((resolve) => void systemClock.setTimer(resolve, ms))
}

/** How often a condition is looked at while it is waited for, in milliseconds. */
const STEP_MS = 5

/** Waits until something holds. Throws when it takes longer than the lab's patience, or than `ms`. */
export async function until(lab: AdapterLab, holds: () => boolean, what: string, ms?: number): Promise<void> {
  const patienceMs = ms ?? lab.patienceMs ?? 5_000
  for (let waited = 0; !holds(); waited += STEP_MS) {
    check(waited < patienceMs, `waited ${patienceMs} ms in vain: ${what}`)
    await pass(lab, STEP_MS)
  }
}

/** How many rounds of promise callbacks a promise gets before time has to pass for it. */
const ROUNDS = 8

/** Waits for a promise, for as long as the lab has patience. No time passes where none is needed. */
export async function settles<T>(
  lab: AdapterLab,
  work: MaybePromise<T>,
  what: string,
  ms?: number,
): Promise<T> {
  const settling = Promise.resolve(work)
  let isSettled = false
  const note = () => {
    isSettled = true
  }
  settling.then(note, note)
  for (let i = 0; i < ROUNDS && !isSettled; i += 1) await null
  if (isSettled) return settling
  const patience = until(lab, () => isSettled, what, ms)
  patience.catch(() => {})
  return Promise.race([settling, patience.then(() => settling)])
}

/** Waits for a promise to reject, and returns the error. */
export async function rejects(lab: AdapterLab, work: () => MaybePromise<unknown>, what: string, ms?: number) {
  try {
    await settles(lab, (async () => work())(), what, ms)
  } catch (error) {
    return error as Error & { readonly code?: unknown }
  }
  throw new Error(`${what}: expected a rejection, and there was none`)
}
