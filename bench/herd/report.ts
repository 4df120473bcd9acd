/**
 * What crowds did, as tables. It knows nothing of how they were simulated.
 */

import type { HerdClient } from "./clients.js"
import { type Herd, OUTAGE_MS } from "./simulate.js"

/** What each crowd did, one line for each. */
export function toTable(herds: readonly Herd[]): string {
  return [
    "| | worst 100 ms | worst 100 ms after 30 s | worst 100 ms of the return | tries each | first retry, median | connections in a minute, dropped after 100 ms: median (p99) |",
    "|---|---|---|---|---|---|---|",
    ...herds.map(({ client, ...herd }) => {
      const cells = [
        client.isOurs ? `**${client.title}**` : client.title,
        percent(herd.worst),
        percent(herd.worstLate),
        herd.gaveUp === 1 ? `gave up before ${OUTAGE_MS / 1_000} s` : percent(herd.worstReturn),
        herd.tries.toFixed(1),
        `${(herd.firstMs / 1_000).toFixed(2)} s`,
        `${herd.perMinute.median} (${herd.perMinute.p99})`,
      ]
      return `| ${cells.join(" | ")} |`
    }),
  ].join("\n")
}

/** The formulas, and where they come from. */
export function toSources(clients: readonly HerdClient[]): string {
  return [
    "| | delay before retry n = 0, 1, 2, … | the count begins anew | source |",
    "|---|---|---|---|",
    ...clients.map(({ title, version, formula, resetsAfterMs, source }) => {
      return `| ${`${title} ${version}`.trim()} | ${formula} | ${anew(resetsAfterMs)} | ${source} |`
    }),
  ].join("\n")
}

function anew(resetsAfterMs: number | false): string {
  if (resetsAfterMs === false) return "when the server's state has arrived"
  return resetsAfterMs === 0 ? "at each open" : `after ${resetsAfterMs / 1_000} s of being open`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
