/**
 * What a router is mounted on: what it takes for one, and on which of its connections an answer belongs. It reads no message.
 */

import { hasMethods, reject } from "../core/options.js"
import type { ExchangeParts } from "./exchange.js"
import type { ReconnectingTarget } from "./router-types.js"

/**
 * Checks that something says messages as hubs, connections and clients do. Sockets and servers of other makes have listeners
 * too, and would be listened to in vain.
 * @throws InvalidOptionError with the value received.
 */
export function checkTarget(target: object): void {
  if (!hasMethods(target, "on", "send") || "readyState" in target)
    reject("router.mount target", "a hub, a connection or a client", target)
}

/**
 * The parts of exchanges with a target. An answer belongs on the connection that its request came from, so each connection of
 * a reconnecting client has parts of its own, which send nothing when it is lost; hubs and connections have one for all time.
 */
export function followConnections<Peer>(target: unknown, parts: ExchangeParts<Peer>) {
  const line = { parts, stop: () => {} }
  const client = target as Partial<ReconnectingTarget>
  if (typeof client.reconnect !== "function" || !client.on) return line
  const renew = () => {
    const own: ExchangeParts<Peer> = {
      ...parts,
      send: (message, peer) => line.parts === own && parts.send(message, peer),
    }
    line.parts = own
  }
  renew()
  line.stop = client.on("state", ({ from }) => {
    if (from === "open") renew()
  })
  return line
}
