/**
 * A hub's counters for Prometheus, in a registry of `prom-client`. They are read when they are scraped, and cost nothing
 * in between.
 *
 * @module holdfast/metrics/prometheus
 */

import { checkMethods, type Given, reject, resolveOptions } from "../core/options.js"
import { systemClock } from "../core/timer.js"
import type { HubStats } from "../hub/hub-stats.js"
import {
  boundsOf,
  HISTOGRAMS,
  type HistogramInstrument,
  type MeasuredHub,
  NUMBERS,
  type NumberInstrument,
  scaled,
  type Unit,
} from "./instruments.js"

export type { MeasuredHub } from "./instruments.js"

/** The part of a `prom-client` registry that is needed: `register`, or one of your own. */
export interface PrometheusRegistry {
  /** Takes a metric. */
  registerMetric(metric: PulledMetric): void
  /** Forgets a metric. */
  removeSingleMetric(name: string): void
}

/** A metric that is read when it is scraped. */
export interface PulledMetric {
  /** The metric at this moment, in the shape that `prom-client` prints. */
  get(): Promise<object>
}

/** How a hub's metrics are named. */
export interface PrometheusOptions {
  /** What every name begins with. Two hubs in one registry need different ones. @defaultValue "ws_" */
  readonly prefix?: string
}

const DEFAULTS: Required<PrometheusOptions> = Object.freeze({ prefix: "ws_" })
const SUFFIX: Readonly<Record<Unit, string>> = { s: "_seconds", By: "_bytes" }

/**
 * Adds the metrics of a hub to a registry: `ws_connections_active`, `ws_messages_sent_total`,
 * `ws_message_duration_seconds`, and so on.
 *
 * @returns The undo.
 * @throws InvalidOptionError for a prefix that no metric can begin with, and for what is no registry; what the registry
 * throws for a name that is taken.
 *
 * @example
 * import { register } from "prom-client"
 * prometheusMetrics(hub, register)
 * http.on("request", async (_request, response) => response.end(await register.metrics()))
 */
export function prometheusMetrics(
  hub: MeasuredHub,
  registry: PrometheusRegistry,
  options?: Given<PrometheusOptions>,
): () => void {
  const { prefix } = resolveOptions<Required<PrometheusOptions>>("prometheus", DEFAULTS, options)
  if (typeof prefix !== "string" || !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(prefix)) {
    reject("prometheus.prefix", "letters, digits, _ and :, not beginning with a digit", prefix)
  }
  checkMethods("prometheus.registry", registry, ["registerMetric", "removeSingleMetric"])
  const read = readOnce(hub)
  const metrics = [
    ...NUMBERS.map((it) => new NumberMetric(prefix, it, read)),
    ...HISTOGRAMS.map((it) => new HistogramMetric(prefix, it, read)),
  ]
  return registerAll(metrics, registry)
}

/** All or none: a name that is taken leaves no half of a hub behind. Returns the undo, which may be called again. */
function registerAll(metrics: readonly Metric[], registry: PrometheusRegistry): () => void {
  const names: string[] = []
  const undo = () => {
    for (const name of names.splice(0)) registry.removeSingleMetric(name)
  }
  try {
    for (const metric of metrics) {
      const { name } = metric
      registry.registerMetric(metric)
      names.push(name)
    }
  } catch (error) {
    undo()
    throw error
  }
  return undo
}

/** All metrics of one scrape are asked for in one turn, and a look at a hub costs a look at all its connections. */
function readOnce(hub: MeasuredHub): () => HubStats {
  let stats: HubStats | undefined
  return () => {
    if (!stats) {
      stats = hub.stats()
      systemClock.soon(() => {
        stats = undefined
      })
    }
    return stats
  }
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

abstract class Metric implements PulledMetric {
  /** The registry shortens it where it speaks OpenMetrics, and knows the metric by what it was before. */
  name: string
  readonly help: string
  abstract readonly type: string
  /** How the processes of a cluster are made one. */
  readonly aggregator = "sum"
  readonly #read: () => HubStats

  constructor(name: string, help: string, read: () => HubStats) {
    this.name = name
    this.help = help
    this.#read = read
  }

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this
    return { name, help, type, aggregator, values: this.samples(this.#read()) }
  }

  protected abstract samples(stats: HubStats): Sample[]
}

class NumberMetric extends Metric {
  readonly type: string
  readonly #instrument: NumberInstrument

  constructor(prefix: string, instrument: NumberInstrument, read: () => HubStats) {
    const { kind, help, name, unit } = instrument
    super(`${nameOf(prefix, name, unit)}${kind === "counter" ? "_total" : ""}`, help, read)
    this.type = kind
    this.#instrument = instrument
  }

  protected samples(stats: HubStats): Sample[] {
    const { label = "" } = this.#instrument
    const value = this.#instrument.read(stats)
    if (typeof value === "number") return [{ labels: {}, value }]
    return Object.entries(value).map(([key, count]) => ({ labels: { [label]: key }, value: count ?? 0 }))
  }
}

class HistogramMetric extends Metric {
  readonly type = "histogram"
  readonly #instrument: HistogramInstrument

  constructor(prefix: string, instrument: HistogramInstrument, read: () => HubStats) {
    super(nameOf(prefix, instrument.name, instrument.unit), instrument.help, read)
    this.#instrument = instrument
  }

  protected samples(hub: HubStats): Sample[] {
    const { source, scale } = this.#instrument
    const stats = hub[source]
    const metricName = `${this.name}_bucket`
    let below = 0
    const buckets = [...boundsOf(stats, scale), "+Inf"].map((le, index) => {
      below += stats.counts[index] ?? 0
      return { metricName, labels: { le }, value: below }
    })
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels: {}, value: scaled(stats.sum, scale) },
      { metricName: `${this.name}_count`, labels: {}, value: stats.count },
    ]
  }
}

function nameOf(prefix: string, name: string, unit: Unit | undefined): string {
  return `${prefix}${name.replaceAll(".", "_")}${unit ? SUFFIX[unit] : ""}`
}
