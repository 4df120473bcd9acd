/**
 * The adapter of a hub that is alone: there is nobody to carry anything to. It keeps the contract all the same,
 * and is where to start when writing one for a broker.
 */

import type { Adapter, AdapterContext, AdapterHealth } from "./adapter.js"

/** The default adapter: one process, nothing to carry. */
export function memoryAdapter(): Adapter {
  let context: AdapterContext | undefined
  const channels = new Set<string>()
  return {
    isAlone: true,
    capabilities: {
      interest: "channel",
      order: "publisher",
      history: false,
      presence: false,
      maxPayloadBytes: false,
    },
    connect(given) {
      context = given
      given.onState("up")
    },
    subscribe(wanted) {
      for (const channel of wanted) channels.add(channel)
    },
    unsubscribe(unwanted) {
      for (const channel of unwanted) channels.delete(channel)
    },
    publish() {},
    send() {},
    health(): AdapterHealth {
      return { state: context ? "up" : "down", pendingPublishes: 0, subscriptions: channels.size }
    },
    close() {
      channels.clear()
      context?.onState("down")
      context = undefined
    },
  }
}
