/**
 * Cases of closing an adapter whose engine answers nothing: whatever it waits for, it does not wait on.
 */

import type { AdapterCase } from "./adapter-case.js"
import { checkSame, pass, settles } from "./adapter-case.js"
import { fault } from "./define-cases.js"

/** The cases. */
export const closingCases: readonly AdapterCase[] = [
  fault(
    "closes while its engine hangs, and settles what it was asked for",
    ["hang", "resume"],
    async (scene) => {
      const { lab, nodes, channel, faults } = scene
      const { hearer } = await nodes.pair(channel)
      await faults.hang()
      try {
        const asked = [
          hearer.adapter.subscribe([`${channel} 2`]),
          hearer.adapter.unsubscribe([channel]),
          hearer.publish(channel, "hi"),
        ]
        const settled = Promise.allSettled(asked.map((it) => Promise.resolve(it)))
        await settles(lab, hearer.adapter.close({ deadlineMs: 300 }), "close to resolve", 2_000)
        await settles(lab, settled, "what it was asked for to settle", 2_000)
        checkSame(hearer.adapter.health().state, "down", "state")
      } finally {
        await faults.resume()
      }
    },
  ),
  fault("closes in the middle of a connect that is not answered", ["hang", "resume"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const node = await nodes.make()
    await faults.hang()
    try {
      const connecting = node.connect().catch(() => {})
      await pass(lab, 50)
      await settles(lab, node.adapter.close({ deadlineMs: 300 }), "close to resolve", 2_000)
      await settles(lab, connecting, "connect to settle", 2_000)
      checkSame(node.adapter.health().state, "down", "state")
    } finally {
      await faults.resume()
    }
    await pass(lab, 50)
    checkSame(node.states.at(-1), "down", "the last state")
    await settles(lab, node.connect(), "connect to resolve", lab.recoveryMs ?? 5_000)
    await node.subscribe(channel)
  }),
]
