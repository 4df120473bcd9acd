/**
 * A hub on an HTTP server. It knows who came in through it; how one gets in is the entrance's business, and what is said
 * inside the hub's.
 */

import type { Server } from "node:http"
import { Emitter, type ErrorEvent, loggable } from "../core/emitter.js"
import { isLevelOn } from "../core/logger.js"
import type { Given } from "../core/options.js"
import type { HubCounters } from "../hub/hub-counters.js"
import type { AddOptions } from "../hub/newcomer.js"
import type { CompressionSettings } from "../wire/compression.js"
import { withResolvers } from "../wire/message-iterator.js"
import type { SocketLike } from "../wire/socket.js"
import { type AttachOptions, type AttachSettings, resolveAttach } from "./attach-options.js"
import type { Place } from "./connection-limits.js"
import { type Drainable, type DrainOptions, type DrainReport, drain, resolveDrain } from "./drain.js"
import { Entrance, type EntranceOwner, type Visitor } from "./entrance.js"
import type { HealthReport, HealthSource, NotReady, ReadyReport } from "./health.js"
import type { PathMatch } from "./path-pattern.js"
import type { RefusalCheck, Refused } from "./refusal.js"
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
    /** What the log lines about it are found by. */
    readonly correlationId: string
  }
  /** Something failed while an upgrade was decided. Stages: `limits`, `authenticate`, `upgrade`. */
  error: ErrorEvent
}

/** What became of an upgrade: taken, left by its client while it was decided, or refused by a check. */
type UpgradeResult = "accepted" | "gone" | RefusalCheck

/** What an attachment needs of a hub, whatever its messages are: a `Hub` of any types. */
export interface AttachedHub {
  /** How many connections it has. */
  readonly size: number
  /** Its connections, by id. */
  readonly connections: ReadonlyMap<string, Drainable>
  /** Bytes that wait for slow readers. */
  readonly bufferedBytes: number
  /** @internal Whether it takes nobody new. */
  readonly isClosing: boolean
  /** @internal What it counts. */
  readonly counters: HubCounters
  /** @internal How it compresses. */
  readonly compression: CompressionSettings | false
  /** Takes over an open socket. Its data is what `authenticate` made, and {@link attach} sees to it that the hub knows such. */
  add(socket: SocketLike, options?: AddOptions): unknown
  /** Listens to the ends of connections. Returns the undo. */
  on(event: "close", listener: (end: { readonly connection: { readonly id: string } }) => void): () => void
}

/** A hub on an HTTP server. Made by {@link attach}. */
export class Attachment extends Emitter<AttachmentEvents> implements HealthSource {
  readonly #hub: AttachedHub
  readonly #settings: AttachSettings
  readonly #entrance: Entrance
  readonly #detach: () => void
  readonly #unlisten: () => void
  /** By the ids of connections: a place is taken before anybody hears of its connection. */
  readonly #places = new Map<string, Place>()
  #isClosed = false
  #draining: Promise<DrainReport> | undefined

  /** @internal Use {@link attach}. */
  constructor(server: Server, hub: AttachedHub, options: Given<AttachOptions>) {
    const settings = resolveAttach(options)
    super(settings.logger)
    this.#hub = hub
    this.#settings = settings
    this.#entrance = new Entrance(settings, hub.compression, this.#makeOwner())
    this.#unlisten = hub.on("close", ({ connection }) => this.#left(connection.id))
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

  /**
   * Empties this server before it stops: from now on {@link ready} is false and every upgrade is refused with 503, and
   * the connections that came in here are closed with 1012, idle ones first and spread over `windowMs`. What was sent to
   * a connection before goes before its close. The HTTP server and the hub are yours to close afterwards.
   *
   * @returns What became of the connections, once the last has ended. Later calls return the same.
   * @throws InvalidOptionError with the value received.
   */
  drain(options?: Given<DrainOptions>): Promise<DrainReport> {
    if (this.#draining) return this.#draining
    const settings = resolveDrain(options)
    const { promise, resolve, reject } = withResolvers<DrainReport>()
    // known before anything is done: whoever is told of it may call this as well
    this.#draining = promise
    this.#drain(settings).then(resolve, reject)
    return promise
  }

  /** That this process lives, and what it is doing. */
  health(): HealthReport {
    const { size: connections, counters } = this.#hub
    return {
      ok: true,
      connections,
      isDraining: this.#draining !== undefined,
      adapter: counters.adapter.state,
    }
  }

  /** Whether this process should get new connections. */
  ready(): ReadyReport {
    const { adapterGraceMs, maxTotalBufferedBytes } = this.#settings.readiness
    const { bufferedBytes, counters, isClosing } = this.#hub
    const { adapter } = counters
    const isCutOff = adapter.state === "down" || adapter.state === "connecting"
    const reasons: NotReady[] = []
    if (this.#isClosed || this.#draining || isClosing) reasons.push("closing")
    if (this.#entrance.limits.isFull || bufferedBytes > maxTotalBufferedBytes) reasons.push("overloaded")
    if (isCutOff && adapter.forMs > adapterGraceMs) reasons.push("adapter")
    return { ready: reasons.length === 0, reasons }
  }

  async #drain(settings: ReturnType<typeof resolveDrain>): Promise<DrainReport> {
    const { windowMs, code } = settings
    this.#entrance.close()
    this.#log("info", "drain.begin", { connections: this.#places.size, windowMs, code }, "drain begins")
    const report = await drain(this.#connections, settings, this.#settings.clock)
    this.#log("info", "drain.end", report, "drain ended")
    return report
  }

  /** Those that came in here. */
  get #connections(): Drainable[] {
    const all = [...this.#places.keys()].map((id) => this.#hub.connections.get(id))
    return all.filter((it) => it !== undefined)
  }

  #makeTaker(): UpgradeTaker {
    return {
      headTimeoutMs: this.#settings.handshakeTimeoutMs,
      clock: this.#settings.clock,
      match: (path) => this.#match(path),
      take: (request, socket, head, match) => this.#entrance.take(request, socket, head, match),
      unknown: (request) => {
        this.#refused(this.#entrance.visitorOf(request), {
          refusal: { status: 404 },
          check: "path",
          reason: "unknown path",
        })
      },
    }
  }

  #makeOwner(): EntranceOwner {
    return {
      entered: (webSocket, upgrade, { data, userId, expiresAt }, place) => {
        const { id, correlationId, request, params, remoteAddress } = upgrade
        const inboundLimits = this.#settings.limits.inbound
        const who = { id, correlationId, params, remoteAddress, data, userId, expiresAt }
        this.#places.set(id, place)
        try {
          this.#hub.add(webSocket, { request, inboundLimits, ...who })
        } catch (error) {
          this.#places.delete(id)
          throw error
        }
        this.#count("accepted")
      },
      refused: (visitor, refused) => this.#refused(visitor, refused),
      gone: ({ correlationId, remoteAddress }) => {
        this.#count("gone")
        this.#log("debug", "upgrade.gone", { correlationId, remoteAddress }, "client has gone")
      },
      failed: ({ correlationId }, event) => {
        if (this.emit("error", event)) return
        const fields = { stage: event.stage, correlationId, ...loggable(event.error) }
        this.#log("error", "error", fields, "an error that nobody listens to")
      },
    }
  }

  #refused({ correlationId, remoteAddress }: Visitor, { refusal, check, reason }: Refused): void {
    const refused = { status: refusal.status, check, reason, remoteAddress, correlationId }
    this.#count(check)
    this.#log("info", "upgrade.refused", refused, "upgrade refused")
    this.emit("refused", refused)
  }

  #log(level: "debug" | "info" | "error", event: string, fields: object, message: string): void {
    if (isLevelOn(this.logger, level)) this.logger[level]({ event, ...fields }, message)
  }

  #count(result: UpgradeResult): void {
    this.#hub.counters.upgrades.add(result)
  }

  #match(path: string): PathMatch {
    for (const pattern of this.#settings.patterns) {
      const match = pattern.match(path)
      if (match !== undefined) return match
    }
    return undefined
  }

  #left(id: string): void {
    const place = this.#places.get(id)
    if (!place) return
    this.#places.delete(id)
    this.#entrance.limits.leave(place)
    if (this.#isClosed && this.#places.size === 0) this.#unlisten()
  }
}
