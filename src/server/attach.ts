/**
 * The door to everything here: joins a hub to an HTTP server that the user owns.
 */

import type { Server } from "node:http"
import { checkMethods, type Given, reject } from "../core/options.js"
import type { Hub } from "../hub/hub.js"
import type { AttachOptions } from "./attach-options.js"
import { Attachment } from "./attachment.js"

/**
 * Lets a hub take WebSocket upgrades of an HTTP or HTTPS server. The server stays the user's: its requests and its end
 * are untouched, and its other `upgrade` listeners keep their paths. Two things are Node's and not ours to change: with
 * any `upgrade` listener a request for another upgrade (`h2c`) comes here instead of to the request handler, and a
 * `WebSocketServer` that was itself given the server answers every path, so give it `noServer` instead.
 *
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * const server = http.createServer(app)
 * attach(server, hub, {
 *   path: "/ws/:room",
 *   authenticate: async (request) => (await userOf(request)) ?? { status: 401, body: "log in first" },
 * })
 * server.listen(8080)
 */
export function attach<Incoming, Outgoing, Data>(
  server: Server,
  hub: Hub<Incoming, Outgoing, Data>,
  options: Given<AttachOptions<Data>> = {},
): Attachment {
  if (!isServer(server)) {
    reject("server", "an HTTP server, as http.createServer(app) makes it and fastify.server is", server)
  }
  checkMethods("hub", hub, ["add", "broadcast"])
  return new Attachment(server, hub, options)
}

/** An app of a framework has `on` and `listen` too, and would never have an upgrade. */
function isServer(server: Partial<Server> | null | undefined): boolean {
  return (
    typeof server === "object" && typeof server?.on === "function" && typeof server.listening === "boolean"
  )
}
