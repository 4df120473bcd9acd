/**
 * What the nodes of the trial speak through: a broker in a process of its own, or an exchange in this one. Each can be
 * killed, started again where it was, and stopped for a while.
 */

import type { ChildProcess } from "node:child_process"
import { createExchange, type Exchange } from "holdfast/adapters/cluster"
import { Engine, type EngineKind } from "../../test/support/adapters-engine.js"
import { natsServer } from "../../test/support/adapters-nats.js"
import { redisServer } from "../../test/support/adapters-redis.js"
import { sleep } from "../endurance/worker.js"

/** What can carry the messages. */
export const CARRIERS = ["redis", "nats", "cluster"] as const

/** One of them. */
export type ChaosCarrier = (typeof CARRIERS)[number]

/** One engine. */
export interface ChaosEngine {
  /** Where nodes find it, where it has a port. */
  readonly port: number
  /** A node was started, and speaks through it from now on. */
  adopt(node: ChildProcess): void
  kill(): Promise<void>
  restart(): Promise<void>
  /** It does nothing for so long, in milliseconds, and goes on. */
  pause(ms: number): Promise<void>
  stop(): Promise<void>
}

/** What an engine is called, and how it hangs. */
export const CARRIER_WORDS: Readonly<Record<ChaosCarrier, { readonly name: string; readonly hung: string }>> =
  {
    redis: { name: "Redis", hung: "hung (SIGSTOP)" },
    nats: { name: "the NATS server", hung: "hung (SIGSTOP)" },
    cluster: { name: "the exchange of the primary", hung: "hung (the event loop stands still)" },
  }

/** Starts an engine. */
export async function startEngine(carrier: ChaosCarrier): Promise<ChaosEngine> {
  if (carrier === "cluster") return new PrimaryEngine()
  return startBroker(carrier === "nats" ? natsServer() : redisServer())
}

async function startBroker(kind: EngineKind): Promise<ChaosEngine> {
  const engine = await Engine.start(kind)
  return {
    port: engine.port,
    adopt() {},
    kill: () => engine.kill(),
    restart: () => engine.restart(),
    async pause(ms) {
      await engine.hang()
      await sleep(ms)
      engine.resume()
    },
    stop: () => engine.stop(),
  }
}

/** This process is the primary of the nodes. */
class PrimaryEngine implements ChaosEngine {
  readonly port = 0
  readonly #nodes = new Set<ChildProcess>()
  #exchange: Exchange | undefined = createExchange()

  adopt(node: ChildProcess): void {
    this.#nodes.add(node)
    node.once("exit", () => this.#nodes.delete(node))
    this.#exchange?.add(node)
  }

  async kill(): Promise<void> {
    this.#exchange?.close()
    this.#exchange = undefined
  }

  async restart(): Promise<void> {
    this.#exchange = createExchange()
    for (const node of this.#nodes) this.#exchange.add(node)
  }

  async pause(ms: number): Promise<void> {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  }

  async stop(): Promise<void> {
    await this.kill()
  }
}
