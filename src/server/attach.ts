/**
 * Joins a hub to an HTTP server that the user owns: which upgrades are taken, and who is let in.
 */

import type { IncomingMessage, Server } from "node:http"
import type { Duplex } from "node:stream"
import { Emitter, type ErrorEvent } from "../core/emitter.js"
import { type Logger, resolveLogger } from "../core/logger.js"
import { checkFunction, checkMs, type Given, reject, resolveOptions } from "../core/options.js"
import { type Clock, systemClock } from "../core/timer.js"
import type { Hub } from "../hub/hub.js"
import { Connection } from "../wire/connection.js"
import type { ConnectionOptions } from "../wire/connection-options.js"
import {
  type Acceptance,
  type Authenticate,
  AuthenticateTimeoutError,
  admit,
  isRefusal,
} from "./admission.js"
import { Handshake } from "./handshake.js"
import { ORIGIN_DEFAULTS, OriginCheck, type OriginOptions } from "./origin.js"
import { type PathMatch, type PathParams, PathPattern } from "./path-pattern.js"
import { checkHeaders, type Refusal, refuse } from "./refusal.js"
import { Upgrades, type UpgradeTaker } from "./upgrades.js"

/** How a hub is attached. */
export interface AttachOptions<Data = unknown> extends OriginOptions {
  /** The path of the WebSocket, with `:name` for parameters, or several. @defaultValue "/" */
  readonly path?: string | readonly string[]
  /** Decides who is let in, before the handshake. @defaultValue everybody */
  readonly authenticate?: Authenticate<Data>
  /** How long `authenticate` may take, in milliseconds, before the upgrade is refused with 503. @defaultValue 10_000 */
  readonly authenticateTimeoutMs?: number
  /** Subprotocols this server speaks, best first. @defaultValue the first one the client offers */
  readonly protocols?: readonly string[]
  /** The largest message taken, in bytes; a larger one closes with 1009. @defaultValue 65_536 */
  readonly maxPayloadBytes?: number
  /** How many fragments a message may have; more close with 1008. @defaultValue 128 */
  readonly maxFragments?: number
  /** Takes what nobody listens to; `false` for silence. @defaultValue warnings and errors to the console */
  readonly logger?: Logger | false
  /** Where time comes from. @defaultValue the platform's */
  readonly clock?: Clock
}

type Optional = "authenticate" | "protocols" | "logger"
type AttachSettings = Required<Omit<AttachOptions, Optional>> & {
  [K in Optional]: AttachOptions[K] | undefined
}

const DEFAULTS: AttachSettings = Object.freeze({
  ...ORIGIN_DEFAULTS,
  path: "/",
  authenticate: undefined,
  authenticateTimeoutMs: 10_000,
  protocols: undefined,
  maxPayloadBytes: 65_536,
  maxFragments: 128,
  logger: undefined,
  clock: systemClock,
})

/** What an attachment tells. */
export interface AttachmentEvents {
  /** An upgrade was refused. */
  refused: {
    /** The HTTP status, also where a close code was sent instead. */
    readonly status: number
    /** Which check refused, in a few words. */
    readonly reason: string
    /** The address of the client, where it is known. */
    readonly remoteAddress: string | undefined
  }
  /** Something failed while an upgrade was decided. Stages: `authenticate`, `upgrade`. */
  error: ErrorEvent
}

/**
 * Lets a hub take WebSocket upgrades of an HTTP or HTTPS server. The server stays the user's: its requests and its end
 * are untouched, and its other `upgrade` listeners keep their paths. Two things are Node's and not ours to change: with
 * any `upgrade` listener a request for another upgrade (`h2c`) comes here instead of to the request handler, and a
 * `WebSocketServer` that was itself given the server answers every path, so give it `noServer` instead.
 *
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * const server = http.createServer(app)
 * attach(server, hub, {
 *   path: "/ws/:room",
 *   authenticate: async (request) => (await userOf(request)) ?? { status: 401, body: "log in first" },
 * })
 * server.listen(8080)
 */
export function attach<Incoming, Outgoing, Data>(
  server: Server,
  hub: Hub<Incoming, Outgoing, Data>,
  options: Given<AttachOptions<Data>> = {},
): Attachment {
  return new Attachment(server, hub as unknown as Hub, options as Given<AttachOptions>)
}

/** A hub on an HTTP server. Made by {@link attach}. */
export class Attachment extends Emitter<AttachmentEvents> {
  readonly #hub: Hub
  readonly #authenticate: Authenticate | undefined
  readonly #origins: OriginCheck
  readonly #patterns: readonly PathPattern[]
  readonly #authenticateTimeoutMs: number
  readonly #clock: Clock
  readonly #handshake: Handshake
  readonly #turnedAway: ConnectionOptions
  readonly #detach: () => void

  /** @internal Use {@link attach}. */
  constructor(server: Server, hub: Hub, options: Given<AttachOptions>) {
    const settings = resolveOptions("attach", DEFAULTS, options)
    super(resolveLogger(settings.logger))
    this.#hub = hub
    this.#authenticate = checkFunction("authenticate", settings.authenticate)
    this.#authenticateTimeoutMs = checkMs("authenticateTimeoutMs", settings.authenticateTimeoutMs, 1)
    this.#origins = new OriginCheck(settings)
    this.#patterns = patternsOf(settings.path)
    this.#clock = settings.clock
    this.#handshake = new Handshake({ ...settings, compression: hub.compression })
    // what a client does after it was refused is nobody's news
    this.#turnedAway = { clock: settings.clock, logger: false }
    this.#detach = Upgrades.of(server).add(this.#taker())
  }

  /** Takes no more upgrades. Connections stay; `hub.close()` ends those. */
  close(): void {
    this.#detach()
  }

  #taker(): UpgradeTaker {
    return {
      match: (target) => this.#match(target),
      take: (request, socket, head, match) => {
        this.#take(request, socket, head, match).catch((error: unknown) => {
          this.raise({ error, stage: "upgrade" })
          socket.destroy()
        })
      },
    }
  }

  #match(target: string): PathMatch {
    for (const pattern of this.#patterns) {
      const match = pattern.match(target)
      if (match !== undefined) return match
    }
    return undefined
  }

  async #take(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    match: PathParams | "malformed",
  ): Promise<void> {
    if (match === "malformed") return this.#refuse(request, socket, { status: 400 }, "malformed path")
    if (!this.#origins.allows(request.headers.origin, request.headers.host)) {
      return this.#refuse(request, socket, { status: 403 }, `origin ${request.headers.origin ?? "missing"}`)
    }
    const admission = await this.#admit(request, match)
    if (request.socket.destroyed) return
    if (isRefusal(admission)) return this.#turnAway(request, socket, head, admission)
    this.#handshake.complete(request, socket, head, admission, (webSocket) => {
      const { data, userId } = admission
      this.#hub.add(webSocket, { request, params: match, data, userId })
    })
  }

  async #admit(request: IncomingMessage, params: PathParams): Promise<Acceptance | Refusal> {
    const authenticate = this.#authenticate
    if (!authenticate) return {}
    try {
      const admission = await admit(authenticate, request, params, this.#authenticateTimeoutMs, this.#clock)
      checkHeaders(admission?.headers ?? {})
      return admission ?? {}
    } catch (error) {
      // who has gone needs no answer
      if (!request.socket.destroyed) this.raise({ error, stage: "authenticate" })
      return { status: error instanceof AuthenticateTimeoutError ? 503 : 500 }
    }
  }

  #turnAway(request: IncomingMessage, socket: Duplex, head: Buffer, refusal: Refusal): void {
    const { closeCode, closeReason, status } = refusal
    if (closeCode === undefined) {
      this.#refuse(request, socket, refusal, "authenticate")
      return
    }
    this.#handshake.complete(request, socket, head, {}, (webSocket) => {
      void new Connection(webSocket, {}, this.#turnedAway).close(closeCode, closeReason)
      this.#told(request, status, "authenticate")
    })
  }

  #refuse(request: IncomingMessage, socket: Duplex, refusal: Refusal, reason: string): void {
    refuse(socket, refusal, this.#clock)
    this.#told(request, refusal.status, reason)
  }

  #told(request: IncomingMessage, status: number, reason: string): void {
    this.emit("refused", { status, reason, remoteAddress: request.socket.remoteAddress })
  }
}

function patternsOf(path: string | readonly string[]): readonly PathPattern[] {
  const paths = typeof path === "string" ? [path] : path
  if (!Array.isArray(paths) || paths.length === 0) reject("path", "a string, or a list of strings", path)
  return paths.map((it: string) => new PathPattern(it))
}
