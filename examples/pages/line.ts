/**
 * The state of a page's connection, in words and with a lamp, and a button to try now. Knows the client and three elements.
 */

import type { ReconnectingClient } from "holdfast"

const WORDS = {
  idle: "Not connected",
  connecting: "Connecting",
  open: "Connected",
  waiting: "Connection lost",
  paused: "Paused",
  closing: "Leaving",
  closed: "Not connected",
} as const

/** The element of this id. The markup is ours, so a missing one is a mistake in it. */
export function byId<E extends Element>(id: string, type: new () => E): E {
  const found = document.getElementById(id)
  if (found instanceof type) return found
  throw new Error(`the page has no ${type.name} with the id ${id}`)
}

/** Sets the text. The same text is left alone, so that nothing is read out twice. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Keeps `#line`, `#state` and `#try-now` as the client is. */
export function showLine<In, Out>(client: ReconnectingClient<In, Out>): void {
  const tryNow = byId("try-now", HTMLButtonElement)
  tryNow.addEventListener("click", () => client.reconnect())
  const show = () => {
    setText(byId("state", HTMLElement), WORDS[client.state])
    byId("line", HTMLElement).dataset.lamp =
      { open: "on", waiting: "off", closed: "off" }[client.state as string] ?? "dim"
    tryNow.hidden = client.state !== "waiting"
  }
  client.on("state", show)
  show()
}
