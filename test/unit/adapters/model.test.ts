import { expect, it, vi } from "vitest"
import { AdapterModel, MODEL_STEPS } from "../../support/adapters-model.js"
import { fc, runs } from "../../support/properties.js"
import { seededRandom } from "../../support/seeded-random.js"

const life = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  steps: fc.array(fc.record({ kind: fc.constantFrom(...MODEL_STEPS), pick: fc.nat(1_000) }), {
    maxLength: 80,
    size: "max",
  }),
})

it("A2: whatever nodes and their broker go through, each message comes once and in order, or is counted", async () => {
  await fc.assert(
    fc.asyncProperty(life, async ({ seed, steps }) => {
      vi.spyOn(Math, "random").mockImplementation(seededRandom(seed))
      const model = new AdapterModel()
      for (let i = 0; i < 3; i += 1) await model.step({ kind: "start", pick: 0 })
      await model.step({ kind: "advance", pick: 100 })
      for (const step of steps) await model.step(step)
      await model.end()
      expect(model.faults).toEqual([])
    }),
    runs(150),
  )
})
