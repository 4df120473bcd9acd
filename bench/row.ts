/**
 * What can be measured, described: a row is a question, its cells are the settings it is asked in, its contenders are
 * the servers that answer. Descriptions only; `measure` does the work.
 */

import { fileURLToPath } from "node:url"
import type { Crowd } from "./load/crowd.js"
import type { ServerProcess } from "./server-process.js"

/** One server in one role. */
export interface Contender {
  readonly name: string
  readonly title: string
  /** The source file of the server. */
  readonly source: string
  /** Whether it is the baseline once more, to show what the machine's noise alone makes of a ratio. */
  readonly isControl?: boolean
}

/** A running contender and the connections to it. */
export interface Stage {
  readonly server: ServerProcess
  readonly crowd: Crowd
}

/** One setting. */
export interface Cell {
  readonly name: string
  readonly title: string
  /** Rounds for each start of the servers, in a whole run. */
  readonly rounds: number
  /** Does it once, waits until all of it has arrived, and returns how many deliveries it was. */
  run(stage: Stage): Promise<number>
}

/** One question: what does a delivery cost? */
export interface Row {
  readonly name: string
  readonly title: string
  /** The first one is the baseline of every ratio. */
  readonly contenders: readonly Contender[]
  readonly cells: readonly Cell[]
  /** Goes before every round, uncounted: a contender comes back from a pause, with its caches filled by others. */
  runIn(stage: Stage): Promise<unknown>
}

/** The source of a server in `bench/servers`. */
export function serverSource(name: string): string {
  return fileURLToPath(new URL(`./servers/${name}.ts`, import.meta.url))
}
