/**
 * Runs inside the demo's page, before its script: compares what the screen says with what the browser's own sockets
 * say, after every change of either. It does not know the demo's code.
 */

/** What was seen. */
export interface PageWatch {
  /** The words for the state of the connection, in the order they were shown. */
  readonly states: string[]
  /** Moments in which the screen said what was not so. */
  readonly lies: string[]
}

/** Starts to watch. Goes to the browser as text, so it is complete in itself. */
export function watchPage(): void {
  const watch: PageWatch = { states: [], lies: [] }
  const sockets: WebSocket[] = []
  Object.assign(globalThis, {
    pageWatch: watch,
    WebSocket: class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols)
        sockets.push(this)
      }
    },
  })

  const element = (id: string) => document.getElementById(id) as HTMLElement
  const check = (what: string, said: unknown, real: unknown) => {
    if (said !== real)
      watch.lies.push(`${element("state").textContent}: ${what} says ${said}, and it is ${real}`)
  }

  const look = () => {
    if (element("chat").hidden) return
    const words = element("state").textContent ?? ""
    if (watch.states.at(-1) !== words) watch.states.push(words)
    const isOpen = sockets.some((it) => it.readyState === WebSocket.OPEN)
    const isWaiting = words === "Connection lost" || words === "The server does not answer"
    const waiting = document.querySelectorAll('[data-status="waiting"]').length
    check("the state", words === "Connected" || words === "Joining the room", isOpen)
    check("the list of people", element("people").classList.contains("stale"), words !== "Connected")
    check("the countdown", element("countdown").hidden, !isWaiting)
    check("the round trip", !element("rtt").hidden && !isOpen, false)
    check(
      "the count of waiting messages",
      Number.parseInt(element("waiting").textContent || "0", 10),
      waiting,
    )
  }

  addEventListener("DOMContentLoaded", () => {
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    })
  })
}
