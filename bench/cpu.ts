/**
 * CPU time as what is measured: of one program, for each thing that a function counts. It knows nothing of what that
 * function does.
 */

import type { Program } from "./program.js"
import type { Cell, Round, Stage } from "./row.js"

/** A stage with the program that pays. */
export interface CpuStage extends Stage {
  readonly program: Program
}

/** What is done in one setting. */
export interface Work<S extends CpuStage> {
  readonly name: string
  readonly title: string
  readonly rounds: number
  /** Goes before every round, uncounted: a contender comes back from a pause, with its caches filled by others. */
  runIn?(stage: S): Promise<unknown>
  /** Does it once, waits until all of it is done, and returns how many deliveries it was. */
  run(stage: S): Promise<number>
}

/**
 * After a pause of a fifth of a second Linux acknowledges the next sixteen segments of a connection at once, at the
 * sender's expense: a third more for each write. Whoever writes less would be in that state for longer.
 */
const RUN_IN = 20

/** A run-in that takes each connection out of that state, where each run sends it something. */
export function repeatedly<S extends CpuStage>(run: (stage: S) => Promise<unknown>) {
  return async (stage: S): Promise<void> => {
    for (let i = 0; i < RUN_IN; i += 1) await run(stage)
  }
}

/** A cell that repeats its work until the round is over. */
export function cpuCell<S extends CpuStage>({ name, title, rounds, run, runIn = run }: Work<S>): Cell<S> {
  return {
    name,
    title,
    rounds,
    async round(stage: S, ms: number): Promise<Round> {
      await runIn(stage)
      const before = await stage.program.usage()
      const count = await repeat(ms, () => run(stage))
      const after = await stage.program.usage()
      return { count, value: (after.cpuMicros - before.cpuMicros) / count }
    },
  }
}

async function repeat(ms: number, run: () => Promise<number>): Promise<number> {
  const end = performance.now() + ms
  let count = 0
  do count += await run()
  while (performance.now() < end)
  return count
}
