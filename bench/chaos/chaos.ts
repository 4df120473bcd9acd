/**
 * Several nodes over one engine and a crowd of reconnecting clients, while nodes are killed and started again at random,
 * and the engine is killed, hung and started again too: whether anything came twice, in another order, or is missing untold.
 */

import type { ChildProcess } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { seededRandom } from "../../test/support/seeded-random.js"
import { compile } from "../compile.js"
import { check, figure, type Verdict } from "../endurance/trial.js"
import { sleep, Worker, waitUntil } from "../endurance/worker.js"
import { sourceOf } from "../row.js"
import { CARRIER_WORDS, type ChaosCarrier, type ChaosEngine, startEngine } from "./engines.js"
import { type Began, lossesOf, type Published } from "./ledger.js"
import type { CrowdReport, CrowdSettings, NodeReport, NodeSettings } from "./settings.js"

/** How much, how long, and how bad. */
export interface ChaosOptions {
  readonly carrier: ChaosCarrier
  readonly nodes: number
  readonly clients: number
  readonly rooms: number
  readonly seconds: number
  /** Each node publishes one message in such a time, in milliseconds. */
  readonly everyMs: number
  /** The time between two faults, in milliseconds, on average. */
  readonly faultEveryMs: number
  readonly markMs: number
  readonly seed: number
}

/** What was found. */
export interface Chaos {
  readonly options: ChaosOptions
  readonly crowd: CrowdReport
  readonly killed: number
  readonly engineFaults: number
  /** What surviving nodes heard from others, and how many messages they were told are missing. */
  readonly heard: number
  readonly told: number
  readonly misordered: number
  readonly doubled: number
  /** Missing, and not told; and told, but not missing. */
  readonly untold: number
  readonly invented: number
  readonly unhandled: number
  readonly errors: Readonly<Record<string, number>>
}

const NODE = sourceOf("chaos/node-process")
const CROWD = sourceOf("chaos/crowd-process")
const SETTLES_MS = 30_000

/** One run. */
export async function chaos(options: ChaosOptions): Promise<Chaos> {
  await using compiled = await compile([NODE, CROWD])
  await using town = await Town.start(options, compiled.fileOf(NODE))
  const settings = { ports: town.ports, clients: options.clients, rooms: options.rooms }
  await using crowd = await Worker.start({
    file: compiled.fileOf(CROWD),
    settings: settings satisfies CrowdSettings,
  })
  await town.suffer()
  await town.quiet()
  const isBack = async () => (await crowd.ask<CrowdReport>("report")).open === options.clients
  await waitUntil(isBack, "all clients to be back", SETTLES_MS)
  // the ends of quiet streams are told twice
  await waitUntil(async () => (await town.judge()).untold === 0, "", 6 * options.markMs).catch(() => {})
  const { killed, engineFaults } = town
  return { options, killed, engineFaults, ...(await town.judge()), crowd: await crowd.ask("report") }
}

interface Resident extends Began {
  readonly worker: Worker
  readonly name: string
  readonly port: number
}

/** The nodes and their engine. */
class Town implements AsyncDisposable {
  readonly #options: ChaosOptions
  readonly #file: string
  readonly #engine: ChaosEngine
  readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-chaos-"))
  readonly #random: () => number
  readonly #dead = new Map<string, Published>()
  #nodes: Resident[] = []
  #begun = 0
  killed = 0
  engineFaults = 0

  private constructor(options: ChaosOptions, file: string, engine: ChaosEngine) {
    this.#options = options
    this.#file = file
    this.#engine = engine
    this.#random = seededRandom(options.seed)
  }

  static async start(options: ChaosOptions, file: string): Promise<Town> {
    const town = new Town(options, file, await startEngine(options.carrier))
    const slots = Array.from({ length: options.nodes }, () => town.#start(0))
    town.#nodes = await Promise.all(slots)
    return town
  }

  get ports(): readonly number[] {
    return this.#nodes.map(({ port }) => port)
  }

  /** Fault after fault, one at a time, until the time is over. The first is a node's, the second the engine's. */
  async suffer(): Promise<void> {
    const end = performance.now() + this.#options.seconds * 1_000
    for (let turn = 0; ; turn += 1) {
      await sleep(this.#options.faultEveryMs * (0.5 + this.#random()))
      if (performance.now() >= end) return
      if (turn % 3 === 1) await this.#breakEngine(turn)
      else await this.#killNode(Math.floor(this.#random() * this.#nodes.length))
    }
  }

  /** Nobody publishes any more. */
  async quiet(): Promise<void> {
    await Promise.all(this.#nodes.map(({ worker }) => worker.ask("quiet")))
  }

  /** What the nodes that are there have heard, and whether they know what they missed. */
  async judge() {
    const reports = await Promise.all(this.#nodes.map(({ worker }) => worker.ask<NodeReport>("report")))
    const publishers = this.#publishers()
    const sum = (of: (report: NodeReport) => number) => reports.reduce((total, it) => total + of(it), 0)
    const found = { untold: 0, invented: 0, told: 0 }
    for (const [i, { heard, told }] of reports.entries()) {
      const losses = lossesOf(heard, publishers, this.#nodes[i] as Resident)
      for (const [room, count] of Object.entries(told)) {
        const { least, most } = losses.get(room) ?? { least: 0, most: 0 }
        found.told += count
        found.untold += Math.max(0, least - count)
        found.invented += Math.max(0, count - most)
      }
    }
    const errors: Record<string, number> = {}
    for (const report of reports) {
      for (const [code, count] of Object.entries(report.errors)) errors[code] = (errors[code] ?? 0) + count
    }
    return {
      ...found,
      heard: sum((it) => it.received),
      misordered: sum((it) => it.misordered),
      doubled: sum((it) => it.doubled),
      unhandled: sum((it) => it.unhandled),
      errors,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map(({ worker }) => worker[Symbol.asyncDispose]()))
    await this.#engine.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #start(port: number): Promise<Resident> {
    this.#begun += 1
    const name = `node-${this.#begun}`
    const { carrier, rooms, everyMs, markMs } = this.#options
    const settings: NodeSettings = {
      ...{ name, port, carrier, rooms, everyMs, markMs, brokerPort: this.#engine.port },
      diary: this.#diaryOf(name),
    }
    const startedAt = performance.now()
    const onStart = (child: ChildProcess) => this.#engine.adopt(child)
    const worker = await Worker.start({ file: this.#file, settings, onStart })
    const readyAt = performance.now()
    return { worker, name, startedAt, readyAt, port: await worker.ask<number>("port") }
  }

  async #killNode(slot: number): Promise<void> {
    const { worker, name, port, ...began } = this.#nodes[slot] as Resident
    worker.kill("SIGKILL")
    await worker.ended
    this.#dead.set(name, { ...began, isAlive: false, rooms: this.#readDiary(name) })
    await sleep(300 * this.#random())
    this.#nodes[slot] = await this.#start(port)
    this.killed += 1
  }

  /** Killed and started again, or stopped for a while. */
  async #breakEngine(turn: number): Promise<void> {
    const pauseMs = 200 + 400 * this.#random()
    if (turn % 2 === 1) {
      await this.#engine.kill()
      await sleep(pauseMs)
      await this.#engine.restart()
    } else await this.#engine.pause(5 * pauseMs)
    this.engineFaults += 1
    // a node that starts has to find it
    await sleep(this.#options.faultEveryMs / 2)
  }

  #publishers(): ReadonlyMap<string, Published> {
    const living = this.#nodes.map(
      ({ name, startedAt, readyAt }) =>
        [name, { startedAt, readyAt, isAlive: true, rooms: this.#readDiary(name) }] as const,
    )
    return new Map([...this.#dead, ...living])
  }

  #diaryOf(name: string): string {
    return join(this.#folder, name)
  }

  #readDiary(name: string): Readonly<Record<string, number>> {
    return JSON.parse(readFileSync(this.#diaryOf(name), "utf8") || "{}")
  }
}

/** What is said about it. */
export function judgeChaos(found: Chaos): Verdict {
  const { options, crowd, killed, engineFaults } = found
  const zero = (what: string, count: number) => check(what, count, "0", count === 0)
  const { carrier, nodes, clients, rooms, seconds, everyMs } = options
  const { name, hung } = CARRIER_WORDS[carrier]
  const command = carrier === "redis" ? "npm run chaos" : `npm run chaos -- ${carrier}`
  return {
    sentence: `${nodes} nodes over ${name}, each publishing to one of ${rooms} rooms every ${everyMs} ms, and ${clients} reconnecting clients that go to any of them, for ${seconds} s, while nodes are killed (SIGKILL) and started again at random, and ${name} is killed, ${hung} and started again in between: \`${command}\`.`,
    checks: [
      figure("nodes killed", killed),
      figure(`times ${name} was killed or hung`, engineFaults),
      check("clients open at the end", crowd.open, `${clients}`, crowd.open === clients),
      figure("sessions of clients", crowd.sessions),
      figure("messages received by clients", crowd.received),
      zero("received by a client out of order, by room and publisher", crowd.misordered),
      zero("received by a client twice", crowd.doubled),
      figure("told to clients as missing, in-band", crowd.told),
      zero("missing within a session of a client, and not told", crowd.untold),
      figure("messages from other nodes, on the nodes that lived to the end", found.heard),
      figure("counted by their adapters as lost", found.told),
      zero("out of order or twice", found.misordered + found.doubled),
      zero("lost and not counted", found.untold),
      zero("counted and not lost", found.invented),
      zero("promises that nobody handled", found.unhandled),
    ],
  }
}
