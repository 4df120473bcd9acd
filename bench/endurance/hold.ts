/**
 * Very many connections that do nothing, in one process: what each keeps in memory beside plain `ws`, and whether all of
 * them stay.
 */

import type { HubStats } from "holdfast"
import { Programs } from "./programs.js"
import { check, figure, type Verdict } from "./trial.js"
import { sleep, type Worker } from "./worker.js"

/** What is held, and for how long. */
export interface HoldOptions {
  readonly connections: number
  readonly seconds: number
  /** How the hub finds dead connections. @defaultValue its default: a ping after 15 s of silence */
  readonly heartbeat?: { readonly intervalMs: number; readonly timeoutMs: number }
}

/** What was found. */
export interface Held {
  readonly options: HoldOptions
  /** Resident bytes of the server for each connection. */
  readonly wsBytes: number
  readonly bytes: number
  /** The same after all the pings. */
  readonly lateBytes: number
  readonly pings: number
  /** The longest time that an answer took, in milliseconds. */
  readonly slowestPingMs: number
  readonly dropped: number
  readonly open: number
}

const BATCH = 1_000
/** So many of the connections come first, for whatever a server makes once. */
const FIRST_SHARE = 0.1
const LATE_MS = 2_000

/** Holds them. */
export async function hold(options: HoldOptions): Promise<Held> {
  await using programs = await Programs.compile()
  const wsBytes = await bytesOfWs(programs, options.connections)
  const { server, port } = await programs.server(options.heartbeat ? { heartbeat: options.heartbeat } : {})
  const raw = await programs.raw()
  const first = await open(raw, server, port, options.connections)
  const filled = (await server.usage()).residentBytes
  await sleep(options.seconds * 1_000)
  const stats = await server.ask<HubStats>("stats")
  const late = (await server.usage()).residentBytes
  const { dropped, open: stillOpen } = await raw.ask<{ dropped: number; open: number }>("counts")
  return {
    options,
    wsBytes,
    bytes: (filled - first.residentBytes) / first.added,
    lateBytes: (late - first.residentBytes) / first.added,
    pings: stats.pingMs.count,
    slowestPingMs: await server.ask<number>("slowestPingMs"),
    dropped,
    open: Math.min(stillOpen, stats.connections.now),
  }
}

/** What is said about it. */
export function judgeHold(held: Held): Verdict {
  const { connections, seconds } = held.options
  const ratio = held.bytes / held.wsBytes
  return {
    sentence: `${connections.toLocaleString("en")} idle connections in one process, ten to a room and with the default heartbeat, held for ${seconds} s after a plain \`ws\` server with as many: \`npm run hold -- ${connections}\`, Node ${process.version.slice(1)}. Memory is resident memory of the server after a garbage collection.`,
    checks: [
      figure("memory of a connection, plain `ws`, no heartbeat", bytes(held.wsBytes)),
      check("memory of a connection, here", bytes(held.bytes), "≤ 1.4 times that of `ws`", ratio <= 1.4),
      figure("beside plain `ws`", `${ratio.toFixed(2)} times`),
      figure(`memory of a connection after ${seconds} s of pings`, bytes(held.lateBytes)),
      check("pings answered", held.pings, "one of each connection at least", held.pings >= connections),
      check(
        "the slowest answer took",
        `${Math.ceil(held.slowestPingMs)} ms`,
        "≤ 2,000 ms",
        held.slowestPingMs <= LATE_MS,
      ),
      check("connections dropped", held.dropped, "0", held.dropped === 0),
      check(
        "connections open at the end",
        held.open,
        connections.toLocaleString("en"),
        held.open === connections,
      ),
    ],
  }
}

async function bytesOfWs(programs: Programs, connections: number): Promise<number> {
  const { server, port } = await programs.ws()
  const raw = await programs.raw()
  const { residentBytes, added } = await open(raw, server, port, connections)
  const value = ((await server.usage()).residentBytes - residentBytes) / added
  await raw[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  return value
}

/** Opens a few, notes the memory, and opens the rest. */
async function open(raw: Worker, server: Worker, port: number, connections: number) {
  const first = Math.ceil(connections * FIRST_SHARE)
  await openSome(raw, port, first)
  const { residentBytes } = await server.usage()
  await openSome(raw, port, connections - first)
  return { residentBytes, added: connections - first }
}

async function openSome(raw: Worker, port: number, count: number): Promise<void> {
  for (let left = count; left > 0; left -= BATCH)
    await raw.ask("open", { port, count: Math.min(BATCH, left) })
}

function bytes(value: number): string {
  return `${(value / 1_000).toFixed(1)} kB`
}
