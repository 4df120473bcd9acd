/**
 * The server's side of a few WebSockets with next to nothing in it: for clients that are measured, something that sends
 * as fast as they can take it, and checks what they send. Each path is one connection, in the format of that name.
 */

import { createHash } from "node:crypto"
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { type Format, JSON_TEXT, MessageCheck, PERIOD, SERVER, TEXT } from "../message.js"
import { FrameReader } from "./frame-reader.js"

const FORMATS = { text: TEXT, json: JSON_TEXT }
const DEADLINE_MS = 20_000
const HEAD_TEXT = 0x81
const HEAD_PONG = 0x8a
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/** One client's connections. */
export class RawServer {
  readonly #http: Server = createServer()
  readonly #peers = new Map<Format["name"], RawPeer>()

  private constructor() {
    this.#http.on("upgrade", (request, socket) => {
      const name = request.url === "/json" ? "json" : "text"
      const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${ACCEPT_GUID}`)
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
      )
      this.#peers.set(name, new RawPeer(socket, FORMATS[name]))
    })
  }

  /** Listens on a free port of this machine. */
  static async listen(): Promise<RawServer> {
    const server = new RawServer()
    server.#http.listen(0, "127.0.0.1")
    await once(server.#http, "listening")
    return server
  }

  /** Where a client of a format connects to. */
  urlOf(format: Format["name"]): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/${format}`
  }

  /** The connection of a format, once there is one. */
  peer(format: Format["name"]): RawPeer {
    const peer = this.#peers.get(format)
    if (!peer) throw new Error(`no client has connected to /${format}`)
    return peer
  }

  /** Ends all of it at once. */
  close(): void {
    for (const peer of this.#peers.values()) peer.destroy()
    this.#http.close()
  }
}

/** One connection. */
export class RawPeer {
  readonly #socket: Duplex
  readonly #check: MessageCheck
  readonly #frames: Buffer
  readonly #frameBytes: number
  #sent = 0
  #due = 0
  #failure: Error | undefined
  #settle: { resolve(): void; reject(error: Error): void } | undefined

  constructor(socket: Duplex, format: Format) {
    const frames = Array.from({ length: PERIOD }, (_, serial) =>
      frame(HEAD_TEXT, format.make(SERVER, serial)),
    )
    this.#frames = Buffer.concat(frames)
    this.#frameBytes = this.#frames.length / PERIOD
    this.#check = new MessageCheck(format, 1, PERIOD)
    this.#socket = socket
    const reader = new FrameReader({
      message: (bytes, start, end) => this.#take(bytes, start, end),
      ping: (payload) => void socket.write(frame(HEAD_PONG, payload)),
    })
    socket.on("data", (chunk: Buffer) => {
      try {
        reader.read(chunk)
      } catch (error) {
        this.#fail(error as Error)
      }
    })
    socket.on("error", (error) => this.#fail(error))
    socket.on("close", () => this.#fail(new Error("the connection ended")))
  }

  /** Sends so many messages. */
  push(count: number): void {
    for (let left = count; left > 0; ) {
      const from = this.#sent % PERIOD
      const some = Math.min(left, PERIOD - from)
      this.#socket.write(this.#frames.subarray(from * this.#frameBytes, (from + some) * this.#frameBytes))
      this.#sent += some
      left -= some
    }
  }

  /** Resolves when so many more messages have come. Rejects when one is lost, repeated, reordered or altered. */
  async receive(count: number): Promise<void> {
    if (this.#failure) throw this.#failure
    this.#due += count
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const late = () => reject(new Error(`${this.#check.received} of ${this.#due} messages came`))
        timer = setTimeout(late, DEADLINE_MS)
        this.#settle = { resolve, reject }
        if (this.#check.received >= this.#due) resolve()
      })
    } finally {
      clearTimeout(timer)
      this.#settle = undefined
    }
  }

  /** Ends the connection at once, and silently. */
  destroy(): void {
    this.#socket.removeAllListeners()
    this.#socket.on("error", () => {})
    this.#socket.destroy()
  }

  #take(bytes: Buffer, start: number, end: number): void {
    this.#check.take(bytes, start, end)
    if (this.#check.received === this.#due) this.#settle?.resolve()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#settle?.reject(this.#failure)
    this.destroy()
  }
}

/** An unmasked frame of at most 125 bytes. */
function frame(head: number, payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload)
  return Buffer.concat([Buffer.from([head, bytes.length]), bytes])
}
