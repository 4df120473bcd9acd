/**
 * How long things take: a message to everybody when nothing else happens, and an echo while bursts go to everybody.
 */

import { SERVERS, type ServerContender } from "../contenders.js"
import { crowdOf } from "../crowd-stage.js"
import type { Crowd } from "../load/crowd.js"
import type { Latency } from "../load/listeners.js"
import type { Program } from "../program.js"
import { type Cell, type Row, type Stage, sourceOf } from "../row.js"
import { p99 } from "../statistics.js"

/** A server with two crowds: one that listens, in a process of its own, and one whose messages come back. */
interface MixedStage extends Stage {
  readonly server: Program
  readonly listeners: Program
  readonly echoers: Crowd
  readonly clock: EchoClock
}

/** Tails take more time to see than means, and those of bursts more than those of a steady flow. */
const PACED_FACTOR = 5
const BURSTS_FACTOR = 10
/** So many messages go to everybody in one burst, and how often. */
const BURST = 10
const BURST_EVERY_MS = 100
/** How often each of the echoing connections sends. */
const ECHO_EVERY_MS = 50
const TICK_MS = 1

/** The slowest of a hundred. */
export const mixed: Row<MixedStage, ServerContender> = {
  name: "mixed",
  title: "Latency",
  quantity: "The time that all but 1 in 100 deliveries take at most",
  unit: "ms",
  contenders: [SERVERS.ws, SERVERS.wsAgain, SERVERS.socketIo, SERVERS.crossws, SERVERS.bun, SERVERS.holdfast],
  helpers: [sourceOf("load/listeners")],
  cells: [
    {
      name: "paced",
      title: "1 message to all, then wait",
      rounds: 4,
      async round({ listeners }, ms) {
        const { count, p99Ms } = await listeners.ask<Latency>("publish", ms * PACED_FACTOR)
        return { count, value: p99Ms }
      },
    },
    echoingAmidBursts(),
  ],
  async open(launcher) {
    const server = await launcher.start()
    const listeners = await launcher.help(sourceOf("load/listeners"))
    const port = await server.ask<number>("port")
    const { dialect = "plain" } = launcher.contender
    await listeners.ask("connect", { port, size: launcher.clients, dialect })
    const clock = new EchoClock()
    const echoers = await crowdOf(
      server,
      { ...launcher, clients: Math.ceil(launcher.clients * 0.4) },
      { role: "echo", heard: (client) => clock.heard(client) },
    )
    return {
      server,
      listeners,
      echoers,
      clock,
      async close() {
        echoers.close()
        await Promise.all([listeners.stop(), server.stop()])
      },
    }
  },
}

/** When messages left, and how long they were away. */
class EchoClock {
  readonly #sentAt: number[][] = []
  #latencies: number[] = []

  sent(client: number): void {
    const times = this.#sentAt[client]
    if (times) times.push(performance.now())
    else this.#sentAt[client] = [performance.now()]
  }

  /** They come back in order. */
  heard(client: number): void {
    this.#latencies.push(performance.now() - (this.#sentAt[client]?.shift() ?? 0))
  }

  /** All since the last time. */
  take(): number[] {
    const taken = this.#latencies
    this.#latencies = []
    return taken
  }
}

function echoingAmidBursts(): Cell<MixedStage> {
  return {
    name: "echo",
    title: "echo, amid bursts of 10 to all",
    rounds: 2,
    async round(stage, ms) {
      const each = Math.max(1, Math.floor((ms * BURSTS_FACTOR) / ECHO_EVERY_MS))
      const echoed = echoEach(stage, each)
      await Promise.all([echoed, burstUntil(stage, echoed)])
      const latencies = stage.clock.take()
      return { count: latencies.length, value: p99(latencies) }
    },
  }
}

/** Every connection sends so many messages at its own moments, whether the last one is back or not. */
async function echoEach({ echoers, clock }: MixedStage, each: number): Promise<void> {
  const received = echoers.receive(each)
  const start = performance.now()
  const every = ECHO_EVERY_MS / echoers.size
  for (let sent = 0; sent < each * echoers.size; ) {
    for (; sent < each * echoers.size && performance.now() - start >= sent * every; sent += 1) {
      const client = sent % echoers.size
      clock.sent(client)
      echoers.send(client)
    }
    await pause(TICK_MS)
  }
  await received
}

async function burstUntil({ server, listeners }: MixedStage, done: Promise<void>): Promise<void> {
  let isDone = false
  const end = done.finally(() => {
    isDone = true
  })
  while (!isDone) {
    const received = listeners.ask("receive", BURST)
    server.tell("publish", BURST)
    await Promise.all([received, Promise.race([end, pause(BURST_EVERY_MS)])])
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
