/**
 * The adapter cases against a real broker. Several run at once, those that break it on brokers of their own, so that
 * their waiting overlaps.
 */

import type { Adapter } from "holdfast"
import type { RelayOptions } from "holdfast/adapters/redis"
import { type AdapterCase, adapterCases } from "holdfast/testing"
import { describe, it } from "vitest"
import { type EngineKind, engineLab } from "./adapters-engine.js"

/** Behaviours that run at the same time, and faults: those mostly wait. */
const BEHAVIOURS_AT_ONCE = 6
const FAULTS_AT_ONCE = 9

/**
 * Times for adapters whose broker works: long ones, because these cases are about what happens and not about when, and a
 * busy machine may keep a broker waiting.
 */
export const PATIENT: RelayOptions = {
  publishTimeoutMs: 5_000,
  openTimeoutMs: 8_000,
  probeTimeoutMs: 5_000,
  maxAgeMs: 10_000,
}

/** Times for adapters whose broker is broken: silence is found while a test waits. */
export const QUICK: RelayOptions = { silenceMs: 1_500, markMs: 500 }

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

/** Defines a test for every case, or for some. Returns what starts them, for a `beforeAll`. */
export function adapterSuite(
  kind: () => EngineKind,
  makeAdapter: (port: number | undefined, times: RelayOptions) => Adapter,
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
      inLanes(behaviours, BEHAVIOURS_AT_ONCE, ({ run }) =>
        run({ makeAdapter: () => makeAdapter(undefined, PATIENT), patienceMs: 10_000 }),
      ),
      inLanes(faults, FAULTS_AT_ONCE, (it) => runWithFaults(kind(), it, (port) => makeAdapter(port, QUICK))),
    ]
    for (const run of runs) for (const [adapterCase, outcome] of run) outcomes.set(adapterCase, outcome)
  }
}

async function runWithFaults(
  kind: EngineKind,
  adapterCase: AdapterCase,
  makeAdapter: (port: number) => Adapter,
): Promise<void> {
  const { lab, stop } = await engineLab(kind, makeAdapter)
  try {
    await adapterCase.run(lab)
  } finally {
    await stop()
  }
}
