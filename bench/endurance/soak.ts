/**
 * A server that works for a long while: whether its memory and its descriptors stay where they are.
 */

import { drawCurve } from "./plot.js"
import { Programs } from "./programs.js"
import { check, figure, type Verdict } from "./trial.js"
import { sleep, type Worker, waitUntil } from "./worker.js"

/** How much is done, and for how long. */
export interface SoakOptions {
  readonly seconds: number
  readonly connections: number
  /** Connections that leave each second, as many come, and as many change rooms. */
  readonly churn: number
  /** Messages to everybody each second. */
  readonly broadcasts: number
  readonly sampleSeconds: number
  /** What comes before is warming up, in seconds. */
  readonly settledAfter: number
}

/** One look at the server. */
export interface Sample {
  readonly seconds: number
  readonly residentBytes: number
  /** Open descriptors that belong to no connection. */
  readonly ownDescriptors: number
}

/** What was found. */
export interface Soaked {
  readonly options: SoakOptions
  readonly samples: readonly Sample[]
  readonly came: number
  readonly messages: number
  readonly dropped: number
  /** Descriptors before anybody came, and after everybody had gone. */
  readonly descriptors: { readonly before: number; readonly after: number }
  /** Connections and rooms that are left after everybody had gone. */
  readonly left: { readonly connections: number; readonly rooms: number }
}

const BYTES_PER_MEBIBYTE = 1_048_576
const DEADLINE_MS = 20_000

/** Runs it. */
export async function soak(options: SoakOptions): Promise<Soaked> {
  const { connections, churn, broadcasts, seconds } = options
  await using programs = await Programs.compile()
  const { server, port } = await programs.server()
  const before = await server.ask<number>("descriptors")
  const raw = await programs.raw()
  await raw.ask("open", { port, count: connections })
  const startedAt = performance.now()
  const elapsed = () => (performance.now() - startedAt) / 1_000
  const samples: Sample[] = []
  let came = connections
  for (let second = 0; second <= seconds; second += 1) {
    await Promise.all([raw.ask("churn", { port, count: churn }), server.ask("move", churn)])
    came += churn
    for (let i = 0; i < broadcasts; i += 1) {
      await server.ask("publish", { count: 1, bytes: 200 })
      await sleep(Math.max(0, (second + i / broadcasts - elapsed()) * 1_000))
    }
    if (second % options.sampleSeconds === 0) samples.push(await look(server, connections, elapsed()))
    await sleep(Math.max(0, (second + 1 - elapsed()) * 1_000))
  }
  const { messages, dropped } = await raw.ask<{ messages: number; dropped: number }>("counts")
  await raw.ask("closeAll")
  await waitUntil(async () => (await server.ask<number>("size")) === 0, "all to leave", DEADLINE_MS)
  const after = await server.ask<number>("descriptors")
  const left = await server.ask<{ connections: { now: number }; rooms: number }>("stats")
  return {
    options,
    samples,
    came,
    messages,
    dropped,
    descriptors: { before, after },
    left: { connections: left.connections.now, rooms: left.rooms },
  }
}

/** Mebibytes a minute, over the samples after the warm-up: the slope of the line that fits them best. */
export function slopeOf({ samples, options }: Pick<Soaked, "samples" | "options">): number {
  const late = samples.filter((it) => it.seconds >= options.settledAfter)
  const x = late.map((it) => it.seconds / 60)
  const y = late.map((it) => it.residentBytes / BYTES_PER_MEBIBYTE)
  const [meanX, meanY] = [mean(x), mean(y)]
  const covariance = x.reduce((sum, it, i) => sum + (it - meanX) * ((y[i] as number) - meanY), 0)
  return covariance / x.reduce((sum, it) => sum + (it - meanX) ** 2, 0)
}

/** What is said about it. */
export function judgeSoak(soaked: Soaked): Verdict {
  const { options, samples, descriptors } = soaked
  const slope = slopeOf(soaked)
  const own = samples.map((it) => it.ownDescriptors)
  const spread = Math.max(...own) - Math.min(...own)
  const minutes = Number((options.seconds / 60).toFixed(1))
  const count = options.connections.toLocaleString("en")
  const from = Number((options.settledAfter / 60).toFixed(1))
  const title = `Memory of a server over ${minutes} minutes`
  const last = samples.at(-1)?.residentBytes ?? 0
  return {
    sentence: `${count} connections for ${minutes} min, of which ${options.churn} a second leave, as many come, and as many change rooms, with ${options.broadcasts} messages a second to everybody: \`npm run soak\`. Memory is resident memory after a garbage collection, every ${options.sampleSeconds} s.`,
    checks: [
      check(
        `memory, from minute ${from} on`,
        `${slope.toFixed(2)} MiB a minute`,
        "≤ 1 MiB a minute",
        slope <= 1,
      ),
      figure("memory at the end", `${Math.round(last / BYTES_PER_MEBIBYTE)} MiB`),
      check(
        "descriptors besides those of connections",
        `${Math.min(...own)} to ${Math.max(...own)}`,
        "constant",
        spread <= 2,
      ),
      check(
        "descriptors before anybody came, and after all had gone",
        `${descriptors.before}, ${descriptors.after}`,
        "the same",
        descriptors.after <= descriptors.before + 1,
      ),
      check(
        "connections and rooms left then",
        `${soaked.left.connections}, ${soaked.left.rooms}`,
        "0, 0",
        soaked.left.connections + soaked.left.rooms === 0,
      ),
      check("connections dropped", soaked.dropped, "0", soaked.dropped === 0),
      figure("connections that came", soaked.came),
      figure("messages received", soaked.messages),
    ],
    picture: {
      name: "soak",
      title,
      svg: drawCurve(
        title,
        `${count} connections, ${options.churn} a second leave and come; resident memory after a garbage collection`,
        {
          points: samples.map((it) => ({ x: it.seconds / 60, y: it.residentBytes / BYTES_PER_MEBIBYTE })),
          settledFrom: from,
          units: { x: "min", y: "MiB" },
        },
      ),
    },
  }
}

async function look(server: Worker, connections: number, seconds: number): Promise<Sample> {
  await waitUntil(async () => (await server.ask<number>("size")) === connections, "the crowd", DEADLINE_MS)
  const { residentBytes } = await server.usage()
  const descriptors = await server.ask<number>("descriptors")
  return { seconds, residentBytes, ownDescriptors: descriptors - connections }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, it) => sum + it, 0) / values.length
}
