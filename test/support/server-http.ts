/**
 * HTTP and HTTPS servers on a free port of 127.0.0.1 that know which sockets they hold. They know no WebSocket.
 */

import { createServer, type Server } from "node:http"
import { createServer as createSecureServer } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import { onTestFinished } from "vitest"
import type { ClientOptions } from "ws"
import { inTime } from "./deadline.js"
import { cert, key } from "./server-certificate.js"

/** A server that listens. */
export interface HttpTarget {
  readonly server: Server
  readonly port: number
  readonly url: string
  /** What a `ws` client must be told to trust this server. */
  readonly trust: ClientOptions
  /** The streams that its requests come in on: the TLS ones where there is TLS. */
  readonly streams: ReadonlySet<Socket>
  /** Resolves when no socket is open. Rejects after a deadline. */
  idle(ms?: number): Promise<void>
}

/** Starts an HTTP server, which ends with the test. */
export function startHttp(): Promise<HttpTarget> {
  return start(createServer(hello), "ws", "connection")
}

/** Starts an HTTPS server, which ends with the test. */
export function startHttps(): Promise<HttpTarget> {
  return start(createSecureServer({ key, cert }, hello) as unknown as Server, "wss", "secureConnection")
}

/** How many sockets a server has open, as it says itself. */
function countSockets(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
}

const hello = (_request: unknown, response: { end(body: string): void }) => response.end("hello")

async function start(server: Server, scheme: string, event: string): Promise<HttpTarget> {
  const streams = new Set<Socket>()
  server.on(event, (stream: Socket) => {
    streams.add(stream)
    stream.once("close", () => streams.delete(stream))
  })
  const listening = new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  await inTime(listening, "the server to listen")
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const stream of streams) stream.destroy()
    await inTime(closed, "the server to close")
  })
  const { port } = server.address() as AddressInfo
  return {
    server,
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    trust: scheme === "wss" ? { ca: cert } : {},
    streams,
    async idle(ms = 2_000) {
      const end = performance.now() + ms
      for (let count = await countSockets(server); count > 0; count = await countSockets(server)) {
        if (performance.now() > end) throw new Error(`${count} sockets are still open after ${ms} ms`)
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}
