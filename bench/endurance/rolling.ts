/**
 * A rolling restart of two servers behind a switch, while everybody sends: whether everybody is back, and whether anything
 * that was accepted is missing.
 */

import type { ClientSettings, Sent } from "./client-settings.js"
import { Programs } from "./programs.js"
import { total } from "./storm.js"
import { check, figure, type Verdict } from "./trial.js"
import { sleep, type Worker, waitUntil } from "./worker.js"

/** Who sends, how often, and how the servers stop. */
export interface RollingOptions {
  readonly clients: number
  readonly everyMs: number
  readonly windowMs: number
  /** How long all may take to be back after a restart, in milliseconds. */
  readonly deadlineMs: number
  /** Options of the clients. @defaultValue none: they are as they come */
  readonly options?: ClientSettings["options"]
  /** Puts something in front of servers on these ports. @defaultValue a switch that asks them for `/ready` */
  readonly front?: (ports: readonly number[]) => Promise<number>
  /** How long the front may take to notice a server that is back, in milliseconds. @defaultValue 500 */
  readonly noticeMs?: number
}

/** What was found. */
export interface Rolled {
  readonly options: RollingOptions
  readonly back: number
  readonly exitCodes: readonly (number | null)[]
  readonly received: number
  readonly doubled: number
  readonly confirmed: number
  /** Confirmed to their sender, and received by no server. */
  readonly lost: number
  readonly unconfirmed: number
  /** Of those, how many a server has after all. */
  readonly arrivedUnconfirmed: number
  readonly refused: number
}

type Node = Awaited<ReturnType<Programs["server"]>>

/** Restarts both, one after the other. */
export async function rolling(options: RollingOptions): Promise<Rolled> {
  const { clients, windowMs, everyMs, deadlineMs, noticeMs = 500 } = options
  await using programs = await Programs.compile()
  const nodes = [await programs.server({ windowMs }), await programs.server({ windowMs })]
  const { front = (servers) => programs.switch(servers) } = options
  const port = await front(nodes.map((it) => it.port))
  const crowds = await programs.crowd(port, clients, options.options ? { options: options.options } : {})
  const isBack = async () => (await total(crowds, "openNow")) === clients
  await Promise.all(crowds.map((it) => it.ask("send", everyMs)))
  const received: string[] = []
  const exitCodes: (number | null)[] = []
  for (let i = 0; i < nodes.length; i += 1) {
    await sleep(noticeMs)
    const { server, port: own } = nodes[i] as Node
    server.kill("SIGTERM")
    const drained = await server.hear<{ received: string[] }>("drained", windowMs + 30_000)
    received.push(...drained.received)
    exitCodes.push((await server.ended).code)
    nodes[i] = await programs.server({ windowMs, port: own })
    await waitUntil(isBack, "all clients to be back", deadlineMs, 100)
  }
  const sent = await settle(crowds)
  const back = await total(
    nodes.map((it) => it.server),
    "size",
  )
  for (const { server } of nodes) received.push(...(await server.ask<string[]>("received")))
  return { options, back, exitCodes, ...compare(sent, received) }
}

/** What is said about it. */
export function judgeRolling(rolled: Rolled): Verdict {
  const { clients, everyMs, windowMs } = rolled.options
  const isClean = rolled.exitCodes.every((it) => it === 0)
  return {
    sentence: `Two servers behind a TCP switch that asks them for \`/ready\`, restarted one after the other (\`windowMs\` ${windowMs.toLocaleString("en")}), while ${clients} clients with default options each send a fenced message every ${everyMs} ms: the same command.`,
    checks: [
      check("clients back, counted by the servers", rolled.back, `${clients}`, rolled.back === clients),
      figure("messages received", rolled.received),
      figure("confirmed to their senders", rolled.confirmed),
      check("confirmed, and received by no server", rolled.lost, "0", rolled.lost === 0),
      check("received twice", rolled.doubled, "0", rolled.doubled === 0),
      figure("reported to the sender as unconfirmed", rolled.unconfirmed),
      figure("of those, had arrived after all", rolled.arrivedUnconfirmed),
      figure("given back to the sender unsent", rolled.refused),
      check("exit codes", rolled.exitCodes.join(", "), "0, 0", isClean),
    ],
  }
}

async function settle(crowds: readonly Worker[]): Promise<Sent> {
  const all = await Promise.all(crowds.map((it) => it.ask<Sent>("settle")))
  return {
    confirmed: all.flatMap((it) => it.confirmed),
    unconfirmed: all.flatMap((it) => it.unconfirmed),
    refused: all.flatMap((it) => it.refused),
  }
}

function compare({ confirmed, unconfirmed, refused }: Sent, received: readonly string[]) {
  const known = new Set(received)
  return {
    received: received.length,
    doubled: received.length - known.size,
    confirmed: confirmed.length,
    lost: confirmed.filter((it) => !known.has(it)).length,
    unconfirmed: unconfirmed.length,
    arrivedUnconfirmed: unconfirmed.filter((it) => known.has(it)).length,
    refused: refused.length,
  }
}
