/**
 * Clients that write whatever they like: upgrade requests made by hand, over TCP or TLS. The word for word opposite of
 * a well-behaved library.
 */

import { connect as connectTcp, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { onTestFinished } from "vitest"
import { inTime, until } from "./deadline.js"
import { cert } from "./server-certificate.js"

/** What an upgrade request is made of; what is left out is as it should be, and `undefined` leaves a header away. */
export interface RequestParts {
  readonly method?: string
  readonly target?: string
  readonly version?: string
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: string
}

/** The text of an upgrade request. */
export function upgradeRequest({
  method = "GET",
  target = "/",
  version = "1.1",
  headers,
  body = "",
}: RequestParts = {}): string {
  const fields = {
    Host: "127.0.0.1",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  }
  const lines = Object.entries(fields).filter(([, value]) => value !== undefined)
  return `${method} ${target} HTTP/${version}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`
}

/** Where a server is. */
export interface Address {
  readonly url: string
  readonly port: number
}

/** One masked text frame, as a client sends it (RFC 6455, section 5.2); up to 125 bytes. */
export function textFrame(payload: string): Buffer {
  const mask = Buffer.from([1, 2, 3, 4])
  const masked = Buffer.from(payload).map((byte, index) => byte ^ (mask[index % 4] as number))
  return Buffer.concat([Buffer.from([0x81, 0x80 | masked.length]), mask, masked])
}

/** A socket under the test's control. It ends with the test at the latest. */
export class RawClient {
  readonly socket: Socket
  readonly #chunks: Buffer[] = []
  readonly #closed: Promise<void>

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on("data", (chunk) => this.#chunks.push(chunk))
    // a server may reset it: that is an end like any other
    socket.on("error", () => {})
    this.#closed = new Promise((resolve) => {
      socket.once("close", () => resolve())
    })
  }

  /** Connects. Rejects when it cannot in time. */
  static async open(
    { url, port }: Address,
    options: { readonly allowHalfOpen?: boolean } = {},
  ): Promise<RawClient> {
    const isSecure = url.startsWith("wss:")
    const where = { port, host: "127.0.0.1", ...options }
    const socket = isSecure ? connectTls({ ...where, ca: cert }) : connectTcp(where)
    const client = new RawClient(socket)
    onTestFinished(() => void socket.destroy())
    const ready = new Promise<void>((resolve, reject) => {
      socket.once(isSecure ? "secureConnect" : "connect", resolve)
      socket.once("close", () => reject(new Error("the server did not take the connection")))
    })
    await inTime(ready, "the raw client to connect")
    return client
  }

  /** Everything that has come in, as text in which a byte is a character. */
  get received(): string {
    return Buffer.concat(this.#chunks).toString("latin1")
  }

  /** The status of the answer, once its first line is here. */
  async status(): Promise<number> {
    await this.until(() => this.received.includes("\r\n"), "a status line")
    return Number(this.received.split(" ", 2)[1])
  }

  /** Waits for something that depends on what comes in. Rejects after a deadline, or once nothing can come any more. */
  async until(holds: () => boolean, what: string): Promise<void> {
    await until(() => holds() || this.socket.destroyed, what)
    if (!holds()) throw new Error(`closed before ${what}, after: ${this.received}`)
  }

  /** Waits for the end of the socket, whoever ends it, and returns all that came in. */
  async ended(ms?: number): Promise<string> {
    await inTime(this.#closed, "the raw client's end", ms)
    return this.received
  }
}
