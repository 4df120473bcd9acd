import { metrics } from "@opentelemetry/api"
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics"
import { createHub } from "holdfast"
import { openTelemetryMetrics } from "holdfast/metrics/opentelemetry"
import { describe, expect, it, onTestFinished } from "vitest"
import { startMeasured } from "../../support/metrics-hub.js"

/** The SDK with an exporter that keeps what it is given. */
function startSdk() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  onTestFinished(() => provider.shutdown())
  return {
    provider,
    meter: provider.getMeter("test"),
    /** Everything at this moment, by name: the value, or the values by label. */
    async collect() {
      exporter.reset()
      await provider.forceFlush()
      const found = exporter
        .getMetrics()
        .flatMap((it) => it.scopeMetrics)
        .flatMap((it) => it.metrics)
      const units = new Map(found.map(({ descriptor }) => [descriptor.name, descriptor.unit]))
      const values = new Map<string, unknown>()
      for (const { descriptor, dataPoints } of found) {
        for (const { attributes, value } of dataPoints) {
          const labels = Object.values(attributes).join()
          values.set(labels ? `${descriptor.name} ${labels}` : descriptor.name, value)
        }
      }
      return { values, units }
    },
  }
}

describe("S53: metrics for OpenTelemetry", () => {
  it("are exported by the SDK, each with what has happened", async () => {
    const { meter, collect } = startSdk()
    const { hub } = await startMeasured((it) => {
      openTelemetryMetrics(it, { meter })
      return (_request, response) => response.end()
    })
    const { values, units } = await collect()
    const expected: Record<string, number> = {
      "ws.connections.active": 2,
      "ws.connections": 3,
      "ws.connections.slow": 0,
      "ws.connections.closed 4321": 1,
      "ws.connections.ended peer": 1,
      "ws.upgrades accepted": 3,
      "ws.upgrades origin": 1,
      "ws.messages.received": 4,
      "ws.messages.sent": 9,
      "ws.frames.encoded": 4,
      "ws.received": 15,
      "ws.sent": 27,
      "ws.buffered": 0,
      "ws.rooms": 1,
      "ws.memberships": 2,
      "ws.adapter.up": 1,
      "ws.adapter.publishes ok": 3,
      "ws.adapter.gaps": 1,
      "ws.adapter.messages.missed": 7,
    }
    for (const [name, value] of Object.entries(expected))
      expect([name, values.get(name)]).toEqual([name, value])
    expect([units.get("ws.sent"), units.get("ws.message.duration"), units.get("ws.rooms")]).toEqual([
      "By",
      "s",
      "",
    ])
    const duration = values.get("ws.message.duration") as Histogram
    expect(duration.count).toBe(4)
    expect(duration.sum).toBeCloseTo(hub.stats().handlerMs.sum / 1_000, 9)
    expect(duration.buckets.boundaries.slice(0, 3)).toEqual([0.0001, 0.0005, 0.001])
    expect(values.get("ws.fanout.receivers")).toMatchObject({ count: 3, sum: 8 })
    expect((values.get("ws.ping.duration") as Histogram).count).toBeGreaterThan(0)
  })

  it("have the prefix they are given, and go when they are no longer wanted", async () => {
    const { meter, collect } = startSdk()
    const hub = createHub({ logger: false })
    const undo = openTelemetryMetrics(hub, { meter, prefix: "chat." })
    hub.broadcast("x")
    const { values } = await collect()
    expect(values.get("chat.fanout.receivers")).toMatchObject({ count: 1 })
    expect([...values.keys()].every((name) => name.startsWith("chat."))).toBe(true)
    undo()
    hub.broadcast("y")
    const after = (await collect()).values
    expect(after.get("chat.fanout.receivers")).toMatchObject({ count: 1 })
  })

  it("go to the global provider where no meter is given", async () => {
    const { provider, collect } = startSdk()
    metrics.setGlobalMeterProvider(provider)
    onTestFinished(() => metrics.disable())
    openTelemetryMetrics(createHub({ logger: false }))
    expect((await collect()).values.get("ws.connections")).toBe(0)
  })

  it("cost nothing but a call where there is no provider", () => {
    const hub = createHub({ logger: false })
    openTelemetryMetrics(hub)
    hub.broadcast("x")
    expect(hub.stats().receivers.count).toBe(1)
  })

  it.each(["", "1a", " ", 42, null])("cannot have the prefix %j", (prefix) => {
    expect(() => openTelemetryMetrics(createHub(), { prefix: prefix as string })).toThrow(
      /opentelemetry\.prefix must be/,
    )
  })
})
