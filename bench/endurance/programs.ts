/**
 * The programs that take part in trials, compiled once for each trial.
 */

import { fileURLToPath } from "node:url"
import { compile } from "../compile.js"
import { SERVERS } from "../contenders.js"
import type { ClientSettings } from "./client-settings.js"
import type { ServerSettings } from "./server-settings.js"
import { Worker } from "./worker.js"

const source = (name: string) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))
const SOURCES = {
  server: source("server-process"),
  raw: source("raw-process"),
  clients: source("clients-process"),
  switch: source("switch-process"),
  ws: SERVERS.ws.source,
}

/** Starts programs, and ends all of them when it is disposed of. */
export class Programs implements AsyncDisposable {
  readonly #compiled: Awaited<ReturnType<typeof compile>>
  readonly #workers: Worker[] = []

  private constructor(compiled: Awaited<ReturnType<typeof compile>>) {
    this.#compiled = compiled
  }

  /** Compiles them. */
  static async compile(): Promise<Programs> {
    return new Programs(await compile(Object.values(SOURCES)))
  }

  /** A server, and the port it listens on. */
  async server(settings: ServerSettings = {}): Promise<{ server: Worker; port: number }> {
    const server = await this.#start("server", settings, true)
    return { server, port: await server.ask<number>("port") }
  }

  /** The plain `ws` server of the bench. */
  async ws(): Promise<{ server: Worker; port: number }> {
    const server = await this.#start("ws", {}, true)
    return { server, port: await server.ask<number>("port") }
  }

  /** Raw connections. */
  raw(): Promise<Worker> {
    return this.#start("raw", {})
  }

  /** Reconnecting clients, shared out over two processes: one alone would be what is measured. */
  async crowd(port: number, count: number, settings: ClientSettings = {}): Promise<readonly Worker[]> {
    const half = Math.floor(count / 2)
    const shares = [count - half, half].filter((it) => it > 0)
    return Promise.all(
      shares.map(async (share, i) => {
        const worker = await this.#start("clients", { ...settings, name: `${i}` } satisfies ClientSettings)
        await worker.ask("open", { port, count: share })
        return worker
      }),
    )
  }

  /** Something in front of servers that hands each new connection to one that is ready. Resolves with its port. */
  async switch(ports: readonly number[]): Promise<number> {
    const balancer = await this.#start("switch", {})
    await balancer.ask("use", ports)
    return balancer.ask<number>("port")
  }

  /** Ends all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((it) => it[Symbol.asyncDispose]()))
    await this.#compiled[Symbol.asyncDispose]()
  }

  async #start(name: keyof typeof SOURCES, settings: object, hasGarbageCollector = false): Promise<Worker> {
    const worker = await Worker.start({
      file: this.#compiled.fileOf(SOURCES[name]),
      settings,
      hasGarbageCollector,
    })
    this.#workers.push(worker)
    return worker
  }
}
