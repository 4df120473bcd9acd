/**
 * Brokers as processes of their own on free ports of 127.0.0.1, and labs that break them.
 */

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Adapter } from "holdfast"
import type { AdapterFaults, AdapterLab } from "holdfast/testing"
import { BrokerProxy } from "./adapters-proxy.js"
import { inTime, until } from "./deadline.js"

/** How a broker is started. */
export interface EngineKind {
  readonly program: string
  /** Its arguments, for a port and a folder of its own. */
  args(port: number, folder: string): readonly string[]
  /** What it prints once it takes connections. A group of it is the port, where the program chooses that itself. */
  readonly ready: RegExp
}

/** What brokers print when they cannot have their port; that of a Redis Cluster needs another, 10,000 above. */
const PORT_UNFIT = /address already in use|port number too high/i

/** How long a broker may take to start, in milliseconds. */
const START_MS = 30_000

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Whether a thread is stopped: its state follows its name, which is in parentheses. */
function isStopped(task: string): boolean {
  return /\) T /.test(readFileSync(`${task}/stat`, "latin1"))
}

/** One broker. */
export class Engine {
  /** Where it listens. One that chooses for itself has another after each start. */
  port: number
  readonly #kind: EngineKind
  readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-engine-"))
  #process: ChildProcess | undefined

  private constructor(kind: EngineKind, port: number) {
    this.#kind = kind
    this.port = port
  }

  static async start(kind: EngineKind): Promise<Engine> {
    const engine = new Engine(kind, await freePort())
    await engine.#tryFor(START_MS, async () => {
      // somebody else was quicker
      engine.port = await freePort()
    })
    return engine
  }

  /** Starts it again, on the same port where it did not choose that itself. */
  async restart(): Promise<void> {
    await this.#tryFor(START_MS, () => sleep(100))
  }

  /** A port that was free a moment ago may be taken now, also by a line of the one that was killed. */
  async #tryFor(ms: number, beforeAgain: () => Promise<void>): Promise<void> {
    const end = performance.now() + ms
    for (;;) {
      try {
        await this.#launch()
        return
      } catch (error) {
        await this.kill()
        if (!PORT_UNFIT.test(String(error)) || performance.now() > end) throw error
        await beforeAgain()
      }
    }
  }

  async #launch(): Promise<void> {
    const { program, args, ready } = this.#kind
    const child = spawn(program, args(this.port, this.#folder), { stdio: ["ignore", "pipe", "pipe"] })
    this.#process = child
    let printed = ""
    const isReady = new Promise<void>((resolve, reject) => {
      const look = (text: Buffer) => {
        printed += text
        const match = ready.exec(printed)
        if (!match) return
        if (match[1]) this.port = Number(match[1])
        resolve()
      }
      child.stdout?.on("data", look)
      child.stderr?.on("data", look)
      child.on("error", reject)
      child.on("close", () => reject(new Error(`${program} ended: ${printed}`)))
    })
    await inTime(isReady, `${program} to take connections`, START_MS)
  }

  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill("SIGKILL")
    await inTime(once(child, "exit"), "the broker to end")
  }

  /** Where the system tells, it hangs when this resolves: until then some of its threads may still answer. */
  async hang(): Promise<void> {
    const child = this.#process
    child?.kill("SIGSTOP")
    const tasks = `/proc/${child?.pid}/task`
    if (existsSync(tasks))
      await until(() => readdirSync(tasks).every((id) => isStopped(`${tasks}/${id}`)), "the broker to hang")
  }

  resume(): void {
    this.#process?.kill("SIGCONT")
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** A lab over a broker of its own, behind a proxy, and its end. */
export async function engineLab(
  kind: EngineKind,
  makeAdapter: (port: number) => Adapter,
): Promise<{ readonly lab: AdapterLab; stop(): Promise<void> }> {
  const engine = await Engine.start(kind)
  const proxy = await BrokerProxy.start(() => engine.port)
  const faults: AdapterFaults = {
    kill: () => engine.kill(),
    restart: () => engine.restart(),
    hang: () => engine.hang(),
    resume: () => engine.resume(),
    cut: () => proxy.cut(),
    blackHole: () => proxy.blackHole(),
    heal: () => proxy.heal(),
    slow: (ms) => proxy.slow(ms),
  }
  return {
    lab: { makeAdapter: () => makeAdapter(proxy.port), faults, patienceMs: 8_000 },
    async stop() {
      await proxy.stop()
      await engine.stop()
    },
  }
}
