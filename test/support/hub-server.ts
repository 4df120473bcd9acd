/**
 * A hub beside a plain `ws` server, wired as the README does it, and bare `ws` clients for it: none of them runs any
 * code of ours.
 */

import { createHub, type Given, type Hub, type HubConnection, type HubOptions } from "holdfast"
import type { ClientOptions, ServerOptions } from "ws"
import { connect, startServer, type TestClient } from "./ws-server.js"

/** A client, and the connection that the hub made for it. */
export interface Pair<Incoming, Outgoing, Data> {
  readonly client: TestClient
  readonly connection: HubConnection<Incoming, Outgoing, Data>
}

/** A hub that listens. */
export interface HubServer<Incoming, Outgoing, Data> extends AsyncDisposable {
  readonly hub: Hub<Incoming, Outgoing, Data>
  readonly url: string
  readonly port: number
  /** Connects a client. */
  connect(options?: ClientOptions): Promise<Pair<Incoming, Outgoing, Data>>
}

/** Starts a hub of JSON messages, or of whatever its codec says, that logs nothing. */
export async function startHub<Incoming = unknown, Outgoing = unknown, Data = unknown>(
  options: Given<HubOptions<Incoming, Outgoing>> = {},
  serverOptions: ServerOptions = {},
): Promise<HubServer<Incoming, Outgoing, Data>> {
  const hub = createHub<Incoming, Outgoing, Data>({ logger: false, ...options })
  const server = await startServer(serverOptions)
  server.wss.on("connection", (socket, request) => {
    // the hub alone has to cope with what goes wrong on it
    socket.removeAllListeners("error")
    hub.add(socket, { request })
  })
  return {
    hub,
    url: server.url,
    port: server.port,
    async connect(options) {
      const added = new Promise<HubConnection<Incoming, Outgoing, Data>>((resolve) =>
        hub.once("connection", ({ connection }) => resolve(connection)),
      )
      const client = await connect(server.url, options)
      return { client, connection: await added }
    },
    async [Symbol.asyncDispose]() {
      await hub.close()
      await server[Symbol.asyncDispose]()
    },
  }
}
