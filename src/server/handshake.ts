/**
 * The handshake itself, done by `ws` (RFC 6455, section 4.2). The only file that imports it.
 */

import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { WebSocket, WebSocketServer } from "ws"
import { checkCount, reject } from "../core/options.js"
import type { CompressionSettings } from "../wire/compression.js"
import type { SocketLike } from "../wire/socket.js"
import { guard } from "../wire/socket-guard.js"
import { releaseInflater } from "./idle-inflater.js"
import type { Refused } from "./refusal.js"

/** What a handshake goes by, whoever the client is. */
export interface HandshakeSettings {
  /** Subprotocols this server speaks, best first. */
  readonly protocols: readonly string[] | undefined
  /** The largest message taken, in bytes. */
  readonly maxPayloadBytes: number
  /** How many fragments a message may have. */
  readonly maxFragments: number
  /** How the hub compresses; `false` where it does not, and then nothing is agreed on. */
  readonly compression: CompressionSettings | false
}

/** What is decided for one client. */
export interface HandshakeAnswer {
  /** The subprotocol to agree on. */
  readonly protocol?: string
  /** Headers of the 101 answer. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A socket that is a connection's from the beginning. */
class GuardedWebSocket extends WebSocket {
  /** Who is pinged has been silent: that is what a heartbeat pings for. */
  override ping(...args: unknown[]): void {
    releaseInflater(this)
    super.ping(...(args as Parameters<WebSocket["ping"]>))
  }
}
guard(GuardedWebSocket.prototype)

/** Completes handshakes, one at a time: `ws` does each within one synchronous call. */
export class Handshake {
  readonly #protocols: readonly string[] | undefined
  readonly #server: WebSocketServer
  #answer: HandshakeAnswer = {}
  #refused: Refused | undefined

  /** @throws InvalidOptionError with the value received. */
  constructor({ protocols, maxPayloadBytes, maxFragments, compression }: HandshakeSettings) {
    const isList = Array.isArray(protocols) && protocols.every((it) => typeof it === "string")
    if (protocols !== undefined && !isList) reject("protocols", "a list of strings", protocols)
    this.#protocols = protocols
    const options = {
      noServer: true,
      WebSocket: GuardedWebSocket,
      clientTracking: false,
      perMessageDeflate: compression && deflateOptions(compression),
      maxPayload: checkLimit("maxPayloadBytes", maxPayloadBytes),
      maxFragments: checkLimit("maxFragments", maxFragments),
      handleProtocols: (offered: Set<string>) => this.#choose(offered),
    }
    this.#server = new WebSocketServer(options)
    // with a listener it leaves the answer to us: what it still refuses is an offer of extensions
    this.#server.on("wsClientError", () => {
      this.#refused = { refusal: { status: 400 }, check: "request", reason: "a bad list of extensions" }
    })
    this.#server.on("headers", (lines) => {
      for (const [name, value] of Object.entries(this.#answer.headers ?? {})) lines.push(`${name}: ${value}`)
    })
  }

  /**
   * Answers 101 and returns the open socket; `undefined` when the client has gone meanwhile. What cannot be agreed on is
   * refused, and not answered.
   */
  complete(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    answer: HandshakeAnswer,
  ): SocketLike | Refused | undefined {
    let opened: SocketLike | undefined
    this.#answer = answer
    this.#refused = undefined
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      opened = webSocket
    })
    return opened ?? this.#refused
  }

  #choose(offered: Set<string>): string | false {
    const { protocol } = this.#answer
    if (protocol !== undefined) return offered.has(protocol) && protocol
    if (this.#protocols) return this.#protocols.find((it) => offered.has(it)) ?? false
    return [...offered][0] ?? false
  }
}

/**
 * The hub compresses each message by itself, so neither side keeps a context. `ws` inflates what comes in, and must
 * compress nothing: it would do so for each receiver.
 */
function deflateOptions({ maxWindowBits }: CompressionSettings) {
  return {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    ...(maxWindowBits < 15 && { serverMaxWindowBits: maxWindowBits }),
    threshold: Number.POSITIVE_INFINITY,
  }
}

/** `ws` keeps limits as 32-bit integers: what does not fit would be no limit at all. */
const MAX_LIMIT = 2_147_483_647

function checkLimit(name: string, limit: number): number {
  if (checkCount(name, limit) > MAX_LIMIT) reject(name, `at most ${MAX_LIMIT}`, limit)
  return limit
}
