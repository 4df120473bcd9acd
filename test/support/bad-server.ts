/**
 * A server that misbehaves on its first connections, byte by byte as a test says, and then is well and echoes. It
 * works on TCP, below any library that would not let it.
 */

import { createHash } from "node:crypto"
import { createServer as createHttpServer } from "node:http"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { onTestFinished } from "vitest"
import { WebSocketServer } from "ws"
import { echo } from "./client-servers.js"
import { inTime } from "./deadline.js"

/** Does something with a connection, once its upgrade request is in. `accept` is the right `Sec-WebSocket-Accept`. */
export type Misbehaviour = (socket: Socket, accept: string) => void

/** Where RFC 6455, section 1.3, has its key from. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/** A server on a free port of 127.0.0.1. */
export class BadServer {
  /** How many connections there were, bad ones included. */
  dials = 0
  /** How many connections are open. */
  readonly open = new Set<Socket>()
  readonly #port: number

  private constructor(port: number) {
    this.#port = port
  }

  /** Starts one that misbehaves so many times. */
  static async start(misbehave: Misbehaviour, times: number): Promise<BadServer> {
    const http = createHttpServer()
    echo(new WebSocketServer({ server: http }))
    const tcp = createServer()
    await inTime(new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve)), "the server to listen")
    const server = new BadServer((tcp.address() as AddressInfo).port)
    tcp.on("connection", (socket) => {
      server.dials += 1
      server.open.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => server.open.delete(socket))
      if (server.dials > times) http.emit("connection", socket)
      else onceAsked(socket, misbehave)
    })
    onTestFinished(async () => {
      const closed = new Promise((resolve) => tcp.close(resolve))
      for (const socket of server.open) socket.destroy()
      await inTime(closed, "the server to close")
    })
    return server
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`
  }
}

/** The answer to an upgrade request, with more headers, or others. */
export function upgraded(accept: string, ...more: string[]): string {
  return ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    .concat(`Sec-WebSocket-Accept: ${accept}`, more, "", "")
    .join("\r\n")
}

function onceAsked(socket: Socket, misbehave: Misbehaviour): void {
  let request = ""
  const read = (chunk: Buffer) => {
    request += chunk.toString("latin1")
    if (!request.includes("\r\n\r\n")) return
    socket.off("data", read).resume()
    const key = /sec-websocket-key: (\S+)/i.exec(request)?.[1] ?? ""
    misbehave(
      socket,
      createHash("sha1")
        .update(key + GUID)
        .digest("base64"),
    )
  }
  socket.on("data", read)
}
