/**
 * Clients that are cut at once by a server that dies and comes back: when they try, and when they are back.
 */

import type { HubStats } from "holdfast"
import type { ClientSettings, Diary } from "./client-settings.js"
import { drawBins } from "./plot.js"
import { Programs } from "./programs.js"
import { BIN_MS, binned, check, figure, percent, type Verdict } from "./trial.js"
import { sleep, type Worker, waitUntil } from "./worker.js"

/** Who is cut, and for how long. */
export interface StormOptions {
  readonly clients: number
  readonly outageMs: number
  /** How long they have to come back, counted from the cut, in milliseconds. */
  readonly deadlineMs: number
  /** Options of the clients. @defaultValue none: they are as they come */
  readonly options?: ClientSettings["options"]
}

/** What was found. Times are in milliseconds since the cut. */
export interface Storm {
  readonly options: StormOptions
  readonly tries: readonly number[]
  readonly opens: readonly number[]
  /** How long each client meant to wait before its first try. */
  readonly firstDelays: readonly number[]
  /** When the last was back. */
  readonly allBackMs: number
  /** Clients connected at the end, and connections that the new server has ever had. */
  readonly back: number
  readonly accepted: number
}

/** Cuts them, and waits until all are back. */
export async function storm(options: StormOptions): Promise<Storm> {
  await using programs = await Programs.compile()
  const { server, port } = await programs.server()
  const crowds = await programs.crowd(
    port,
    options.clients,
    options.options ? { options: options.options } : {},
  )
  // a millisecond of its own, so that the last one's first opening is not taken for a return
  await sleep(10)
  const cutAt = Date.now()
  server.kill("SIGKILL")
  await server.ended
  await sleep(options.outageMs - (Date.now() - cutAt))
  const { server: next } = await programs.server({ port })
  const size = () => total(crowds, "openNow")
  await waitUntil(async () => (await size()) === options.clients, "all to be back", options.deadlineMs, 250)
  const stats = await next.ask<HubStats>("stats")
  const diaries = await Promise.all(crowds.map((it) => it.ask<Diary>("diary")))
  const since = (name: "tries" | "opens") =>
    diaries.flatMap((it) => it[name].filter((at) => at >= cutAt).map((at) => at - cutAt))
  const opens = since("opens")
  return {
    options,
    tries: since("tries"),
    opens,
    firstDelays: diaries.flatMap((it) => it.plannedMs.slice(0, it.ends.length)),
    allBackMs: Math.max(...opens),
    back: stats.connections.now,
    accepted: stats.connections.total,
  }
}

/** What is said about it. */
export function judgeStorm({ options, tries, opens, allBackMs, back, accepted }: Storm): Verdict {
  const { clients, outageMs } = options
  const end = Math.max(allBackMs, ...tries) + BIN_MS
  const [worst, worstBack] = [tries, opens].map((it) => Math.max(...binned(it, 0, end)) / clients) as [
    number,
    number,
  ]
  const count = clients.toLocaleString("en")
  const title = `${count} clients cut at once, and back`
  return {
    sentence: `${count} clients with default options, cut at once by a server that is killed and starts again ${outageMs / 1_000} s later on the same port: \`npm run storm -- ${clients}\`.`,
    checks: [
      check("clients back", back, count, back === clients),
      check("the last is back after", `${(allBackMs / 1_000).toFixed(1)} s`, "≤ 60 s", allBackMs <= 60_000),
      check("worst 100 ms, of all tries", percent(worst), "≤ 8 % of the clients", worst <= 0.08),
      check("worst 100 ms, of those that are let in", percent(worstBack), "≤ 8 %", worstBack <= 0.08),
      figure("tries of each client", tries.length / clients),
      check(
        "connections that the new server has had",
        accepted,
        `${count}: nobody came twice`,
        accepted === clients,
      ),
    ],
    picture: {
      name: "storm",
      title,
      svg: drawBins(
        title,
        `Tries, and those that succeeded, in each 100 ms; the server is away for ${outageMs / 1_000} s`,
        {
          clients,
          tries: binned(tries, 0, end),
          opens: binned(opens, 0, end),
          outageMs,
        },
      ),
    },
  }
}

/** A count of all processes together. */
export async function total(workers: readonly Worker[], order: string): Promise<number> {
  const counts = await Promise.all(workers.map((it) => it.ask<number>(order)))
  return counts.reduce((sum, it) => sum + it, 0)
}
