/**
 * The garbage collector on demand, without a flag on the command line.
 */

import { setTimeout as wait } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose_gc")
const collect = runInNewContext("gc") as () => void

/** Bytes held in the heap and outside it, once what nobody refers to is collected where that could matter. */
export function heldBytes(worthCollecting = 0): number {
  const held = () => {
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const bytes = held()
  // read once: what is looked at again may have grown beyond what was worth it
  if (bytes <= worthCollecting) return bytes
  collect()
  return held()
}

/** Collects everything that nothing refers to. */
export async function collectGarbage(): Promise<void> {
  // a reference that was read or made in this turn is kept alive until the turn is over
  for (let i = 0; i < 3; i += 1) {
    await wait(0)
    collect()
  }
}

/** Bytes of live objects, after a collection. */
export async function liveBytes(): Promise<number> {
  await collectGarbage()
  return process.memoryUsage().heapUsed
}
