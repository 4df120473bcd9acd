/**
 * Connections over real sockets: a `ws` server on loopback whose sockets are wrapped, with the stream under them or
 * without, and bare clients at the other end.
 */

import type { ServerOptions } from "ws"
import { Connection } from "../../src/wire/connection.js"
import type { ConnectionOptions } from "../../src/wire/connection-options.js"
import { RawClient, upgradeRequest } from "./server-raw.js"
import { connect, startServer } from "./ws-server.js"

/** The two ways of sending: frames made here and written to the stream, or the socket's own `send`. */
export const WAYS = [
  { way: "with the stream", isRaw: true },
  { way: "without the stream", isRaw: false },
] as const

/** What a test wants of its connection. */
export interface WireOptions<Incoming, Outgoing> extends ConnectionOptions<Incoming, Outgoing> {
  readonly isRaw: boolean
  readonly server?: ServerOptions
}

/** One connection and the bare client at its other end. */
export async function wirePair<Incoming = unknown, Outgoing = unknown>(
  options: WireOptions<Incoming, Outgoing>,
) {
  const { isRaw, server: serverOptions, ...connectionOptions } = options
  const server = await startServer(serverOptions)
  const client = await connect(server.url)
  return { server, client, ...(await wrap(server, isRaw, connectionOptions)) }
}

/** One connection and a client that only reads and writes bytes, beginning behind the answer to its upgrade. */
export async function rawPair<Incoming = unknown, Outgoing = unknown>(
  options: WireOptions<Incoming, Outgoing>,
) {
  const { isRaw, server: serverOptions, ...connectionOptions } = options
  const server = await startServer(serverOptions)
  const client = await RawClient.open(server)
  client.socket.write(upgradeRequest())
  await client.until(() => client.received.includes("\r\n\r\n"), "the answer to the upgrade")
  const start = client.received.indexOf("\r\n\r\n") + 4
  return {
    server,
    client,
    /** Listens to the bytes of frames: those that have arrived, and from now on. */
    onBytes(listener: (bytes: Uint8Array) => void): void {
      listener(Buffer.from(client.received.slice(start), "latin1"))
      client.socket.on("data", listener)
    },
    ...(await wrap(server, isRaw, connectionOptions)),
  }
}

async function wrap<Incoming, Outgoing>(
  server: Awaited<ReturnType<typeof startServer>>,
  isRaw: boolean,
  options: ConnectionOptions<Incoming, Outgoing>,
) {
  const { socket, request } = await server.accepted()
  const identity = isRaw ? { stream: request.socket } : {}
  return { socket, connection: new Connection<Incoming, Outgoing>(socket, identity, options) }
}

/** What is needed to fill a connection. */
export interface FillableConnection {
  readonly writable: boolean
  send(bytes: Uint8Array): unknown
}

/** Sends until the kernel and this process hold as much as they want. */
export async function fill(connection: FillableConnection): Promise<number> {
  let count = 0
  while (connection.writable) {
    connection.send(new Uint8Array(65_536))
    count += 1
    await turn()
  }
  return count
}

/** Lets the event loop turn: whatever is ready in it happens. */
export async function turn(count = 1): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve))
}
