/**
 * The client's side of a WebSocket with next to nothing in it: a TCP socket, the handshake and a frame reader. A whole
 * client library would take more time than the servers that are measured.
 */

import { createConnection, type Socket } from "node:net"
import { CannotDo } from "../orders.js"
import type { Dialect } from "./dialect.js"
import { type FrameListener, FrameReader } from "./frame-reader.js"

const TEXT = 0x81
const PONG = 0x8a
const HANDSHAKE_MS = 10_000
/** Nothing has come for so long: longer than Linux waits with an acknowledgement, and shorter than a heartbeat's patience. */
const QUIET_MS = 300

/** Hears of one connection. The bytes are only good during the call. */
export interface ClientListener {
  /** A message came. Whatever it throws is reported as `failed`. */
  message(bytes: Buffer, start: number, end: number): void
  /** The connection is of no more use. */
  failed(error: Error): void
}

/** Where and how to connect. */
export interface ClientTarget {
  /** A port of this machine. */
  readonly port: number
  /** The target of the upgrade request. */
  readonly target: string
  readonly dialect: Dialect
  /** Whether messages come compressed (RFC 7692), as a browser would have them; all of them, then. */
  readonly isCompressed?: boolean
}

/** One connection. */
export class RawClient implements FrameListener {
  /** How many frames with messages have come, and how many bytes in all. */
  frames = 0
  bytes = 0
  readonly #listener: ClientListener
  readonly #dialect: Dialect
  readonly #isCompressed: boolean
  readonly #reader = new FrameReader(this)
  readonly #socket: Socket
  readonly #opened: Promise<void>
  #settle: { resolve(): void; reject(error: Error): void } | undefined
  #head: string | undefined = ""

  private constructor(
    { port, target, dialect, isCompressed = false }: ClientTarget,
    listener: ClientListener,
  ) {
    this.#listener = listener
    this.#dialect = dialect
    this.#isCompressed = isCompressed
    this.#opened = new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.#socket = createConnection({
      port,
      host: "127.0.0.1",
      noDelay: true,
      // the one buffer serves all connections, since each chunk is read before the next one comes
      onread: { buffer: chunkBuffer, callback: (length, bytes) => this.#read(bytes as Buffer, length) },
    })
    this.#socket.setTimeout(HANDSHAKE_MS, () => this.#fail(new Error("no handshake in time")))
    this.#socket.on("error", (error) => this.#fail(error))
    this.#socket.on("close", () => this.#fail(new Error("the connection ended")))
    this.#socket.write(handshake(port, target, isCompressed))
  }

  /**
   * Connects. Rejects when there is no WebSocket there.
   * @throws CannotDo when messages should come compressed and the server does not offer it.
   */
  static async open(target: ClientTarget, listener: ClientListener): Promise<RawClient> {
    const client = new RawClient(target, listener)
    await client.#opened
    return client
  }

  /** Sends a message; at most 125 bytes with its envelope. */
  send(message: string): void {
    this.#write(this.#dialect.wrap(message))
  }

  /** Ends the connection at once, and silently. */
  destroy(): void {
    this.#socket.removeAllListeners()
    this.#socket.on("error", () => {})
    this.#socket.destroy()
  }

  message(bytes: Buffer, start: number, end: number): void {
    if (this.#isCompressed) throw new Error("a message that is not compressed")
    this.frames += 1
    const { before, after, separator } = this.#dialect
    const asked = this.#dialect.read(bytes, start)
    if (separator !== undefined) this.#split(bytes, start, end, separator)
    else if (asked === "message") this.#listener.message(bytes, start + before, end - after)
    else if (asked === "opened") this.#open()
    else if (asked) this.#reply(maskedFrame(TEXT, Buffer.from(asked.reply)))
  }

  compressed(bytes: Buffer, start: number, end: number): void {
    if (!this.#isCompressed) throw new Error("a compressed message")
    this.frames += 1
    this.#listener.message(bytes, start, end)
  }

  ping(payload: Buffer): void {
    this.#reply(maskedFrame(PONG, payload))
  }

  #split(bytes: Buffer, start: number, end: number, separator: number): void {
    for (let at = start; at <= end; ) {
      const found = bytes.indexOf(separator, at)
      const partEnd = found === -1 || found > end ? end : found
      this.#listener.message(bytes, at, partEnd)
      at = partEnd + 1
    }
  }

  /**
   * Answers what the server asks of its own accord; once the connection is open, not before nothing more comes. To Linux,
   * who answers at once is in a conversation: the server's process, not the client's, pays for acknowledgements from then
   * on, up to a tenth of a delivery. Only servers that ask for life signs would be in that state, and by chance.
   */
  #reply(frame: Buffer): void {
    if (this.#settle) this.#socket.write(frame)
    else this.#replyWhenQuiet(frame, this.bytes)
  }

  #replyWhenQuiet(frame: Buffer, bytes: number): void {
    setTimeout(() => {
      if (this.bytes === bytes) this.#socket.write(frame)
      else this.#replyWhenQuiet(frame, this.bytes)
    }, QUIET_MS).unref()
  }

  #write(text: string): void {
    this.#socket.write(maskedFrame(TEXT, Buffer.from(text)))
  }

  #read(bytes: Buffer, length: number): boolean {
    this.bytes += length
    try {
      if (this.#head === undefined) this.#reader.read(bytes.subarray(0, length))
      else this.#readHandshake(this.#head + bytes.toString("latin1", 0, length))
    } catch (error) {
      this.#fail(error as Error)
    }
    return true
  }

  #readHandshake(head: string): void {
    this.#head = head
    const end = head.indexOf("\r\n\r\n")
    if (end === -1) return
    if (!head.startsWith("HTTP/1.1 101 "))
      throw new Error(`no WebSocket: ${head.slice(0, head.indexOf("\r\n"))}`)
    if (this.#isCompressed && !/^sec-websocket-extensions: permessage-deflate/im.test(head.slice(0, end)))
      throw new CannotDo("it does not compress")
    this.#head = undefined
    this.#socket.setTimeout(0)
    if (!this.#dialect.hasHandshake) this.#open()
    this.#reader.read(Buffer.from(head.slice(end + 4), "latin1"))
  }

  #open(): void {
    this.#settle?.resolve()
    this.#settle = undefined
  }

  #fail(error: Error): void {
    this.destroy()
    this.#settle?.reject(error)
    this.#listener.failed(error)
  }
}

const chunkBuffer = Buffer.alloc(65_536)

function handshake(port: number, target: string, isCompressed: boolean): string {
  const lines = [
    `GET ${target} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Origin: http://127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: aG9sZGZhc3QtYmVuY2gtMQ==",
    ...(isCompressed ? ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"] : []),
  ]
  return `${lines.join("\r\n")}\r\n\r\n`
}

/** Clients have to mask (RFC 6455, section 5.3); with a key of zeros the payload stays as it is. */
function maskedFrame(head: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([head, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}
