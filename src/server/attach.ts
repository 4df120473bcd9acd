/**
 * Joins a hub to an HTTP server that the user owns: which upgrades are taken, and who is let in.
 */

import type { IncomingMessage, Server } from "node:http"
import type { Duplex } from "node:stream"
import { isSendableCloseCode } from "../core/close-codes.js"
import { Emitter, type ErrorEvent } from "../core/emitter.js"
import { type Logger, resolveLogger } from "../core/logger.js"
import { checkFunction, checkMs, type Given } from "../core/options.js"
import { type Clock, systemClock } from "../core/timer.js"
import type { Hub } from "../hub/hub.js"
import { Connection } from "../wire/connection.js"
import { type Acceptance, type Authenticate, AuthenticateTimeoutError, admit, isRefusal } from "./admission.js"
import { Handshake } from "./handshake.js"
import { OriginCheck, type OriginOptions } from "./origin.js"
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

/** What an attachment tells. */
export interface AttachmentEvents {
  /** An upgrade was refused. */
  refused: { readonly status: number; readonly reason: string; readonly remoteAddress: string | undefined }
  /** Something failed while an upgrade was decided. Stages: `authenticate`, `upgrade`. */
  error: ErrorEvent
}

/**
 * Lets a hub take WebSocket upgrades of an HTTP or HTTPS server. The server stays the user's: its requests, its other
 * `upgrade` listeners and its end are untouched.
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
  return new Attachment(server, hub as unknown as Hub, options as AttachOptions)
}

/** A hub on an HTTP server. Made by {@link attach}. */
export class Attachment extends Emitter<AttachmentEvents> {
  readonly #hub: Hub
  readonly #options: AttachOptions
  readonly #origins: OriginCheck
  readonly #patterns: readonly PathPattern[]
  readonly #authenticateTimeoutMs: number
  readonly #clock: Clock
  readonly #handshake: Handshake
  readonly #detach: () => void

  /** @internal Use {@link attach}. */
  constructor(server: Server, hub: Hub, options: AttachOptions) {
    super(resolveLogger(options.logger))
    const { path = "/" } = options
    this.#hub = hub
    this.#options = options
    this.#origins = new OriginCheck(options)
    this.#patterns = (typeof path === "string" ? [path] : path).map((it) => new PathPattern(it))
    this.#authenticateTimeoutMs = checkMs("authenticateTimeoutMs", options.authenticateTimeoutMs ?? 10_000, 1)
    checkFunction("authenticate", options.authenticate)
    this.#clock = options.clock ?? systemClock
    this.#handshake = new Handshake(options)
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

  async #take(request: IncomingMessage, socket: Duplex, head: Buffer, match: PathParams | "malformed"): Promise<void> {
    if (match === "malformed") return this.#refuse(request, socket, { status: 400 }, "malformed path")
    if (!this.#origins.allows(request.headers.origin, request.headers.host)) {
      return this.#refuse(request, socket, { status: 403 }, `origin ${request.headers.origin ?? "missing"}`)
    }
    const admission = await this.#admit(request, match)
    if (isRefusal(admission)) return this.#turnAway(request, socket, head, admission)
    this.#handshake.complete(request, socket, head, admission, (webSocket) => {
      const { data, userId } = admission
      this.#hub.add(webSocket, { request, params: match, data, userId })
    })
  }

  async #admit(request: IncomingMessage, params: PathParams): Promise<Acceptance | Refusal> {
    const { authenticate } = this.#options
    if (!authenticate) return {}
    try {
      const admission = await admit(authenticate, request, params, this.#authenticateTimeoutMs, this.#clock)
      checkHeaders(admission?.headers ?? {})
      return admission ?? {}
    } catch (error) {
      const isGone = request.socket.destroyed
      if (!isGone) this.raise({ error, stage: "authenticate" })
      return { status: error instanceof AuthenticateTimeoutError ? 503 : 500 }
    }
  }

  #turnAway(request: IncomingMessage, socket: Duplex, head: Buffer, refusal: Refusal): void {
    const { closeCode, closeReason, status } = refusal
    if (closeCode === undefined || !isSendableCloseCode(closeCode)) {
      return this.#refuse(request, socket, refusal, "authenticate")
    }
    this.#handshake.complete(request, socket, head, {}, (webSocket) => {
      void new Connection(webSocket).close(closeCode, closeReason)
      this.#told(request, status, "authenticate")
    })
  }

  #refuse(request: IncomingMessage, socket: Duplex, refusal: Refusal, reason: string): void {
    refuse(socket, refusal)
    this.#told(request, refusal.status, reason)
  }

  #told(request: IncomingMessage, status: number, reason: string): void {
    this.emit("refused", { status, reason, remoteAddress: request.socket.remoteAddress })
  }
}
