/**
 * The life of a web page, as far as a connection cares: it came back, it went online or offline. It decides nothing,
 * and does nothing where there is no page.
 */

import type { Unsubscribe } from "../core/types.js"

/**
 * What happened to a page.
 *
 * - `awake`: it is visible again, runs again after a freeze, or the network is said to be back.
 * - `shaken`: the network is said to be gone. Connections may live on: a laptop changes networks.
 * - `restored`: it comes out of the back/forward cache, which no connection survives.
 */
export type PageEvent = "awake" | "shaken" | "restored"

/** Reports what happens to this page, or to the network of this worker. Returns the undo. */
export function watchPage(report: (event: PageEvent) => void): Unsubscribe {
  const { document } = globalThis as { document?: Document }
  const events: [EventTarget | undefined, string, (event: Event) => void][] = [
    [document, "visibilitychange", () => document?.visibilityState === "visible" && report("awake")],
    [document, "resume", () => report("awake")],
    [
      globalThis,
      "pageshow",
      (event) => report((event as PageTransitionEvent).persisted ? "restored" : "awake"),
    ],
    [globalThis, "online", () => report("awake")],
    [globalThis, "offline", () => report("shaken")],
  ]
  // a platform may have the name without the method
  const watched = events.filter(([target]) => typeof target?.addEventListener === "function")
  for (const [target, type, listener] of watched) target?.addEventListener(type, listener)
  return () => {
    for (const [target, type, listener] of watched) target?.removeEventListener(type, listener)
  }
}

/** Whether the platform says that there is no network. It may be wrong either way. */
export function isOffline(): boolean {
  return globalThis.navigator?.onLine === false
}

const LOOPBACK = /^\w+:\/\/(?:[^/?#@]*@)?(?:(?:[\w-]+\.)*localhost|127(?:\.\d+){3}|\[::1\])(?:[:/?#]|$)/i

/** Whether an address is on this machine, which no network outage concerns. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address)
}
