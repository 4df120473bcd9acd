import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { createHub } from "holdfast"
import { prometheusMetrics } from "holdfast/metrics/prometheus"
import { AggregatorRegistry, collectDefaultMetrics, Gauge, Registry } from "prom-client"
import { describe, expect, it, vi } from "vitest"
import { startMeasured } from "../../support/metrics-hub.js"

/** What was scraped: values by name and labels as they are written, and the type of each name. */
interface Scrape {
  readonly values: ReadonlyMap<string, number>
  readonly types: ReadonlyMap<string, string>
}

/** Reads the text format of Prometheus, and refuses what is not in it. */
function parse(text: string): Scrape {
  const values = new Map<string, number>()
  const types = new Map<string, string>()
  for (const line of text.split("\n").filter(Boolean)) {
    const [, kind, name, rest] = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ?? []
    if (kind === "TYPE") types.set(name as string, rest as string)
    if (kind || line === "# EOF") continue
    const [, key, value] = /^([a-zA-Z_:][\w:]*(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})?) (\S+)$/.exec(line) ?? []
    expect(key, line).toBeDefined()
    expect(values.has(key as string), `${key} twice`).toBe(false)
    values.set(key as string, Number(value))
  }
  return { values, types }
}

async function scrape(url: string): Promise<Scrape> {
  return parse(await (await fetch(`${url}/metrics`)).text())
}

function serve(registry: Registry<never> | Registry) {
  return async (_request: unknown, response: { end(body: string): void }) =>
    response.end(await (registry as Registry).metrics())
}

/** The names in a text: `ws_…`, less what a histogram adds to its own. */
function namesIn(path: string): Set<string> {
  const text = readFileSync(fileURLToPath(new URL(`../../../docs/${path}`, import.meta.url)), "utf8")
  return new Set([...text.matchAll(/\bws_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, "")))
}

describe("S53: metrics for Prometheus", () => {
  it("are scraped over HTTP, each with what has happened", async () => {
    const registry = new Registry()
    const { hub, url } = await startMeasured((it) => {
      prometheusMetrics(it, registry)
      return serve(registry)
    })
    const { values, types } = await scrape(url)
    const expected: Record<string, number> = {
      ws_connections_active: 2,
      ws_connections_total: 3,
      ws_connections_slow: 0,
      'ws_connections_closed_total{code="4321"}': 1,
      'ws_connections_ended_total{cause="peer"}': 1,
      'ws_upgrades_total{result="accepted"}': 3,
      'ws_upgrades_total{result="origin"}': 1,
      ws_messages_received_total: 4,
      ws_messages_sent_total: 9,
      ws_frames_encoded_total: 4,
      ws_received_bytes_total: "onetwothreefour".length,
      ws_sent_bytes_total: 9 * 3,
      ws_buffered_bytes: 0,
      ws_throttles_total: 0,
      ws_rooms: 1,
      ws_memberships: 2,
      ws_adapter_up: 1,
      'ws_adapter_publishes_total{result="ok"}': 3,
      'ws_adapter_publishes_total{result="failed"}': 0,
      ws_adapter_gaps_total: 1,
      ws_adapter_messages_missed_total: 7,
      ws_message_duration_seconds_count: 4,
      'ws_message_duration_seconds_bucket{le="+Inf"}': 4,
      'ws_message_duration_seconds_bucket{le="0.0001"}': 0,
      ws_fanout_receivers_count: 3,
      ws_fanout_receivers_sum: 8,
      'ws_fanout_receivers_bucket{le="2"}': 1,
      'ws_fanout_receivers_bucket{le="5"}': 3,
    }
    for (const [key, value] of Object.entries(expected)) expect([key, values.get(key)]).toEqual([key, value])
    expect(values.get("ws_ping_duration_seconds_count")).toBeGreaterThan(0)
    const handledMs = hub.stats().handlerMs.sum
    expect(values.get("ws_message_duration_seconds_sum")).toBeCloseTo(handledMs / 1_000, 9)
    expect(types.get("ws_connections_active")).toBe("gauge")
    expect(types.get("ws_messages_sent_total")).toBe("counter")
    expect(types.get("ws_message_duration_seconds")).toBe("histogram")
  })

  it("have buckets that grow, and the last of which is the count", async () => {
    const registry = new Registry()
    const { url } = await startMeasured((hub) => {
      prometheusMetrics(hub, registry)
      return serve(registry)
    })
    const { values, types } = await scrape(url)
    for (const [name, type] of types) {
      if (type !== "histogram") continue
      const buckets = [...values]
        .filter(([key]) => key.startsWith(`${name}_bucket{`))
        .map(([, value]) => value)
      expect(buckets.length).toBeGreaterThan(10)
      expect(buckets).toEqual([...buckets].sort((a, b) => a - b))
      expect(buckets.at(-1)).toBe(values.get(`${name}_count`))
    }
  })

  it("look at the hub once for each scrape, and never in between", async () => {
    const hub = createHub({ logger: false })
    const stats = vi.spyOn(hub, "stats")
    const registry = new Registry()
    prometheusMetrics(hub, registry)
    hub.broadcast("x")
    expect(stats).toHaveBeenCalledTimes(0)
    await registry.metrics()
    expect(stats).toHaveBeenCalledTimes(1)
    await registry.getMetricsAsJSON()
    expect(stats).toHaveBeenCalledTimes(2)
  })

  it("stand beside others in one registry, with its labels, and in OpenMetrics", async () => {
    const registry = new Registry()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
    registry.setDefaultLabels({ app: "chat" })
    collectDefaultMetrics({ register: registry })
    prometheusMetrics(createHub({ logger: false }), registry)
    const text = await registry.metrics()
    expect(text).toContain('ws_connections_total{app="chat"} 0\n')
    expect(text).toContain("# TYPE ws_connections counter\n")
    expect(text).toContain("process_cpu_user_seconds")
    expect(parse(text).values.size).toBeGreaterThan(50)
  })

  it("of the processes of a cluster add up", async () => {
    const json = async () => {
      const registry = new Registry()
      const hub = createHub({ logger: false })
      prometheusMetrics(hub, registry)
      hub.broadcast("x")
      return registry.getMetricsAsJSON()
    }
    const sum = AggregatorRegistry.aggregate([await json(), await json()] as never)
    expect(parse(await sum.metrics()).values.get("ws_fanout_receivers_count")).toBe(2)
  })

  it("have the prefix they are given, so that two hubs share a registry, and go when they are no longer wanted", async () => {
    const registry = new Registry()
    const undo = prometheusMetrics(createHub({ logger: false }), registry, { prefix: "chat_" })
    prometheusMetrics(createHub({ logger: false }), registry)
    const { types } = parse(await registry.metrics())
    expect([types.get("chat_rooms"), types.get("ws_rooms")]).toEqual(["gauge", "gauge"])
    undo()
    const names = [...parse(await registry.metrics()).types.keys()]
    expect(names.filter((it) => it.startsWith("chat_"))).toEqual([])
    expect(names).toHaveLength(24)
  })

  // in OpenMetrics the registry writes other names into the counters with each scrape
  it("go where the registry speaks OpenMetrics too", async () => {
    const registry = new Registry()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
    const undo = prometheusMetrics(createHub({ logger: false }), registry)
    await registry.metrics()
    undo()
    expect(registry.getMetricsAsArray()).toEqual([])
    prometheusMetrics(createHub({ logger: false }), registry)
    const count = registry.getMetricsAsArray().length
    // what is there now is another's
    undo()
    expect(registry.getMetricsAsArray()).toHaveLength(count)
  })

  it("are all there or none: a name that is taken leaves no half of a hub behind", () => {
    const registry = new Registry()
    const taken = new Gauge({ name: "ws_rooms", help: "mine", registers: [registry] })
    const add = () => prometheusMetrics(createHub({ logger: false }), registry)
    for (let i = 0; i < 2; i += 1) expect(add).toThrow("ws_rooms")
    expect(registry.getMetricsAsArray()).toEqual([taken])
  })

  it.each(["", "1a", "a-b", "a b", 42, null])("cannot have the prefix %j", (prefix) => {
    const add = () => prometheusMetrics(createHub(), new Registry(), { prefix: prefix as string })
    expect(add).toThrow(/prometheus\.prefix must be/)
  })

  it("needs a registry, and says so", () => {
    expect(() => prometheusMetrics(createHub(), undefined as never)).toThrow(
      "prometheus.registry must be an object with registerMetric, removeSingleMetric, received undefined",
    )
  })

  it.each(["grafana-dashboard.json", "alert-rules.yml", "operations.md"])(
    "are all there are in docs/%s",
    async (path) => {
      const registry = new Registry()
      prometheusMetrics(createHub({ logger: false }), registry)
      const { types } = parse(await registry.metrics())
      const names = namesIn(path)
      expect(names.size).toBeGreaterThan(5)
      expect([...names].filter((name) => !types.has(name))).toEqual([])
    },
  )

  it("have a dashboard that shows every one of them", async () => {
    const registry = new Registry()
    prometheusMetrics(createHub({ logger: false }), registry)
    const shown = namesIn("grafana-dashboard.json")
    expect([...parse(await registry.metrics()).types.keys()].filter((name) => !shown.has(name))).toEqual([])
  })
})
