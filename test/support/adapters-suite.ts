/**
 * The adapter cases against a real broker. Several run at once, those that break it on brokers of their own, so that
 * their waiting overlaps.
 */

import type { Adapter } from "holdfast"
import type { RelayOptions } from "holdfast/adapters/redis"
import { type AdapterCase, adapterCases } from "holdfast/testing"
import { describe, it } from "vitest"
import { type EngineKind, engineLab } from "./adapters-engine.js"

/** How a suite is run. */
export interface SuiteSettings {
  /** How many behaviours run at the same time. @defaultValue 6 */
  readonly behaviours?: number
  /** How many faults do: those mostly wait. @defaultValue 9 */
  readonly faults?: number
  /** How long the way back may take. @defaultValue that of the cases */
  readonly recoveryMs?: number
  /** How long a case waits. @defaultValue 10_000, and 8_000 where the broker is broken */
  readonly patienceMs?: number
}

/**
 * Times for adapters whose broker works: long ones, because these cases are about what happens and not about when, and a
 * busy machine may keep a broker waiting.
 */
export const PATIENT: RelayOptions = {
  publishTimeoutMs: 5_000,
  openTimeoutMs: 15_000,
  probeTimeoutMs: 5_000,
  maxAgeMs: 10_000,
}

/** Times for adapters whose broker is broken: silence is found while a test waits. */
export const QUICK: RelayOptions = { silenceMs: 1_500, markMs: 500 }

/** A slow way is no broken one: nothing on it has to be found out soon. */
function timesFor({ needs }: AdapterCase): RelayOptions {
  return needs.every((need) => need === "slow") ? PATIENT : QUICK
}

/** Runs work for each item, so many at the same time. Returns how each will end. */
export function inLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<void>,
): Map<T, Promise<void>> {
  const ends = Array.from({ length: lanes }, () => Promise.resolve())
  const outcomes = new Map<T, Promise<void>>()
  for (const [i, item] of items.entries()) {
    const outcome = (ends[i % lanes] as Promise<void>).then(() => work(item))
    ends[i % lanes] = outcome.catch(() => {})
    outcomes.set(item, outcome)
  }
  return outcomes
}

/**
 * Defines a test for every case, or for some. Returns what starts them, for a `beforeAll`.
 *
 * @param makeAdapter - Makes an adapter at the broker all behaviours share, or at the one on a port. What belongs to one
 * case has one name.
 */
export function adapterSuite(
  kind: () => EngineKind,
  makeAdapter: (port: number | undefined, times: RelayOptions, name: string) => Adapter,
  { behaviours: behavioursAtOnce = 6, faults: faultsAtOnce = 9, ...lab }: SuiteSettings = {},
  cases: readonly AdapterCase[] = adapterCases,
): () => void {
  const outcomes = new Map<AdapterCase, Promise<void>>()

  describe("keeps the adapter contract", () => {
    it.each(cases)("$name", { timeout: 30_000 }, async (adapterCase) => {
      await outcomes.get(adapterCase)
    })
  })

  return () => {
    const behaviours = cases.filter(({ needs }) => needs.length === 0)
    const faults = cases.filter(({ needs }) => needs.length > 0)
    const runs = [
      inLanes(behaviours, behavioursAtOnce, (it) => {
        const name = `case-${cases.indexOf(it)}-${process.pid}`
        return it.run({
          makeAdapter: () => makeAdapter(undefined, PATIENT, name),
          patienceMs: 10_000,
          ...lab,
        })
      }),
      inLanes(faults, faultsAtOnce, async (it) => {
        const { lab: broken, stop } = await engineLab(kind(), (port) =>
          makeAdapter(port, timesFor(it), "fault"),
        )
        try {
          await it.run({ ...broken, ...lab })
        } finally {
          await stop()
        }
      }),
    ]
    for (const run of runs) for (const [adapterCase, outcome] of run) outcomes.set(adapterCase, outcome)
  }
}
