/**
 * A hub on an HTTP server. It knows who came in through it; how one gets in is the entrance's business, and what is said
 * inside the hub's.
 */

import type { Server } from "node:http"
import { Emitter, type ErrorEvent } from "../core/emitter.js"
import type { Given } from "../core/options.js"
import type { Hub } from "../hub/hub.js"
import type { HubConnection } from "../hub/hub-connection.js"
import { type AttachOptions, type AttachSettings, resolveAttach } from "./attach-options.js"
import type { Place } from "./connection-limits.js"
import { Entrance, type EntranceOwner } from "./entrance.js"
import type { PathMatch } from "./path-pattern.js"
import type { RefusalCheck } from "./refusal.js"
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
  /** Something failed while an upgrade was decided. Stages: `limits`, `authenticate`, `upgrade`. */
  error: ErrorEvent
}

/** A hub on an HTTP server. Made by {@link attach}. */
export class Attachment extends Emitter<AttachmentEvents> {
  readonly #hub: Hub
  readonly #settings: AttachSettings
  readonly #entrance: Entrance
  readonly #detach: () => void
  readonly #unlisten: () => void
  readonly #places = new Map<HubConnection, Place>()
  #isClosed = false

  /** @internal Use {@link attach}. */
  constructor(server: Server, hub: Hub, options: Given<AttachOptions>) {
    const settings = resolveAttach(options)
    super(settings.logger)
    this.#hub = hub
    this.#settings = settings
    this.#entrance = new Entrance(settings, hub.compression, this.#makeOwner())
    this.#unlisten = hub.on("close", ({ connection }) => this.#left(connection))
    this.#detach = Upgrades.of(server).add(this.#makeTaker())
  }

  /**
   * Takes no more upgrades: those that `authenticate` still decides about are refused with 503, and sockets that were
   * refused by a close code end at once. Connections stay; `hub.close()` ends those. Calling it again changes nothing.
   */
  close(): void {
    this.#isClosed = true
    this.#detach()
    this.#entrance.close()
    this.#entrance.clear()
    if (this.#places.size === 0) this.#unlisten()
  }

  #makeTaker(): UpgradeTaker {
    return {
      headTimeoutMs: this.#settings.handshakeTimeoutMs,
      clock: this.#settings.clock,
      match: (path) => this.#match(path),
      take: (request, socket, head, match) => {
        this.#entrance.take(request, socket, head, match).catch((error: unknown) => {
          this.raise({ error, stage: "upgrade" })
          socket.destroy()
        })
      },
      unknown: ({ socket: { remoteAddress } }) => {
        this.emit("refused", { status: 404, check: "path", reason: "unknown path", remoteAddress })
      },
    }
  }

  #makeOwner(): EntranceOwner {
    return {
      entered: (webSocket, { request, params, remoteAddress }, { data, userId, expiresAt }, place) => {
        const inboundLimits = this.#settings.limits.inbound
        const identity = { request, params, remoteAddress, data, userId, expiresAt, inboundLimits }
        const connection = this.#hub.add(webSocket, identity)
        this.#places.set(connection, place)
      },
      refused: (_request, remoteAddress, { refusal: { status }, check, reason }) => {
        this.emit("refused", { status, check, reason, remoteAddress })
      },
      failed: (event) => this.raise(event),
    }
  }

  #match(path: string): PathMatch {
    for (const pattern of this.#settings.patterns) {
      const match = pattern.match(path)
      if (match !== undefined) return match
    }
    return undefined
  }

  #left(connection: HubConnection): void {
    const place = this.#places.get(connection)
    if (!place) return
    this.#places.delete(connection)
    this.#entrance.limits.leave(place)
    if (this.#isClosed && this.#places.size === 0) this.#unlisten()
  }
}
