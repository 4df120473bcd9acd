/**
 * A server in a process of its own, seen from the process that measures: its life and its commands. What it serves
 * is the business of its file.
 */

import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import type { Command, Report } from "./servers/serve.js"

const DEADLINE_MS = 10_000

/** A running server. Ended by {@link ServerProcess.stop}, and by the end of this process. */
export class ServerProcess {
  readonly #child: ChildProcess
  #port = 0

  private constructor(file: string, nodeOptions: readonly string[]) {
    this.#child = fork(file, { execArgv: [...nodeOptions], stdio: ["ignore", "inherit", "inherit", "ipc"] })
  }

  /** Starts a compiled server. Resolves when it can be connected to. */
  static async start(file: string, nodeOptions: readonly string[] = []): Promise<ServerProcess> {
    const server = new ServerProcess(file, nodeOptions)
    try {
      server.#port = await server.#next("port")
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  /** The port it listens on. */
  get port(): number {
    return this.#port
  }

  /** Makes it publish so many messages in one go. */
  publish(count: number): void {
    this.#tell({ do: "publish", count })
  }

  /** The CPU time it has used since it started, in microseconds. */
  async cpuMicros(): Promise<number> {
    this.#tell({ do: "report" })
    return this.#next("cpuMicros")
  }

  /** Ends it and waits until it has ended. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, "exit")
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), DEADLINE_MS)
    await ended
    clearTimeout(timer)
  }

  #tell(command: Command): void {
    // where it cannot be told, it has ended, which whoever waits for it will notice
    this.#child.send(command, () => {})
  }

  /** One value of the next report. Rejects when the process ends first or takes too long. */
  async #next(name: "port" | "cpuMicros"): Promise<number> {
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(DEADLINE_MS)])
    const ended = once(this.#child, "exit", { signal }).then(() => {
      throw new Error("the server ended")
    })
    try {
      const [report] = (await Promise.race([once(this.#child, "message", { signal }), ended])) as [Report]
      if (name in report) return (report as Record<typeof name, number>)[name]
      throw new Error(`expected ${name}, got ${JSON.stringify(report)}`)
    } finally {
      ended.catch(() => {})
      over.abort()
    }
  }
}
