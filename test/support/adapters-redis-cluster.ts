/**
 * A Redis Cluster of three masters, as processes of their own.
 */

import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { ensureProgram } from "../../scripts/debian-packages.js"
import { Engine } from "./adapters-engine.js"
import { redisServer } from "./adapters-redis.js"
import { inTime } from "./deadline.js"

const run = promisify(execFile)

/** Three masters. */
export class RedisCluster {
  readonly nodes: readonly Engine[]

  private constructor(nodes: readonly Engine[]) {
    this.nodes = nodes
  }

  static async start(): Promise<RedisCluster> {
    const kind = redisServer("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
    const nodes = await Promise.all([1, 2, 3].map(() => Engine.start(kind)))
    const cluster = new RedisCluster(nodes)
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
    await run(redisCli(), ["--cluster", "create", ...addresses, "--cluster-yes"])
    await cluster.isWhole()
    return cluster
  }

  get ports(): readonly number[] {
    return this.nodes.map(({ port }) => port)
  }

  /** Sends a command to one node. */
  async command(port: number, ...args: string[]): Promise<string> {
    const { stdout } = await run(redisCli(), ["-p", `${port}`, ...args])
    return stdout.trim()
  }

  /** Waits until every node says that the cluster is well. */
  async isWhole(): Promise<void> {
    const ask = async () => {
      for (const { port } of this.nodes) {
        while (!(await this.command(port, "CLUSTER", "INFO")).includes("cluster_state:ok")) {
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }
    }
    await inTime(ask(), "the Redis cluster to be whole", 10_000)
  }

  /** The port of the node that has a slot. */
  async portOf(slot: number): Promise<number> {
    const slots = await this.command(this.ports[0] as number, "--json", "CLUSTER", "SLOTS")
    const ranges: [number, number, [string, number]][] = JSON.parse(slots)
    const range = ranges.find(([from, to]) => from <= slot && slot <= to)
    if (!range) throw new Error(`nobody has slot ${slot}`)
    return range[2][1]
  }

  /** Moves a slot without keys to another node. */
  async move(slot: number, from: number, to: number): Promise<void> {
    const [fromId, toId] = [
      await this.command(from, "CLUSTER", "MYID"),
      await this.command(to, "CLUSTER", "MYID"),
    ]
    await this.command(to, "CLUSTER", "SETSLOT", `${slot}`, "IMPORTING", fromId)
    await this.command(from, "CLUSTER", "SETSLOT", `${slot}`, "MIGRATING", toId)
    for (const port of [to, from, ...this.ports]) {
      await this.command(port, "CLUSTER", "SETSLOT", `${slot}`, "NODE", toId)
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }
}

function redisCli(): string {
  return ensureProgram("redis-cli", "redis-tools")
}
