/**
 * Real WebSockets over loopback: a server of the `ws` package on a free port, and bare clients for it.
 * Both clean up after themselves when the test ends, or earlier where they are held by `await using`.
 */

import type { IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"
import { type ClientOptions, type ServerOptions, WebSocket, WebSocketServer } from "ws"
import { inTime } from "./deadline.js"
import { Mailbox } from "./mailbox.js"

/** One connection as the server sees it. */
interface Accepted {
  readonly socket: WebSocket
  readonly request: IncomingMessage
}

/** A running server. */
export interface TestServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly wss: WebSocketServer
  /** The next connection that came in. Rejects after a deadline. */
  accepted(): Promise<Accepted>
}

/** Starts a `ws` server on a free port of 127.0.0.1. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const wss = new WebSocketServer({ ...options, host: "127.0.0.1", port: 0 })
  const accepted = new Mailbox<Accepted>("connection")
  wss.on("connection", (socket, request) => {
    // a reset by a test is no reason to crash it
    socket.on("error", () => {})
    accepted.put({ socket, request })
  })
  await inTime(
    new Promise<void>((resolve) => {
      wss.once("listening", resolve)
    }),
    "the server to listen",
  )
  const stop = once(async () => {
    for (const socket of wss.clients) socket.terminate()
    await new Promise((resolve) => wss.close(resolve))
  })
  onTestFinished(stop)
  const { port } = wss.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    wss,
    accepted: () => accepted.next(),
    [Symbol.asyncDispose]: stop,
  }
}

/** A message as it arrived: text as a string, a binary frame as bytes. */
type Received = string | Buffer

/** How a socket ended. */
interface Ended {
  readonly code: number
  readonly reason: string
}

/** A bare `ws` client. */
export interface TestClient extends AsyncDisposable {
  readonly socket: WebSocket
  /** How many messages have arrived that `next` has not returned. */
  readonly waiting: number
  send(data: string | Uint8Array): void
  /** The next message. Rejects after a deadline, or when the socket has ended. */
  next(ms?: number): Promise<Received>
  /** The next so many messages. */
  take(count: number, ms?: number): Promise<Received[]>
  /** How the socket ended. Rejects after a deadline. */
  closed(ms?: number): Promise<Ended>
  /** Starts to close and waits for the end. */
  close(code?: number, reason?: string): Promise<Ended>
}

/** What a client is told: the options of `ws`, and the subprotocols to offer. */
export interface ConnectOptions extends ClientOptions {
  readonly protocols?: string[]
}

/** Opens a client. Rejects when it cannot connect in time. */
export async function connect(
  url: string,
  { protocols = [], ...options }: ConnectOptions = {},
): Promise<TestClient> {
  const socket = new WebSocket(url, protocols, options)
  const messages = new Mailbox<Received>("message")
  socket.on("message", (data, isBinary) => messages.put(isBinary ? (data as Buffer) : String(data)))
  const ended = new Promise<Ended>((resolve) => {
    socket.once("close", (code, reason) => {
      messages.end(`closed with ${code}`)
      resolve({ code, reason: String(reason) })
    })
  })
  const stop = once(async () => {
    socket.terminate()
    await ended
  })
  onTestFinished(stop)
  await inTime(
    new Promise<void>((resolve, reject) => {
      socket.once("open", resolve)
      socket.on("error", reject)
    }),
    "the client to open",
  )
  const closed = (ms?: number) => inTime(ended, "the client's close", ms)
  return {
    socket,
    get waiting() {
      return messages.size
    },
    send: (data) => socket.send(data),
    next: (ms) => messages.next(ms),
    take: (count, ms) => messages.take(count, ms),
    closed,
    close: (code, reason) => {
      socket.close(code, reason)
      return closed()
    },
    [Symbol.asyncDispose]: stop,
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
