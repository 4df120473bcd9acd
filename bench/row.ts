/**
 * What can be measured, described: a row is a question, its cells are the settings it is asked in, its contenders are
 * the programs that answer. Descriptions only; `measure` does the work.
 */

import { fileURLToPath } from "node:url"
import type { Program } from "./program.js"

/** One program in one role. */
export interface Contender {
  readonly name: string
  readonly title: string
  /** Which version of it. */
  readonly version?: string
  /** The source file of the program. */
  readonly source: string
  /** What runs it, as `scripts/runtimes` calls it. @defaultValue this Node */
  readonly runtime?: string
  /** Whether it is the baseline once more, to show what the machine's noise alone makes of a ratio. */
  readonly isControl?: boolean
  /** Whether it is the one that all this is about. */
  readonly isOurs?: boolean
}

/** What a row starts a contender with. */
export interface Launcher<C extends Contender = Contender> {
  readonly contender: C
  /** How many connections, unless the row knows better. */
  readonly clients: number
  /** Starts the contender's program. */
  start(args?: readonly string[], nodeOptions?: readonly string[]): Promise<Program>
  /** Starts one of the row's helpers. */
  help(source: string): Promise<Program>
}

/** A running contender, with whatever it takes to measure it. */
export interface Stage {
  close(): Promise<void>
}

/** One value of one contender in one cell. */
export interface Round {
  /** How many deliveries, connections or handshakes it is about. */
  readonly count: number
  readonly value: number
  /** What else was counted, by name. */
  readonly extra?: Readonly<Record<string, number>>
}

/** One setting. */
export interface Cell<S extends Stage = Stage> {
  readonly name: string
  readonly title: string
  /** Rounds for each start of the programs, in a whole run. */
  readonly rounds: number
  /** Whether a round starts anew, so that none has to warm up for the next. @defaultValue false */
  readonly isFresh?: boolean
  /** Measures it once, for so many milliseconds where time is what it takes. */
  round(stage: S, ms: number): Promise<Round>
  /** What a table says beside a value: from the median of the values, and those of whatever else was counted. */
  detail?(value: number, extra: Readonly<Record<string, number>>): string
}

/** One question. Less is better in all of them. */
export interface Row<S extends Stage = Stage, C extends Contender = Contender> {
  readonly name: string
  readonly title: string
  /** What a value is, as a sentence without its end. */
  readonly quantity: string
  readonly unit: "µs" | "ms" | "kB"
  /** How many connections it takes where so many are asked for. @defaultValue as many */
  connections?(clients: number): number
  /** The first one is the baseline of every ratio. */
  readonly contenders: readonly C[]
  /** The source files of other programs that it takes. @defaultValue none */
  readonly helpers?: readonly string[]
  readonly cells: readonly Cell<S>[]
  /** Starts a contender. */
  open(launcher: Launcher<C>): Promise<S>
}

/** The source of a program in a folder of the bench. */
export function sourceOf(path: string): string {
  return fileURLToPath(new URL(`./${path}.ts`, import.meta.url))
}
