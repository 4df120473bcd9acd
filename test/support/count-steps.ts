/**
 * What a piece of work costs, in steps rather than in time: a machine's speed has no say in it.
 */

import { vi } from "vitest"

/** How many members of any set or map a piece of work walks over. */
export function countSteps(work: () => void): number {
  let steps = 0
  const count = (iterator: object) => {
    const prototype = Object.getPrototypeOf(iterator)
    const next = prototype.next
    return vi.spyOn(prototype, "next").mockImplementation(function (this: object) {
      const step = next.call(this)
      if (!step.done) steps += 1
      return step
    })
  }
  const spies = [count(new Set().values()), count(new Map().values())]
  work()
  for (const spy of spies) spy.mockRestore()
  return steps
}
