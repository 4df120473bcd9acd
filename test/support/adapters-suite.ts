/**
 * The adapter cases against a real broker. All of them run at once, those that break it on brokers of their own, so that
 * their waiting overlaps.
 */

import type { Adapter } from "holdfast"
import { type AdapterCase, adapterCases } from "holdfast/testing"
import { beforeAll, describe, it } from "vitest"
import { type EngineKind, engineLab } from "./adapters-engine.js"

/** Fault cases that run at the same time: each has a process of its own, and the machine few cores. */
const AT_ONCE = 9

/** Defines a test for every case. */
export function adapterSuite(
  kind: () => EngineKind,
  port: () => number,
  makeAdapter: (port: number) => Adapter,
): void {
  const outcomes = new Map<AdapterCase, Promise<void>>()

  beforeAll(() => {
    const behaviours = adapterCases.filter(({ needs }) => needs.length === 0)
    for (const it of behaviours) outcomes.set(it, it.run({ makeAdapter: () => makeAdapter(port()) }))
    const turns = Array.from({ length: AT_ONCE }, () => Promise.resolve())
    for (const [i, it] of adapterCases.filter(({ needs }) => needs.length > 0).entries()) {
      const outcome = (turns[i % AT_ONCE] as Promise<void>).then(() => runWithFaults(kind(), it, makeAdapter))
      outcomes.set(it, outcome)
      turns[i % AT_ONCE] = outcome.catch(() => {})
    }
    for (const outcome of outcomes.values()) outcome.catch(() => {})
  })

  describe("keeps the adapter contract", () => {
    it.each(adapterCases)(
      "$name",
      async (adapterCase) => {
        await outcomes.get(adapterCase)
      },
      30_000,
    )
  })
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
