/**
 * Far ends for a reconnecting client over real sockets: a server that comes and goes on one port, one that stalls at
 * first, and a quick client that writes everything down.
 */

import { createServer, type IncomingMessage } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net"
import { type Given, ReconnectingClient, type ReconnectingClientOptions, text } from "holdfast"
import { onTestFinished } from "vitest"
import { type WebSocket, WebSocketServer } from "ws"
import { type ClientLog, logOf } from "./client-fake.js"
import { inTime } from "./deadline.js"
import { Mailbox } from "./mailbox.js"
import { cert, key } from "./server-certificate.js"

/** Waits that no test has to sit through. */
const QUICK = Object.freeze({ initialMs: 20, floorMs: 1, maxMs: 50 })

/** Below what systems give out by themselves, so that nobody else takes a port while nothing listens on it. */
const PORTS = { first: 10_000, count: 10_000, tries: 100 }

/** A client and what it has told. */
export interface Dialled<Incoming, Outgoing> {
  readonly client: ReconnectingClient<Incoming, Outgoing>
  readonly log: ClientLog<Incoming, Outgoing>
}

/** Makes a client of strings, or of whatever its codec says, that retries quickly and ends with the test. */
export function dial<Incoming = string, Outgoing = string>(
  url: ConstructorParameters<typeof ReconnectingClient>[0],
  options: Given<ReconnectingClientOptions<Incoming, Outgoing>> = {},
): Dialled<Incoming, Outgoing> {
  const client = new ReconnectingClient<Incoming, Outgoing>(url, {
    codec: text() as never,
    backoff: QUICK,
    heartbeat: false,
    closeTimeoutMs: 200,
    logger: false,
    ...options,
  })
  onTestFinished(async () => void (await client.close()))
  return { client, log: logOf(client) }
}

/** One connection as a server sees it. */
interface Accepted {
  readonly socket: WebSocket
  readonly request: IncomingMessage
}

/** A server that can stop and start on the same port. It does not listen until {@link start}. */
export class RestartingServer {
  /** Connections that came in. */
  readonly accepted = new Mailbox<Accepted>("connection")
  readonly port: number
  /** Called with each connection before anybody else can miss a message of it. */
  onConnection: (socket: WebSocket, request: IncomingMessage) => void = () => {}
  #wss: WebSocketServer | undefined

  private constructor(port: number) {
    this.port = port
    onTestFinished(() => this.stop())
  }

  /** Finds a port where nothing listens. */
  static async find(): Promise<RestartingServer> {
    for (let left = PORTS.tries; left > 0; left -= 1) {
      const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
      if (await isFree(port)) return new RestartingServer(port)
    }
    throw new Error(`none of ${PORTS.tries} ports is free`)
  }

  /** Finds a port, and listens. */
  static async start(): Promise<RestartingServer> {
    const server = await RestartingServer.find()
    await server.start()
    return server
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  /** Connections that are open. */
  get clients(): ReadonlySet<WebSocket> {
    return this.#wss?.clients ?? new Set()
  }

  async start(): Promise<void> {
    const wss = new WebSocketServer({ port: this.port, host: "127.0.0.1" })
    this.#wss = wss
    wss.on("connection", (socket, request) => {
      socket.on("error", () => {})
      this.onConnection(socket, request)
      this.accepted.put({ socket, request })
    })
    const listening = new Promise<void>((resolve, reject) => {
      wss.once("listening", resolve)
      wss.once("error", reject)
    })
    await inTime(listening, "the server to listen")
  }

  /** Ends every connection without a close frame, and listens no more. */
  async stop(): Promise<void> {
    const wss = this.#wss
    if (!wss) return
    this.#wss = undefined
    for (const socket of wss.clients) socket.terminate()
    await inTime(new Promise((resolve) => wss.close(resolve)), "the server to stop")
  }
}

/** A server that accepts TCP connections, and answers only the later ones. */
export interface StallingServer {
  readonly url: string
  /** Sockets that get no answer and are still open. */
  readonly stalled: ReadonlySet<Socket>
}

/** Starts a server that leaves so many connections without an answer; what comes after them is echoed. */
export async function startStalling(stalls: number, scheme: "ws" | "wss" = "ws"): Promise<StallingServer> {
  const http = scheme === "wss" ? createSecureServer({ key, cert }) : createServer()
  echo(new WebSocketServer({ server: http as ReturnType<typeof createServer> }))
  const sockets = new Set<Socket>()
  const stalled = new Set<Socket>()
  let count = 0
  const tcp = createTcpServer((socket) => {
    count += 1
    sockets.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => {
      sockets.delete(socket)
      stalled.delete(socket)
    })
    if (count > stalls) http.emit("connection", socket)
    // read all the same, or its end would not be seen
    else stalled.add(socket.resume())
  })
  await inTime(new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve)), "the server to listen")
  onTestFinished(async () => {
    const closed = new Promise((resolve) => tcp.close(resolve))
    for (const socket of sockets) socket.destroy()
    await inTime(closed, "the server to close")
  })
  return { url: `${scheme}://127.0.0.1:${(tcp.address() as AddressInfo).port}`, stalled }
}

/** Makes a server send every message back as it came. */
export function echo(wss: WebSocketServer): void {
  wss.on("connection", (socket) => {
    socket.on("error", () => {})
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
}

async function isFree(port: number): Promise<boolean> {
  const server = createTcpServer()
  const isListening = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => resolve(true))
  })
  if (isListening) await new Promise((resolve) => server.close(resolve))
  return isListening
}
