/**
 * A server that is told to stop while everybody is connected: whether everybody hears everything, and leaves in order.
 */

import type { DrainReport } from "holdfast/server"
import type { Diary } from "./client-settings.js"
import { Programs } from "./programs.js"
import { total } from "./storm.js"
import { binned, check, figure, percent, type Verdict } from "./trial.js"
import { type Exit, waitUntil } from "./worker.js"

/** Who is drained, and over how long. */
export interface DrainTrialOptions {
  readonly connections: number
  readonly windowMs: number
  /** How many messages each is sent right before. */
  readonly words: number
}

/** What was found. */
export interface Drained {
  readonly options: DrainTrialOptions
  readonly report: DrainReport
  readonly exit: Exit
  /** How many connections ended with each code. */
  readonly codes: Readonly<Record<number, number>>
  /** Connections that had been sent everything before they were closed. */
  readonly complete: number
  /** When connections were closed, in milliseconds after the signal. */
  readonly ends: readonly number[]
}

/** The closing handshake may take so long after the window. */
const GRACE_MS = 5_000

/** Sends SIGTERM, and waits for the end. */
export async function drainTrial(options: DrainTrialOptions): Promise<Drained> {
  const { connections, windowMs, words } = options
  await using programs = await Programs.compile()
  const { server, port } = await programs.server({ windowMs, lastWords: words })
  const crowds = await programs.crowd(port, connections, { isOnce: true })
  const startedAt = Date.now()
  server.kill("SIGTERM")
  const { report } = await server.hear<{ report: DrainReport }>("drained", windowMs + 30_000)
  const exit = await server.ended
  await waitUntil(async () => (await total(crowds, "ended")) === connections, "all ends", GRACE_MS)
  const diaries = await Promise.all(crowds.map((it) => it.ask<Diary>("diary")))
  const ends = diaries.flatMap((it) => it.ends)
  const codes: Record<number, number> = {}
  for (const { code } of ends) codes[code] = (codes[code] ?? 0) + 1
  return {
    options,
    report,
    exit,
    codes,
    complete: ends.filter((it) => it.words === words).length,
    ends: ends.map((it) => it.at - startedAt),
  }
}

/** What is said about it. */
export function judgeDrain({ options, report, exit, codes, complete, ends }: Drained): Verdict {
  const { connections, windowMs, words } = options
  const count = connections.toLocaleString("en")
  const lastMs = Math.max(...ends)
  const worst = Math.max(...binned(ends, 0, lastMs + 1)) / connections
  const inOrder = (codes[1_012] ?? 0) + (codes[1_001] ?? 0)
  return {
    sentence: `SIGTERM to a server with ${count} connections, each of which has just been sent ${words} messages of 0.5 kB, with \`drain({ windowMs: ${windowMs.toLocaleString("en").replace(",", "_")} })\`: \`npm run drain -- ${connections}\`.`,
    checks: [
      check("closed with 1012 or 1001", inOrder, count, inOrder === connections),
      check("connections with every message before their close", complete, count, complete === connections),
      check("cut", report.forced, "0", report.forced === 0),
      check(
        "the last is closed after",
        `${(lastMs / 1_000).toFixed(1)} s`,
        `≤ ${(windowMs + GRACE_MS) / 1_000} s`,
        lastMs <= windowMs + GRACE_MS,
      ),
      check("worst 100 ms", percent(worst), "≤ 3 % of them", worst <= 0.03),
      check("exit code, once nothing is left open", `${exit.code ?? exit.signal}`, "0", exit.code === 0),
      figure("the drain took, by its own report", `${(report.ms / 1_000).toFixed(1)} s`),
    ],
  }
}
