/**
 * A hub on an HTTP server: which upgrades are taken, and who is let in. What each check looks at is its own file's.
 */

import type { IncomingMessage, Server } from "node:http"
import type { Duplex } from "node:stream"
import { Emitter, type ErrorEvent } from "../core/emitter.js"
import type { Given } from "../core/options.js"
import type { Hub } from "../hub/hub.js"
import { Connection } from "../wire/connection.js"
import type { ConnectionOptions } from "../wire/connection-options.js"
import {
  type Acceptance,
  Admissions,
  AuthenticateTimeoutError,
  isRefusal,
  NoMoreUpgradesError,
} from "./admission.js"
import { type AttachOptions, type AttachSettings, resolveAttach } from "./attach-options.js"
import { Handshake } from "./handshake.js"
import { findProblem } from "./handshake-request.js"
import { OriginCheck } from "./origin.js"
import type { PathMatch, PathParams } from "./path-pattern.js"
import { checkHeaders, type Refusal, type RefusalCheck, refuse } from "./refusal.js"
import { parseTarget } from "./request-target.js"
import { Upgrades, type UpgradeTaker } from "./upgrades.js"

/** What an attachment tells. */
export interface AttachmentEvents {
  /** An upgrade was refused. */
  refused: {
    /** The HTTP status, also where a close code was sent instead. */
    readonly status: number
    /** Which check refused. */
    readonly check: RefusalCheck
    /** What it found, in a few words. */
    readonly reason: string
    /** The address of the client, where it is known. */
    readonly remoteAddress: string | undefined
  }
  /** Something failed while an upgrade was decided. Stages: `authenticate`, `upgrade`. */
  error: ErrorEvent
}

/** A hub on an HTTP server. Made by {@link attach}. */
export class Attachment extends Emitter<AttachmentEvents> {
  readonly #hub: Hub
  readonly #settings: AttachSettings
  readonly #admissions: Admissions | undefined
  readonly #origins: OriginCheck
  readonly #handshake: Handshake
  readonly #detach: () => void
  /** What a client does after it was refused is nobody's news. */
  readonly #unheard: ConnectionOptions
  /** Sockets that were let in only to be told why they are not. */
  readonly #turnedAway = new Set<Connection>()
  #isClosed = false

  /** @internal Use {@link attach}. */
  constructor(server: Server, hub: Hub, options: Given<AttachOptions>) {
    const settings = resolveAttach(options)
    super(settings.logger)
    const { authenticate, authenticateTimeoutMs, clock } = settings
    this.#hub = hub
    this.#settings = settings
    this.#admissions = authenticate && new Admissions(authenticate, authenticateTimeoutMs, clock)
    this.#origins = new OriginCheck(settings)
    this.#handshake = new Handshake(settings)
    this.#unheard = { clock, logger: false }
    this.#detach = Upgrades.of(server).add(this.#taker())
  }

  /**
   * Takes no more upgrades: those that `authenticate` still decides about are refused with 503, and sockets that were
   * refused by a close code end at once. Connections stay; `hub.close()` ends those. Calling it again changes nothing.
   */
  close(): void {
    this.#isClosed = true
    this.#detach()
    this.#admissions?.abort(new NoMoreUpgradesError("the attachment was closed"))
    for (const connection of this.#turnedAway) connection.terminate()
  }

  #taker(): UpgradeTaker {
    return {
      match: (path) => this.#match(path),
      take: (request, socket, head, match) => {
        this.#take(request, socket, head, match).catch((error: unknown) => {
          this.raise({ error, stage: "upgrade" })
          socket.destroy()
        })
      },
      unknown: (request) => this.#told(request, 404, "path", "unknown path"),
    }
  }

  #match(path: string): PathMatch {
    for (const pattern of this.#settings.patterns) {
      const match = pattern.match(path)
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
    const problem = findProblem(request)
    if (problem) return this.#refuse(request, socket, problem.refusal, "request", problem.reason)
    if (match === "malformed") return this.#refuse(request, socket, { status: 400 }, "path", "malformed path")
    const { origin, host } = request.headers
    if (!this.#origins.allows(origin, parseTarget(request.url ?? "/").authority ?? host)) {
      return this.#refuse(request, socket, { status: 403 }, "origin", `origin ${origin ?? "missing"}`)
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
    if (!this.#admissions) return {}
    try {
      const admission = await this.#admissions.admit(request, params)
      checkHeaders(admission?.headers ?? {})
      return this.#isClosed ? { status: 503 } : (admission ?? {})
    } catch (error) {
      if (error instanceof NoMoreUpgradesError) return { status: 503 }
      // who has gone needs no answer
      if (!request.socket.destroyed) this.raise({ error, stage: "authenticate" })
      return { status: error instanceof AuthenticateTimeoutError ? 503 : 500 }
    }
  }

  #turnAway(request: IncomingMessage, socket: Duplex, head: Buffer, refusal: Refusal): void {
    const { closeCode, closeReason, status } = refusal
    const check = this.#isClosed ? "closing" : "authenticate"
    if (closeCode === undefined) {
      this.#refuse(request, socket, refusal, check, check)
      return
    }
    this.#handshake.complete(request, socket, head, {}, (webSocket) => {
      const connection = new Connection(webSocket, {}, this.#unheard)
      this.#turnedAway.add(connection)
      connection.on("close", () => this.#turnedAway.delete(connection))
      void connection.close(closeCode, closeReason)
      this.#told(request, status, check, check)
    })
  }

  #refuse(
    request: IncomingMessage,
    socket: Duplex,
    refusal: Refusal,
    check: RefusalCheck,
    reason: string,
  ): void {
    refuse(socket, refusal, this.#settings.clock)
    this.#told(request, refusal.status, check, reason)
  }

  #told(request: IncomingMessage, status: number, check: RefusalCheck, reason: string): void {
    this.emit("refused", { status, check, reason, remoteAddress: request.socket.remoteAddress })
  }
}
