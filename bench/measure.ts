/**
 * Measures rows. Contenders take turns round by round, so what disturbs the machine disturbs all of them, and a ratio
 * is taken within a round.
 */

import { installRuntime, type Runtime } from "../scripts/runtimes.js"
import { type Compiled, compile } from "./compile.js"
import { CannotDo } from "./orders.js"
import { Program } from "./program.js"
import type { Cell, Contender, Launcher, Round, Row, Stage } from "./row.js"
import { type Spread, spread } from "./statistics.js"

/** Before the rounds that count come so many that do not, as a share of those. */
const WARM_UP_SHARE = 0.25

/** How much is measured. */
export interface Effort {
  /** Connections to each server. */
  readonly clients: number
  /** How often the programs are started afresh: no two processes are laid out alike. */
  readonly laps: number
  /** The share of each cell's rounds that is run in a lap. */
  readonly share: number
  /**
   * How long a round runs its cell at least, in milliseconds: long enough for the CPU clock, short enough for
   * neighbouring rounds to be alike.
   */
  readonly roundMs: number
  /** Options for the programs' Node. */
  readonly nodeOptions?: readonly string[]
}

/** What was found about one contender in one cell. */
export interface Finding {
  readonly contender: Contender
  /** Deliveries that were counted. */
  readonly count: number
  /** One value for each round. */
  readonly values: readonly number[]
  /** The medians of whatever else was counted. */
  readonly extra: Readonly<Record<string, number>>
  readonly cost: Spread
  /** How many times less it takes than the baseline. */
  readonly ratio: Spread
}

/** What was found in one cell. */
export interface CellResult {
  readonly cell: Cell
  readonly findings: readonly Finding[]
}

/** What was found in one row. */
export interface RowResult {
  readonly row: Row
  readonly connections: number
  readonly cells: readonly CellResult[]
  /** Who could not be measured, and why. */
  readonly missing: readonly { readonly contender: Contender; readonly reason: string }[]
}

/** A contender that takes part, and what was found about it. */
interface Entrant {
  readonly contender: Contender
  readonly runtime: Runtime | undefined
  readonly rounds: Map<Cell, Round[]>
}

/** Measures one row. Rejects when a message was lost, repeated, reordered or altered on its way. */
export async function measureRow(row: Row, effort: Effort): Promise<RowResult> {
  return new Measurement(row, effort).run()
}

class Measurement {
  readonly #row: Row
  readonly #effort: Effort
  readonly #connections: number
  readonly #missing: { contender: Contender; reason: string }[] = []
  #entrants: Entrant[] = []

  constructor(row: Row, effort: Effort) {
    this.#row = row
    this.#effort = effort
    this.#connections = row.connections?.(effort.clients) ?? effort.clients
  }

  async run(): Promise<RowResult> {
    const { contenders, cells, helpers = [] } = this.#row
    await using compiled = await compile([...contenders.map((it) => it.source), ...helpers])
    for (const contender of contenders) await this.#enter(contender)
    for (let lap = 0; lap < this.#effort.laps; lap += 1) await this.#runLap(compiled)
    return {
      row: this.#row,
      connections: this.#connections,
      cells: cells.map((cell) => ({ cell, findings: this.#conclude(cell) })),
      missing: this.#missing,
    }
  }

  async #enter(contender: Contender): Promise<void> {
    try {
      const runtime = contender.runtime === undefined ? undefined : await installRuntime(contender.runtime)
      const rounds = new Map(this.#row.cells.map((cell) => [cell, []]))
      const version = contender.version ?? runtime?.title.split(" ")[1]
      this.#entrants.push({ contender: { ...contender, ...(version && { version }) }, runtime, rounds })
    } catch (error) {
      this.#missing.push({ contender, reason: (error as Error).message })
    }
  }

  async #runLap(compiled: Compiled): Promise<void> {
    const stages = new Map<Entrant, Stage>()
    try {
      // side by side, but none is left behind when another one fails
      const opening = this.#entrants.map(async (it) => ({ it, stage: await this.#open(it, compiled) }))
      const opened = await Promise.allSettled(opening)
      for (const one of opened) {
        if (one.status === "fulfilled" && one.value.stage) stages.set(one.value.it, one.value.stage)
      }
      await Promise.all(opening)
      this.#entrants = [...stages.keys()]
      if (this.#entrants[0]?.contender.name !== this.#row.contenders[0]?.name)
        throw new Error("the baseline is missing")
      for (const cell of this.#row.cells) await this.#runCell(cell, stages)
    } finally {
      await Promise.all([...stages.values()].map((stage) => stage.close()))
    }
  }

  async #runCell(cell: Cell, stages: ReadonlyMap<Entrant, Stage>): Promise<void> {
    const count = Math.ceil(cell.rounds * this.#effort.share)
    const warmUp = cell.isFresh ? 0 : Math.ceil(count * WARM_UP_SHARE)
    for (let i = 0; i < warmUp + count; i += 1) {
      // every other round goes the other way, so that none always runs after the same one
      const turn = i % 2 === 0 ? this.#entrants : this.#entrants.toReversed()
      for (const entrant of turn) {
        const round = await cell.round(stages.get(entrant) as Stage, this.#effort.roundMs)
        if (i >= warmUp) entrant.rounds.get(cell)?.push(round)
      }
    }
  }

  async #open({ contender, runtime }: Entrant, compiled: Compiled): Promise<Stage | undefined> {
    const launcher: Launcher = {
      contender,
      clients: this.#connections,
      start: (args = [], nodeOptions = []) =>
        Program.start({
          file: compiled.fileOf(contender.source),
          args,
          runtime,
          nodeOptions: [...(this.#effort.nodeOptions ?? []), ...nodeOptions],
        }),
      help: (source) => Program.start({ file: compiled.fileOf(source) }),
    }
    try {
      return await this.#row.open(launcher)
    } catch (error) {
      if (!(error instanceof CannotDo)) throw error
      this.#missing.push({ contender, reason: error.message })
      return undefined
    }
  }

  #conclude(cell: Cell): Finding[] {
    const all = this.#entrants.map(({ contender, rounds }) => ({ contender, rounds: rounds.get(cell) ?? [] }))
    const baseline = all[0]?.rounds.map((it) => it.value) ?? []
    return all.map(({ contender, rounds }) => {
      const values = rounds.map((it) => it.value)
      return {
        contender,
        count: rounds.reduce((sum, it) => sum + it.count, 0),
        values,
        extra: mediansOf(rounds),
        cost: spread(values),
        ratio: spread(values.map((it, i) => (baseline[i] as number) / it)),
      }
    })
  }
}

/** The median of each thing that was counted beside the values. */
function mediansOf(rounds: readonly Round[]): Record<string, number> {
  const names = Object.keys(rounds[0]?.extra ?? {})
  return Object.fromEntries(
    names.map((name) => [name, spread(rounds.map(({ extra }) => extra?.[name] ?? 0)).median]),
  )
}
