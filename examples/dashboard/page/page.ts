/**
 * The dashboard's page. Messages only change what is known; the screen is drawn when the browser draws, however many came.
 */

import { ReconnectingClient } from "holdfast"
import { byId, setText, showLine } from "../../pages/line.js"
import type { FromServer } from "../protocol.js"
import { describeChart, drawChart, prepareChart } from "./chart.js"
import { Series } from "./series.js"

const series = new Series(60_000)
/** When messages came, in the last second. */
let arrivals: number[] = []
let rangeMs = 30_000
let isFrozen = false

const client = new ReconnectingClient<FromServer, never>(`${location.origin.replace("http", "ws")}/ws`, {
  backoff: { initialMs: 500, maxMs: 3_000 },
})
showLine(client)
client.on("error", () => {})
client.on("message", ({ data }) => {
  if (data.type === "history") return series.begin(data.samples)
  arrivals.push(performance.now())
  series.add(data.sample)
})

byId("range", HTMLSelectElement).addEventListener("change", ({ target }) => {
  const { value, selectedOptions } = target as HTMLSelectElement
  rangeMs = Number(value) * 1_000
  setText(byId("range-words", HTMLElement), selectedOptions[0]?.text ?? "")
  draw()
})
const freeze = byId("freeze", HTMLButtonElement)
freeze.addEventListener("click", () => {
  isFrozen = !isFrozen
  freeze.setAttribute("aria-pressed", String(isFrozen))
})

function draw(): void {
  drawChart(series, series.latest?.at ?? 0, rangeMs)
}

/** Figures as text, four times a second: nobody reads faster. */
function write(): void {
  const { latest } = series
  if (!latest || isFrozen) return
  const now = performance.now()
  arrivals = arrivals.filter((at) => at > now - 1_000)
  setText(byId("orders", HTMLElement), String(latest.orders))
  setText(byId("latency", HTMLElement), `${latest.latency.toFixed(1)} ms`)
  setText(byId("rate", HTMLElement), String(arrivals.length))
  setText(byId("skipped", HTMLElement), String(series.skipped))
  byId("chart", SVGSVGElement).setAttribute("aria-label", describeChart(series, latest.at, rangeMs))
}

function eachFrame(): void {
  if (!isFrozen) draw()
  requestAnimationFrame(eachFrame)
}

prepareChart()
setInterval(write, 250)
requestAnimationFrame(eachFrame)
