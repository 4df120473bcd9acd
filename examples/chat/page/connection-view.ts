/**
 * The state of the connection in words, the time until the next try, and the last round trip.
 */

import { secondsLeft, stateInWords } from "../wording.js"
import type { Controller } from "./controller.js"
import { byId, setText, showText } from "./dom.js"
import type { PageModel } from "./page-model.js"

/** How often the countdown is looked at, in milliseconds. */
const TICK_MS = 200

export function addConnectionView(model: PageModel, controller: Controller): void {
  const connection = byId("connection", HTMLElement)
  const state = byId("state", HTMLElement)
  const countdown = byId("countdown", HTMLElement)
  const tryNow = byId("try-now", HTMLButtonElement)
  const rtt = byId("rtt", HTMLElement)
  const text = byId("text", HTMLTextAreaElement)
  let ticking: ReturnType<typeof setInterval> | undefined

  tryNow.addEventListener("click", () => {
    if (model.ending) controller.join(model.room, model.name)
    else controller.tryNow()
    // the button is gone now; the keyboard should not be lost with it
    text.focus()
  })

  const tick = () => {
    const { state: now, retryAt } = model.client?.line ?? {}
    showText(countdown, now === "waiting" ? `next try in ${secondsLeft(retryAt)} s` : undefined)
  }

  model.addView(({ client, room, ending }) => {
    if (!client) return
    const { line, isJoined } = client
    setText(byId("room-name", HTMLElement), room)
    setText(state, ending ? `Not connected. ${ending}` : stateInWords(client))
    connection.dataset.lamp = isJoined
      ? "on"
      : line.state === "waiting" || line.state === "closed"
        ? "off"
        : "dim"
    tryNow.hidden = line.state !== "waiting" && !ending
    setText(tryNow, ending ? "Join again" : "Try now")
    showText(rtt, isJoined && line.rttMs !== undefined ? `${milliseconds(line.rttMs)} round trip` : undefined)
    tick()
    if (line.state === "waiting") ticking ??= setInterval(tick, TICK_MS)
    else ticking = clearInterval(ticking) as undefined
  })
}

/** Loopback takes less than a millisecond, and 0 would look like a mistake. */
export function milliseconds(ms: number): string {
  return ms < 1 ? "under 1 ms" : `${Math.round(ms)} ms`
}
