/**
 * Workers for tests: processes of `node:cluster`, threads, and ports whose way to the exchange can be broken.
 */

import cluster, { type Worker as ClusterWorker } from "node:cluster"
import { once } from "node:events"
import { fileURLToPath, pathToFileURL } from "node:url"
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads"
import { createExchange, type Exchange, worker } from "holdfast/adapters/cluster"
import type { AdapterFaults, AdapterLab } from "holdfast/testing"
import { RemoteWorker } from "./adapters-remote.js"
import { QUICK } from "./adapters-suite.js"
import { inTime } from "./deadline.js"

const PROGRAM = fileURLToPath(new URL("./adapters-worker-process.ts", import.meta.url))
const EXEC_ARGV = ["--import", "tsx"]

/** Node 20 takes no loader for a thread on its command line. */
const THREAD = `require("tsx/esm/api").register(); import(${JSON.stringify(pathToFileURL(PROGRAM).href)})`

/** A worker process, with the adapters in it. */
export interface WorkerProcess {
  readonly process: ClusterWorker
  readonly remote: RemoteWorker
}

/** Starts a worker of `node:cluster`. The exchange has to be there. */
export async function forkWorker(serialization: "advanced" | "json" = "advanced"): Promise<WorkerProcess> {
  cluster.setupPrimary({ exec: PROGRAM, execArgv: EXEC_ARGV, serialization, silent: false })
  const forked = cluster.fork()
  await inTime(isReady(forked), "the worker to start", 15_000)
  return {
    process: forked,
    remote: new RemoteWorker({
      post: (message) => void forked.send(message as never, () => {}),
      onMessage: (listener) => void forked.on("message", listener),
    }),
  }
}

/** Resolves at a worker's first word. */
function isReady(started: ClusterWorker | Worker): Promise<unknown> {
  return new Promise((resolve) => {
    const listen = (message: unknown) => {
      if (message !== "ready") return
      started.off("message", listen)
      resolve(message)
    }
    started.on("message", listen)
  })
}

/** Ends a worker, if it has not ended. */
export async function killWorker({ process: forked }: WorkerProcess): Promise<void> {
  if (forked.isDead()) return
  const ended = once(forked, "exit")
  forked.process.kill("SIGKILL")
  await inTime(ended, "the worker to end")
}

/** Starts a worker thread, and gives it to an exchange. */
export async function startThread(exchange: Exchange) {
  const thread = new Worker(THREAD, { eval: true, execArgv: [] })
  exchange.add(thread)
  await inTime(isReady(thread), "the thread to start", 15_000)
  const remote = new RemoteWorker({
    post: (message) => thread.postMessage(message),
    onMessage: (listener) => void thread.on("message", listener),
  })
  return { thread, remote }
}

/** One end of a channel, whose messages can be held, lost or slowed down both ways. */
class BreakablePort {
  readonly #port: MessagePort
  readonly #fate: Fate
  readonly #listeners = new Map<unknown, (message: unknown) => void>()

  constructor(port: MessagePort, fate: Fate) {
    this.#port = port
    this.#fate = fate
  }

  postMessage(message: { link: string }, transfer?: readonly ArrayBuffer[]): void {
    this.#fate.pass(message, () => this.#port.postMessage(message, transfer as ArrayBuffer[]))
  }

  on(event: string, listener: (message: unknown) => void): void {
    if (event !== "message") return
    const through = (message: unknown) =>
      this.#fate.pass(message as { link: string }, () => {
        if (this.#listeners.get(listener) === through) listener(message)
      })
    this.#listeners.set(listener, through)
    this.#port.on("message", through)
  }

  off(event: string, listener: (message: unknown) => void): void {
    if (event !== "message") return
    this.#port.off("message", this.#listeners.get(listener) ?? (() => {}))
    this.#listeners.delete(listener)
  }
}

/** What becomes of the messages on all ports of a lab. */
class Fate {
  readonly #dead = new Set<string>()
  #held: (() => void)[] | undefined
  isHole = false
  latencyMs = 0

  pass({ link }: { readonly link: string }, go: () => void): void {
    // a link that sent or heard something in the hole is lost for good
    if (this.isHole) this.#dead.add(link)
    if (this.#dead.has(link)) return
    if (this.#held) this.#held.push(go)
    else if (this.latencyMs > 0) setTimeout(go, this.latencyMs)
    else go()
  }

  hold(): void {
    this.#held = []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const go of held) go()
  }
}

/** A lab over an exchange in this thread, with every fault. */
export function exchangeLab(): { readonly lab: AdapterLab; stop(): void } {
  const fate = new Fate()
  const ports: MessagePort[] = []
  const ends: BreakablePort[] = []
  let exchange: Exchange | undefined = createExchange()
  const open = () => {
    exchange = createExchange()
    for (const end of ends) exchange.add(end)
  }
  const close = () => {
    exchange?.close()
    exchange = undefined
  }
  const faults: AdapterFaults = {
    kill: close,
    restart: open,
    hang: () => fate.hold(),
    resume: () => fate.release(),
    cut() {
      close()
      open()
    },
    blackHole() {
      fate.isHole = true
    },
    heal() {
      fate.isHole = false
    },
    slow(ms) {
      fate.latencyMs = ms
    },
  }
  const makeAdapter = () => {
    const { port1, port2 } = new MessageChannel()
    ports.push(port1, port2)
    const end = new BreakablePort(port2, fate)
    ends.push(end)
    exchange?.add(end)
    return worker({ ...QUICK, port: port1 })
  }
  return {
    lab: { makeAdapter, faults, patienceMs: 8_000 },
    stop() {
      close()
      for (const port of ports) port.close()
    },
  }
}
