/**
 * The page's entry: one model, one controller, and the views, put together.
 */

import type { BackoffOptions } from "holdfast"
import { addComposerView } from "./composer-view.js"
import { addConnectionView } from "./connection-view.js"
import { Controller } from "./controller.js"
import { addLatencyChart } from "./latency-chart.js"
import { addLobbyView } from "./lobby-view.js"
import { addLogView } from "./log-view.js"
import { PageModel } from "./page-model.js"
import { addPeopleView } from "./people-view.js"
import { addSideView } from "./side-view.js"
import { recall } from "./tab-memory.js"

const query = new URLSearchParams(location.search)

/** `?retry=200` makes every wait between attempts that many milliseconds. */
function backoffOf(retryMs: number): BackoffOptions | undefined {
  if (!(retryMs >= 1 && retryMs <= 3_600_000)) return undefined
  return { initialMs: retryMs, maxMs: retryMs, floorMs: 0, jitter: "none" }
}

const model = new PageModel()
model.room = query.get("room") ?? recall("room") ?? "lobby"
model.name = query.get("name") ?? recall("name") ?? ""
const controller = new Controller({ model, backoff: backoffOf(Number(query.get("retry"))) })

addLobbyView(model, controller)
addConnectionView(model, controller)
addLatencyChart(model)
addPeopleView(model, controller)
addSideView(model, controller)
addLogView(model)
addComposerView(model, controller)
