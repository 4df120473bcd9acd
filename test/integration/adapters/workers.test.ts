import cluster from "node:cluster"
import type { Worker } from "node:worker_threads"
import { createExchange, type Exchange } from "holdfast/adapters/cluster"
import { type AdapterCase, adapterCases } from "holdfast/testing"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { AdapterNode } from "../../support/adapters-node.js"
import type { RemoteWorker } from "../../support/adapters-remote.js"
import { inLanes, PATIENT } from "../../support/adapters-suite.js"
import {
  exchangeLab,
  forkWorker,
  killWorker,
  startThread,
  type WorkerProcess,
} from "../../support/adapters-workers.js"
import { until } from "../../support/deadline.js"

const BEHAVIOURS = adapterCases.filter(({ needs }) => needs.length === 0)
const FAULTS = adapterCases.filter(({ needs }) => needs.length > 0)

/** A test for each case, all begun by what is returned. */
function suite(cases: readonly AdapterCase[], lanes: number) {
  let outcomes = new Map<AdapterCase, Promise<void>>()
  it.each(cases)("$name", { timeout: 30_000 }, async (adapterCase) => {
    await outcomes.get(adapterCase)
  })
  return (run: (adapterCase: AdapterCase) => Promise<void>) => {
    outcomes = inLanes(cases, lanes, run)
  }
}

/** Runs a case whose nodes are spread over workers. */
const over = (workers: readonly RemoteWorker[]) => {
  let made = 0
  const makeAdapter = () => {
    made += 1
    return (workers[made % workers.length] as RemoteWorker).makeAdapter(PATIENT)
  }
  return ({ run }: AdapterCase) => run({ makeAdapter, patienceMs: 10_000 })
}

/** All at once, so that their waiting overlaps. */
const starts: (() => Promise<void>)[] = []
beforeAll(async () => void (await Promise.all(starts.map((start) => start()))), 60_000)

describe("workers of node:cluster", () => {
  const start = suite(BEHAVIOURS, 6)
  let exchange: Exchange
  let workers: WorkerProcess[] = []

  starts.push(async () => {
    exchange = createExchange(cluster)
    workers = await Promise.all([forkWorker(), forkWorker()])
    start(over(workers.map(({ remote }) => remote)))
  })

  afterAll(async () => {
    await Promise.all(workers.map(killWorker))
    exchange.close()
  })

  it("go on when one is killed with SIGKILL, and what it did not send is no message", async () => {
    const [here, there] = workers as [WorkerProcess, WorkerProcess]
    const doomed = await forkWorker()
    const { workers: before } = exchange.stats
    const start = async ({ remote }: WorkerProcess, ...channels: string[]) =>
      AdapterNode.start(await remote.makeAdapter(PATIENT), ...channels)
    const [speaker, hearer, gone] = await Promise.all([
      start(here),
      start(there, "room:a"),
      start(doomed, "room:a", "room:only-here"),
    ])
    const subjects = exchange.stats.subjects
    for (let i = 0; i < 50; i += 1) void gone.publish("room:a", `last words ${i}`).catch(() => {})
    await until(() => hearer.texts.length > 0, "its first words")
    await killWorker(doomed)
    await until(() => exchange.stats.workers === before - 1, "the exchange to notice")
    expect(exchange.stats.subjects).toBeLessThan(subjects)
    await speaker.publish("room:a", "we go on")
    await until(() => hearer.texts.at(-1) === "we go on", "the message")
    const last = hearer.texts.slice(0, -1)
    expect(last).toEqual(last.map((_, i) => `last words ${i}`))
    await Promise.all([speaker.close(), hearer.close()])
  })
})

describe("worker threads", () => {
  const start = suite(BEHAVIOURS, 6)
  let exchange: Exchange
  let threads: { readonly thread: Worker; readonly remote: RemoteWorker }[] = []

  starts.push(async () => {
    exchange = createExchange()
    threads = await Promise.all([startThread(exchange), startThread(exchange)])
    start(over(threads.map(({ remote }) => remote)))
  })

  afterAll(async () => {
    await Promise.all(threads.map(({ thread }) => thread.terminate()))
    await until(() => exchange.stats.workers === 0, "the exchange to forget them")
    exchange.close()
  })

  it("are forgotten when they end, with all they wanted", async () => {
    const { thread, remote } = await startThread(exchange)
    const node = await AdapterNode.start(await remote.makeAdapter(PATIENT), "room:only-in-this-thread")
    const { workers, subjects } = exchange.stats
    await thread.terminate()
    await until(() => exchange.stats.workers === workers - 1, "the exchange to notice")
    expect(exchange.stats.subjects).toBeLessThan(subjects)
    expect(node.texts).toEqual([])
  })
})

describe("an exchange that fails", () => {
  const start = suite(FAULTS, FAULTS.length)

  starts.push(async () => {
    start(async ({ run }) => {
      const { lab, stop } = exchangeLab()
      try {
        await run(lab)
      } finally {
        stop()
      }
    })
  })
})
