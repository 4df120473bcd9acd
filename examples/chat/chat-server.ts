/**
 * The demo's server: one port for the page, its health and the WebSocket, and a way to fail on purpose.
 * Rooms and messages are the chat's business.
 */

import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as wait } from "node:timers/promises"
import { CloseCode } from "holdfast"
import { type Acceptance, attach, type Refusal } from "holdfast/server"
import { bundlePage } from "./bundle.js"
import { Chat } from "./chat.js"
import type { Place } from "./chat-room.js"
import { type Log, terminalLog } from "./log.js"
import { CHAT_CLOSE, LIMITS } from "./protocol.js"
import { routes } from "./routes.js"
import { roomProblem, tidy } from "./rules.js"
import { countOf } from "./wording.js"

export interface ChatServerOptions {
  /** The port; 0 for any that is free. */
  readonly port: number
  /** The address to listen on. @defaultValue "127.0.0.1": this machine alone */
  readonly host?: string
  /** How long the port stays closed after `POST /restart`, in milliseconds. @defaultValue 3_000 */
  readonly downMs?: number
  /** Takes one line for each thing that happens. @defaultValue standard output */
  readonly log?: Log
}

/** A running demo. */
export interface ChatServer {
  readonly url: string
  readonly port: number
  /** Closes every connection with 1001 and the port with them. */
  stop(): Promise<void>
  /** Fails as a crash would: cuts all lines, closes the port for so long, and listens there again. */
  restart(downMs?: number): Promise<void>
}

/** How long the last connections may take to end, in milliseconds, once the port is closed. */
const LINGER_MS = 600
/** How long to wait before asking again for a port that somebody took during a restart, in milliseconds. */
const TAKEN_AGAIN_MS = 500

/**
 * Starts the demo.
 * @throws what `listen` reports: `EADDRINUSE` when the port is taken.
 */
export async function startChat(options: ChatServerOptions): Promise<ChatServer> {
  const { port, host = "127.0.0.1", downMs = 3_000, log = terminalLog } = options
  const assets = await bundlePage()
  const chat = new Chat(log)
  const server = createServer()
  const stopping = new AbortController()
  attach(server, chat.hub, {
    path: ["/ws/:room", "/ws/", "/ws"],
    maxPayloadBytes: LIMITS.payloadBytes,
    authenticate: (_request: IncomingMessage, { params }) => admit(params.room ?? ""),
  }).on("refused", ({ status, reason, remoteAddress }) =>
    log(`refused ${status} (${reason}) to ${remoteAddress}`),
  )

  const listening = { host, port: await listen(server, host, port) }
  let restarting: Promise<void> | undefined

  async function goDown(ms: number): Promise<void> {
    log(`down for ${ms} ms: ${countOf(chat.hub.size, "line is", "lines are")} cut`)
    const closed = closeServer(server)
    for (const connection of chat.hub.connections.values()) connection.terminate()
    await closed
    await wait(ms, undefined, { signal: stopping.signal })
    await listenAgain(server, listening, log, stopping.signal)
    log("up again")
  }

  /** A restart that the end of the demo overtakes is no failure. */
  function restart(ms = downMs): Promise<void> {
    restarting ??= goDown(ms)
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) throw error
      })
      .finally(() => {
        restarting = undefined
      })
    return restarting
  }

  async function stop(): Promise<void> {
    stopping.abort()
    await restarting
    const closed = server.listening ? closeServer(server) : undefined
    await chat.hub.close(CloseCode.GOING_AWAY, "the server stops")
    await closed
  }

  server.on(
    "request",
    routes({
      assets,
      health: () => ({ ok: true, connections: chat.hub.size, rooms: chat.roomCount }),
      cut: (memberId) => cutLine(chat, memberId, log),
      restart: () => void restart(),
    }),
  )
  return { url: `http://${urlHost(host)}:${listening.port}`, port: listening.port, stop, restart }
}

/** A page cannot read an HTTP status, so the refusal of a room is a close code with its reason. */
function admit(given: string): Acceptance<Place> | Refusal {
  const problem = roomProblem(given)
  if (problem) return { status: 400, body: problem, closeCode: CHAT_CLOSE.badRoom, closeReason: problem }
  return { data: { room: tidy(given) } }
}

function cutLine(chat: Chat, memberId: string, log: Log): boolean {
  const connection = chat.connectionOf(memberId)
  if (!connection) return false
  log(`cuts the line of ${memberId}`)
  connection.terminate()
  return true
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, host, () => {
      server.off("error", reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

async function listenAgain(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await listen(server, host, port)
      return
    } catch (error) {
      log(`cannot listen again: ${(error as Error).message}`)
      await wait(TAKEN_AGAIN_MS, undefined, { signal })
    }
  }
}

/** The port is closed when this returns. It resolves when the connections are, or have had time enough to be. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
  await Promise.race([closed, wait(LINGER_MS, undefined, { ref: false })])
}

function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::" || host === "127.0.0.1") return "localhost"
  return host.includes(":") ? `[${host}]` : host
}
