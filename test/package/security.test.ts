import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { resolveHub } from "../../src/hub/hub-options.js"
import { HISTOGRAMS, NUMBERS } from "../../src/metrics/instruments.js"
import { resolveAttach } from "../../src/server/attach-options.js"
import { HEARTBEAT_DEFAULTS } from "../../src/wire/pulse.js"

const page = readFileSync(fileURLToPath(new URL("../../docs/security.md", import.meta.url)), "utf8")

/** The rows of the tables in docs/security.md. */
const rows = [...page.matchAll(/^\| `([\w.]+)` \| `([\w[\]]+)` \| (.+) \| (.+) \| (.+) \|$/gm)].map(
  ([, option = "", value = "", attack, outcome, counters = ""]) => ({
    option,
    value,
    attack,
    outcome,
    counters,
  }),
)

/** What the options are where nothing is said. */
function defaults(): Readonly<Record<string, unknown>> {
  const attach = resolveAttach({})
  const { settings } = resolveHub({})
  const { intervalMs, timeoutMs } = HEARTBEAT_DEFAULTS
  return {
    ...settings,
    ...attach,
    "limits.connections": attach.limits.connections,
    "limits.messagesPerSecond": attach.limits.inbound?.messages?.perSecond,
    "limits.bytesPerSecond": attach.limits.inbound?.bytes?.perSecond,
    "heartbeat.intervalMs": intervalMs,
    "heartbeat.timeoutMs": timeoutMs,
  }
}

describe("R6: docs/security.md", () => {
  it("has a row for each limit that is on", () => {
    expect(rows.length).toBeGreaterThanOrEqual(18)
    expect(new Set(rows.map((it) => it.option)).size).toBe(rows.length)
  })

  it.each(rows)("says what $option is without being told: $value", ({ option, value }) => {
    expect(defaults()).toHaveProperty([option])
    expect(defaults()[option]).toEqual(JSON.parse(value.replaceAll("_", "")))
  })

  it("names only counters that there are", () => {
    const units = { s: "_seconds", By: "_bytes" } as const
    const names = [...NUMBERS, ...HISTOGRAMS].map(
      (it) =>
        `ws_${it.name.replaceAll(".", "_")}${it.unit ? units[it.unit] : ""}${"kind" in it && it.kind === "counter" ? "_total" : ""}`,
    )
    const named = [...page.matchAll(/`(ws_\w+)/g)].map(([, name]) => name as string)
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((name) => !names.includes(name))).toEqual([])
  })

  it("says of the limits that are off that they are", () => {
    const { perAddress, perUser, upgrades, shared } = resolveAttach({}).limits
    expect({ perAddress, perUser, upgrades, shared }).toEqual({
      perAddress: false,
      perUser: false,
      upgrades: undefined,
      shared: undefined,
    })
  })
})
