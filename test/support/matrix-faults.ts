/**
 * A server that fails in one way until it heals, and from then on sends every message back. It knows no client: what it
 * goes by are upgrade requests, and the sockets that are left.
 */

import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { WebSocketServer } from "ws"
import { inTime } from "./deadline.js"

/** How the first attempts fare. */
export type Fault = "none" | "401" | "refused" | "reset" | "hang" | "end" | "cut" | "held"

/** How many attempts fail before the server heals. */
export const FAILURES = 2

/** Text that a client's heartbeat may send where it has no ping frames. */
const [PING, PONG] = ["ping", "pong"]

/** Below what systems give out by themselves, so that nobody else takes the port while nothing listens on it. */
const PORTS = { first: 20_000, count: 10_000 }

/** A server with a fault. */
export class FaultServer implements AsyncDisposable {
  readonly #fault: Fault
  readonly #server = createServer()
  readonly #control = createServer()
  readonly #wss = new WebSocketServer({ noServer: true })
  readonly #sockets = new Set<Socket>()
  readonly #held = new Signal()
  #port = 0
  #upgrades = 0
  #failures = 0
  /** Close codes that clients left with. */
  readonly codes: number[] = []

  private constructor(fault: Fault) {
    this.#fault = fault
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket as Socket, head))
    this.#control.on("request", async (_request, response) => {
      await this.#held.given
      response.writeHead(204, { "access-control-allow-origin": "*", connection: "close" }).end()
    })
  }

  /** Starts a server on a port of 127.0.0.1, or finds the port where it will listen once it heals. */
  static async start(fault: Fault): Promise<FaultServer> {
    const it = new FaultServer(fault)
    await listen(it.#control, 0)
    if (fault === "refused") it.#port = await findPort()
    else it.#port = await listen(it.#server, 0)
    return it
  }

  /** Where to dial. */
  get url(): string {
    return `ws://127.0.0.1:${this.#port}`
  }

  /** Answers a request as soon as an attempt is held. */
  get control(): string {
    return `http://127.0.0.1:${(this.#control.address() as AddressInfo).port}`
  }

  /** How many sockets of clients are open. */
  get size(): number {
    return this.#sockets.size
  }

  /** What came of it so far, in words, for a test that failed. */
  get summary(): string {
    return `${this.#upgrades} upgrades, ${this.size} sockets left`
  }

  /** The client says that it waits: where nothing listens, that is the only sign of an attempt. */
  async clientWaits(): Promise<void> {
    if (this.#fault !== "refused") return
    this.#failures += 1
    if (this.#failures === FAILURES) await listen(this.#server, this.#port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    for (const server of [this.#server, this.#control]) {
      server.closeAllConnections()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    }
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#upgrades += 1
    this.#sockets.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => this.#sockets.delete(socket))
    const isHealed = this.#upgrades > (this.#fault === "held" ? 1 : FAILURES)
    if (isHealed || this.#fault === "none" || this.#fault === "refused") this.#accept(request, socket, head)
    else if (this.#fault === "cut")
      this.#wss.handleUpgrade(request, socket, head, () => socket.resetAndDestroy())
    else this.#fail(socket)
  }

  #fail(socket: Socket): void {
    if (this.#fault === "401") {
      socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    } else if (this.#fault === "reset") socket.resetAndDestroy()
    else if (this.#fault === "end") socket.end()
    // a socket that is not read would never be seen to end
    else socket.on("end", () => socket.end()).resume()
    this.#held.give()
  }

  #accept(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#wss.handleUpgrade(request, socket, head, (client) => {
      client.on("error", () => {})
      client.on("close", (code) => this.codes.push(code))
      client.on("message", async (data, isBinary) => {
        if (!isBinary && String(data) === PING) return client.send(PONG)
        // no answer before every other socket has gone: a client that leaks one never gets it
        await this.#only(socket)
        client.send(data, { binary: isBinary })
      })
    })
  }

  async #only(socket: Socket): Promise<void> {
    const others = [...this.#sockets].filter((it) => it !== socket)
    await Promise.all(others.map((it) => new Promise((resolve) => it.once("close", resolve))))
  }
}

/** Something that happens once, and that many may wait for. */
class Signal {
  give = () => {}
  readonly given = new Promise<void>((resolve) => {
    this.give = resolve
  })
}

async function listen(server: Server, port: number): Promise<number> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject)
      resolve()
    })
  })
  await inTime(listening, "the server to listen")
  return (server.address() as AddressInfo).port
}

async function findPort(): Promise<number> {
  const server = createServer()
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    try {
      await listen(server, port)
      await new Promise((resolve) => server.close(resolve))
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error
    }
  }
}
