/**
 * Measures rows: CPU time of the server's process for each delivery. Contenders take turns round by round, so what
 * disturbs the machine disturbs all of them, and a ratio is taken within a round.
 */

import { type Compiled, compile } from "./compile.js"
import { Crowd } from "./load/crowd.js"
import type { Cell, Contender, Row, Stage } from "./row.js"
import { ServerProcess } from "./server-process.js"
import { type Spread, spread } from "./statistics.js"

/** Before the rounds that count come so many that do not, as a share of those. */
const WARM_UP_SHARE = 0.25

/** How much is measured. */
export interface Effort {
  /** Connections to each server. */
  readonly clients: number
  /** How often the servers are started afresh: no two processes are laid out alike. */
  readonly laps: number
  /** The share of each cell's rounds that is run in a lap. */
  readonly share: number
  /**
   * How long a round runs its cell at least, in milliseconds: long enough for the CPU clock, short enough for
   * neighbouring rounds to be alike.
   */
  readonly roundMs: number
  /** Options for the servers' Node. */
  readonly nodeOptions?: readonly string[]
}

/** What was found about one contender in one cell. */
export interface Finding {
  readonly contender: Contender
  /** Deliveries that were counted. */
  readonly deliveries: number
  /** CPU time of a delivery, in microseconds: one value for each round. */
  readonly micros: readonly number[]
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
  readonly clients: number
  readonly cells: readonly CellResult[]
}

interface Round {
  readonly deliveries: number
  readonly micros: number
}

/** All rounds of one cell: for each round, one entry for each contender. */
type Rounds = Round[][]

/** Measures one row. Rejects when a message was lost, repeated, reordered or altered on its way. */
export async function measureRow(row: Row, effort: Effort): Promise<RowResult> {
  await using compiled = await compile(row.contenders.map((it) => it.source))
  const rounds = new Map<Cell, Rounds>(row.cells.map((cell) => [cell, []]))
  for (let lap = 0; lap < effort.laps; lap += 1) await runLap(row, effort, compiled, rounds)
  const cells = [...rounds].map(([cell, them]) => ({ cell, findings: conclude(row.contenders, them) }))
  return { row, clients: effort.clients, cells }
}

async function runLap(
  row: Row,
  effort: Effort,
  compiled: Compiled,
  rounds: Map<Cell, Rounds>,
): Promise<void> {
  const stages: Stage[] = []
  try {
    for (const { source } of row.contenders) stages.push(await openStage(compiled.fileOf(source), effort))
    for (const [cell, them] of rounds) {
      const count = Math.ceil(cell.rounds * effort.share)
      const round = (turn: number) => runRound(stages, turn, (stage) => runOne(row, cell, stage, effort))
      for (let i = 0; i < count * WARM_UP_SHARE; i += 1) await round(i)
      for (let i = 0; i < count; i += 1) them.push(await round(i))
    }
  } finally {
    await Promise.all(stages.map(closeStage))
  }
}

async function openStage(file: string, { clients, nodeOptions }: Effort): Promise<Stage> {
  const server = await ServerProcess.start(file, nodeOptions)
  try {
    return { server, crowd: await Crowd.open(server.port, clients) }
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function closeStage({ server, crowd }: Stage): Promise<void> {
  crowd.close()
  await server.stop()
}

/** Every other round goes the other way, so that none always runs after the same one. */
async function runRound(
  stages: readonly Stage[],
  turn: number,
  run: (stage: Stage) => Promise<Round>,
): Promise<Round[]> {
  const round: Round[] = []
  for (let i = 0; i < stages.length; i += 1) {
    const at = turn % 2 === 0 ? i : stages.length - 1 - i
    round[at] = await run(stages[at] as Stage)
  }
  return round
}

async function runOne(row: Row, cell: Cell, stage: Stage, { roundMs }: Effort): Promise<Round> {
  await row.runIn(stage)
  const before = await stage.server.cpuMicros()
  const deliveries = await runFor(roundMs, cell, stage)
  const after = await stage.server.cpuMicros()
  return { deliveries, micros: (after - before) / deliveries }
}

async function runFor(ms: number, cell: Cell, stage: Stage): Promise<number> {
  const end = performance.now() + ms
  let deliveries = 0
  do deliveries += await cell.run(stage)
  while (performance.now() < end)
  return deliveries
}

function conclude(contenders: readonly Contender[], rounds: Rounds): Finding[] {
  const baseline = rounds.map((round) => (round[0] as Round).micros)
  return contenders.map((contender, at) => {
    const own = rounds.map((round) => round[at] as Round)
    const micros = own.map((it) => it.micros)
    return {
      contender,
      deliveries: own.reduce((sum, it) => sum + it.deliveries, 0),
      micros,
      cost: spread(micros),
      ratio: spread(micros.map((it, i) => (baseline[i] as number) / it)),
    }
  })
}
