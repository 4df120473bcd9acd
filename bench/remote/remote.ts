/**
 * What a message costs that is published on one node and delivered to a member on another, over each engine, beside
 * socket.io over the same Redis; and what a third node receives that has no member.
 */

import { createExchange } from "holdfast/adapters/cluster"
import { Engine } from "../../test/support/adapters-engine.js"
import { kafkaBroker } from "../../test/support/adapters-kafka.js"
import { natsServer } from "../../test/support/adapters-nats.js"
import { BrokerProxy } from "../../test/support/adapters-proxy.js"
import { redisServer } from "../../test/support/adapters-redis.js"
import { compile } from "../compile.js"
import { sleep, Worker, waitUntil } from "../endurance/worker.js"
import type { Usage } from "../orders.js"
import { sourceOf } from "../row.js"
import { spread } from "../statistics.js"
import { Member } from "./member.js"
import type { Carrier, RemoteSettings } from "./settings.js"

/** One way of carrying messages. */
interface Contender {
  readonly title: string
  readonly carrier: Carrier
  readonly source: string
  readonly engine?: () => Promise<Engine>
}

const HOLDFAST = sourceOf("remote/holdfast-process")
const SOCKET_IO = sourceOf("remote/socket-io-process")

/** All of them. */
export const CONTENDERS: readonly Contender[] = [
  {
    title: "socket.io, `@socket.io/redis-adapter` with `ioredis`",
    ...{ carrier: "ioredis", source: SOCKET_IO, engine: () => Engine.start(redisServer()) },
  },
  {
    title: "holdfast, Redis with `ioredis`",
    ...{ carrier: "ioredis", source: HOLDFAST, engine: () => Engine.start(redisServer()) },
  },
  {
    title: "holdfast, Redis with `@redis/client`",
    ...{ carrier: "redis", source: HOLDFAST, engine: () => Engine.start(redisServer()) },
  },
  {
    title: "holdfast, NATS",
    ...{ carrier: "nats", source: HOLDFAST, engine: () => Engine.start(natsServer()) },
  },
  { title: "holdfast, node:cluster", ...{ carrier: "cluster", source: HOLDFAST } },
  {
    title: "holdfast, Kafka (a mocked broker)",
    ...{ carrier: "kafka", source: HOLDFAST, engine: () => Engine.start(kafkaBroker()) },
  },
]

/** How much is measured. */
export interface RemoteOptions {
  readonly messages: number
  readonly rounds: number
  /** How often all are measured in turns: the machine is not the same all the time. */
  readonly laps: number
}

/** What was found about one of them. */
export interface RemoteFinding {
  readonly title: string
  /** CPU time of both nodes for each message, in microseconds: one value for each round. */
  readonly cpuMicros: readonly number[]
  readonly perSecond: readonly number[]
  /** Bytes a node without a member receives for each message; `undefined` where there is no broker to receive from. */
  readonly idleBytes: number | undefined
  /** The CPU time beside that of the first one in the same lap: one value for each lap. */
  readonly ratios: readonly number[]
}

type Measured = Omit<RemoteFinding, "title" | "ratios">

/** So many messages are on their way at most, and so many are published at once. */
const WINDOW = 1_000
const BURST = 200
const DEADLINE_MS = 60_000
const BASELINE_MS = 1_000

/** Measures them, one after the other. */
export async function remote(
  options: RemoteOptions,
  contenders = CONTENDERS,
): Promise<readonly RemoteFinding[]> {
  await using compiled = await compile([HOLDFAST, SOCKET_IO])
  const laps: Measured[][] = []
  for (let lap = 0; lap < options.laps; lap += 1) {
    const measured: Measured[] = []
    for (const it of contenders) measured.push(await measure(it, compiled.fileOf(it.source), options))
    laps.push(measured)
  }
  return contenders.map(({ title }, i) => ({ title, ...summed(laps, i) }))
}

function summed(laps: readonly (readonly Measured[])[], i: number): Omit<RemoteFinding, "title"> {
  const own = laps.map((lap) => lap[i] as Measured)
  const cpuOf = (it: Measured | undefined) => spread(it?.cpuMicros ?? []).median
  const idle = own.flatMap(({ idleBytes }) => idleBytes ?? [])
  return {
    cpuMicros: own.flatMap(({ cpuMicros }) => cpuMicros),
    perSecond: own.flatMap(({ perSecond }) => perSecond),
    idleBytes: idle.length > 0 ? spread(idle).median : undefined,
    ratios: laps.map((lap) => cpuOf(lap[i]) / cpuOf(lap[0])),
  }
}

async function measure(contender: Contender, file: string, options: RemoteOptions): Promise<Measured> {
  const ends: (() => unknown)[] = []
  try {
    return await measureUntil(ends, contender, file, options)
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

async function measureUntil(
  ends: (() => unknown)[],
  { carrier, source, engine: startEngine }: Contender,
  file: string,
  { messages, rounds }: RemoteOptions,
): Promise<Measured> {
  const engine = await startEngine?.()
  ends.push(() => engine?.stop())
  const exchange = createExchange()
  ends.push(() => exchange.close())
  const start = async (brokerPort: number) => {
    const settings: RemoteSettings = { carrier, brokerPort }
    const worker = await Worker.start({ file, settings, onStart: (child) => exchange.add(child) })
    ends.push(() => worker[Symbol.asyncDispose]())
    return worker
  }
  const proxy = engine && (await BrokerProxy.start(() => engine.port))
  ends.push(() => proxy?.stop())
  const [near, far] = await Promise.all([start(engine?.port ?? 0), start(engine?.port ?? 0)])
  if (proxy) await start(proxy.port)
  const member = await Member.join(await far.ask<number>("port"), source === SOCKET_IO)
  ends.push(() => member.close())
  // compiled and warm
  await flow(near, member, Math.ceil(messages / 4))
  const perSecond: number[] = []
  const cpuMicros: number[] = []
  const quietBytesPerMs = proxy ? await bytesPerMs(proxy) : 0
  let idleBytes = 0
  for (let round = 0; round < rounds; round += 1) {
    const [before, bytes, startedAt] = [await used(near, far), proxy?.bytesBack ?? 0, performance.now()]
    await flow(near, member, messages)
    const tookMs = performance.now() - startedAt
    cpuMicros.push(((await used(near, far)) - before) / messages)
    perSecond.push((messages / tookMs) * 1_000)
    idleBytes += (proxy?.bytesBack ?? 0) - bytes - quietBytesPerMs * tookMs
  }
  const each = Math.max(0, idleBytes / (messages * rounds))
  return { cpuMicros, perSecond, idleBytes: proxy ? each : undefined }
}

/** What comes while nobody publishes: what nodes say to each other. */
async function bytesPerMs(proxy: BrokerProxy): Promise<number> {
  const before = proxy.bytesBack
  await sleep(BASELINE_MS)
  return (proxy.bytesBack - before) / BASELINE_MS
}

/** So many messages, never more on their way than the window. */
async function flow(near: Worker, member: Member, count: number): Promise<void> {
  const end = member.received + count
  let sent = member.received
  const hasAll = async () => {
    while (sent < end && sent - member.received <= WINDOW - BURST) {
      const burst = Math.min(BURST, end - sent)
      near.tell("publish", { from: sent, count: burst })
      sent += burst
    }
    return member.received === end
  }
  await waitUntil(hasAll, `${count} messages`, DEADLINE_MS, 0)
}

async function used(...nodes: readonly Worker[]): Promise<number> {
  const usages = await Promise.all(nodes.map((it) => it.ask<Usage>("usage", false)))
  return usages.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0)
}

/** The findings as a table. */
export function toRemoteTable(findings: readonly RemoteFinding[]): string {
  const rows = findings.map(({ title, cpuMicros, perSecond, idleBytes, ratios }) => {
    const [cpu, rate, ratio] = [spread(cpuMicros), spread(perSecond), spread(ratios)]
    const idle = idleBytes === undefined ? "–" : idleBytes.toFixed(0)
    return `| ${title} | ${cpu.median.toFixed(1)} (${cpu.low.toFixed(1)}–${cpu.high.toFixed(1)}) µs | ${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)}) | ${Math.round(rate.median).toLocaleString("en")} | ${idle} |`
  })
  return [
    "| | CPU time of both nodes for each message | beside the first one, in the same lap | messages per second | bytes to a node without members, each |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n")
}
