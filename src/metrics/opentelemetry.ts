/**
 * A hub's counters for OpenTelemetry. Gauges and counters are read when they are collected; histograms are recorded as
 * values come in, because OpenTelemetry knows no other way.
 *
 * @module holdfast/metrics/opentelemetry
 */

import { type BatchObservableResult, type Meter, metrics, type Observable } from "@opentelemetry/api"
import { type Given, reject, resolveOptions } from "../core/options.js"
import {
  boundsOf,
  HISTOGRAMS,
  type HistogramInstrument,
  type MeasuredHub,
  NUMBERS,
  type NumberInstrument,
  scaled,
} from "./instruments.js"

export type { MeasuredHub } from "./instruments.js"

/** How a hub's metrics are named, and where they go. */
export interface OpenTelemetryOptions {
  /** What makes the instruments. @defaultValue the meter "holdfast" of the global provider */
  readonly meter?: Meter
  /** What every name begins with. Two hubs of one meter need different ones. @defaultValue "ws." */
  readonly prefix?: string
}

const DEFAULTS = Object.freeze({ meter: undefined as Meter | undefined, prefix: "ws." })

/**
 * Makes the instruments of a hub: `ws.connections.active`, `ws.messages.sent`, `ws.message.duration`, and so on. Times are
 * in seconds.
 *
 * @returns The undo: from then on nothing is observed or recorded.
 * @throws InvalidOptionError for a prefix that no instrument can begin with.
 */
export function openTelemetryMetrics(hub: MeasuredHub, options?: Given<OpenTelemetryOptions>): () => void {
  const { meter = metrics.getMeter("holdfast"), prefix } = resolveOptions<{
    meter: Meter | undefined
    prefix: string
  }>("opentelemetry", DEFAULTS, options)
  if (typeof prefix !== "string" || !/^[a-zA-Z][\w.\-/]{0,200}$/.test(prefix)) {
    reject("opentelemetry.prefix", "letters, digits, _ . - and /, beginning with a letter", prefix)
  }
  const unobserve = observeNumbers(hub, meter, prefix)
  const unlisten = HISTOGRAMS.map((it) => recordHistogram(hub, meter, prefix, it))
  return () => {
    unobserve()
    for (const stop of unlisten) stop()
  }
}

function observeNumbers(hub: MeasuredHub, meter: Meter, prefix: string): () => void {
  const pairs = NUMBERS.map((it) => [it, observableOf(meter, prefix, it)] as const)
  const observables = pairs.map(([, observable]) => observable)
  const observe = (result: BatchObservableResult) => {
    const stats = hub.stats()
    for (const [{ label = "", read }, observable] of pairs) {
      const value = read(stats)
      if (typeof value === "number") result.observe(observable, value)
      else {
        for (const [key, count] of Object.entries(value)) {
          result.observe(observable, count ?? 0, { [label]: key })
        }
      }
    }
  }
  meter.addBatchObservableCallback(observe, observables)
  return () => meter.removeBatchObservableCallback(observe, observables)
}

function observableOf(
  meter: Meter,
  prefix: string,
  { name, kind, help, unit }: NumberInstrument,
): Observable {
  const options = { description: help, ...(unit && { unit }) }
  return kind === "counter"
    ? meter.createObservableCounter(prefix + name, options)
    : meter.createObservableGauge(prefix + name, options)
}

function recordHistogram(
  hub: MeasuredHub,
  meter: Meter,
  prefix: string,
  { name, help, unit, scale, source }: HistogramInstrument,
): () => void {
  const counted = hub.counters[source]
  const histogram = meter.createHistogram(prefix + name, {
    description: help,
    ...(unit && { unit }),
    advice: { explicitBucketBoundaries: boundsOf(counted.stats(), scale) },
  })
  return counted.listen((value) => histogram.record(scaled(value, scale)))
}
