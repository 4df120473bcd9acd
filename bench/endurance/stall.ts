/**
 * One reader among many stops reading in the middle of a broadcast: what it costs the server and the others.
 */

import type { HubStats } from "holdfast"
import { p99, spread } from "../statistics.js"
import { Programs } from "./programs.js"
import { check, figure, type Verdict } from "./trial.js"
import { sleep, type Worker, waitUntil } from "./worker.js"

/** How many read, and what they are sent. */
export interface StallOptions {
  readonly readers: number
  readonly messages: number
  readonly bytes: number
  readonly everyMs: number
  /** How often each is measured, in turns: without the reader that stalls, and with it. */
  readonly rounds: number
}

/** What was found. */
export interface Stalled {
  readonly options: StallOptions
  /** What all but 1 in 100 deliveries to the others took at most, in milliseconds: one value for each round. */
  readonly alone: readonly number[]
  readonly beside: readonly number[]
  /** The most that ever waited for one connection, in bytes. */
  readonly mostBuffered: number
  /** By how much more memory a round with one that stalls left behind than the same without: the most of all rounds. */
  readonly grownBytes: number
  readonly causes: Readonly<Partial<Record<string, number>>>
  readonly delivered: number
}

/** What waits for one connection at most, by default. */
const LIMIT_BYTES = 1_048_576
const BYTES_PER_MEBIBYTE = 1_048_576
const DEADLINE_MS = 20_000

/** Lets one stall, again and again. */
export async function stall(options: StallOptions): Promise<Stalled> {
  await using programs = await Programs.compile()
  const { server, port } = await programs.server()
  const raw = await programs.raw()
  await raw.ask("open", { port, count: options.readers })
  await send(server, raw, options)
  const resident = async () => (await server.usage()).residentBytes
  const [alone, beside, grown]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < options.rounds; round += 1) {
    alone.push(await send(server, raw, options))
    const residentAlone = await resident()
    await raw.ask("stall", port)
    await server.ask("fill")
    beside.push(await send(server, raw, options))
    grown.push((await resident()) - residentAlone)
    const isCut = async () => (await server.ask<number>("size")) === options.readers
    await waitUntil(isCut, "the one that stalls to be cut", DEADLINE_MS)
  }
  const { connections } = await server.ask<HubStats>("stats")
  const { messages } = await raw.ask<{ messages: number }>("counts")
  return {
    options,
    alone,
    beside,
    mostBuffered: await server.ask<number>("publish", { count: 0 }),
    grownBytes: Math.max(...grown),
    causes: connections.closedByCause,
    delivered: messages,
  }
}

/** What is said about it. */
export function judgeStall(stalled: Stalled): Verdict {
  const { options, alone, beside, mostBuffered, causes, delivered } = stalled
  const { readers, messages, rounds, bytes } = options
  const ratio = spread(beside.map((it, i) => it / (alone[i] as number)))
  const due = (2 * rounds + 1) * messages * readers
  const grown = stalled.grownBytes / BYTES_PER_MEBIBYTE
  return {
    sentence: `${readers.toLocaleString("en")} readers get ${messages} messages of ${bytes / 1_000} kB, one every ${options.everyMs} ms, without and with one more that has stopped reading, and for which the kernel is full already, ${rounds} times in turns: \`npm run stall\`.`,
    checks: [
      figure(
        "p99 of the others, nobody stalls (median of the rounds)",
        `${spread(alone).median.toFixed(1)} ms`,
      ),
      figure("p99 of the others, one stalls", `${spread(beside).median.toFixed(1)} ms`),
      check(
        "grows by, within a round",
        `${((ratio.median - 1) * 100).toFixed(0)} %`,
        "≤ 20 %",
        ratio.median <= 1.2,
      ),
      check(
        "most bytes that waited for it",
        mostBuffered,
        `≤ ${LIMIT_BYTES.toLocaleString("en")}`,
        mostBuffered <= LIMIT_BYTES,
      ),
      check("memory grows by, within a round, at most", `${grown.toFixed(1)} MiB`, "≤ 16 MiB", grown <= 16),
      check(
        "cut for reading too slowly (1013)",
        causes.overflow ?? 0,
        `${rounds}`,
        causes.overflow === rounds,
      ),
      check("delivered to the others", delivered, due.toLocaleString("en"), delivered === due),
    ],
  }
}

async function send(
  server: Worker,
  raw: Worker,
  { messages, bytes, everyMs, readers }: StallOptions,
): Promise<number> {
  const before = (await raw.ask<{ messages: number }>("counts")).messages
  await raw.ask("time")
  for (let i = 0; i < messages; i += 1) {
    await server.ask("publish", { count: 1, bytes })
    await sleep(everyMs)
  }
  const isThere = async () =>
    (await raw.ask<{ messages: number }>("counts")).messages - before === messages * readers
  await waitUntil(isThere, "the messages", DEADLINE_MS)
  return p99(await raw.ask<number[]>("delays"))
}
