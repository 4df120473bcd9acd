/**
 * The way in for one upgrade after another: every check in its order, cheap ones first, and nothing about the client is
 * asked before there is a place for it. What becomes of an open socket is its owner's business.
 */

import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { correlationOf } from "../core/correlation.js"
import type { ErrorEvent } from "../core/emitter.js"
import { hasErrorCode } from "../core/errors.js"
import { after, settle } from "../core/maybe-promise.js"
import { type Clock, Timer } from "../core/timer.js"
import type { MaybePromise } from "../core/types.js"
import type { CompressionSettings } from "../wire/compression.js"
import { Connection } from "../wire/connection.js"
import { type ConnectionOptions, NO_PARAMS, randomId } from "../wire/connection-options.js"
import type { SocketLike } from "../wire/socket.js"
import {
  type Acceptance,
  Admissions,
  AuthenticateTimeoutError,
  isRefusal,
  NoMoreUpgradesError,
} from "./admission.js"
import type { AttachSettings } from "./attach-options.js"
import { ClientAddress } from "./client-address.js"
import { ConnectionLimits, type Place, sharedBreach } from "./connection-limits.js"
import { Handshake } from "./handshake.js"
import { findProblem } from "./handshake-request.js"
import type { SharedLimiter } from "./limit-options.js"
import { OriginCheck } from "./origin.js"
import type { PathParams } from "./path-pattern.js"
import { checkHeaders, type Refusal, type Refused, refuse, retryAfterSeconds } from "./refusal.js"
import { parseTarget } from "./request-target.js"

/** Who asks for an upgrade, as far as that is known before anybody is asked. */
export interface Visitor {
  /** The client's address, where it is known. */
  readonly remoteAddress: string | undefined
  /** What the log lines about it are found by. */
  readonly correlationId: string
}

/** One upgrade on its way in. */
export interface Upgrade extends Visitor {
  /** What its connection will be called. */
  readonly id: string
  /** The request. */
  readonly request: IncomingMessage
  /** The stream it came in on. */
  readonly socket: Duplex
  /** What came behind its head. */
  readonly head: Buffer
  /** Parameters of its path. */
  readonly params: PathParams
}

/** Whose entrance it is. */
export interface EntranceOwner {
  /** Somebody is in. The place is given back to {@link Entrance.limits} when it becomes free. */
  entered(webSocket: SocketLike, upgrade: Upgrade, acceptance: Acceptance, place: Place): void
  /** Somebody was refused. */
  refused(visitor: Visitor, refused: Refused): void
  /** Somebody went while being decided about. */
  gone(visitor: Visitor): void
  /** Something did not work. */
  failed(visitor: Visitor, event: ErrorEvent): void
}

/** How long a limiter that nodes share may take to answer, in milliseconds. */
const SHARED_TIMEOUT_MS = 1_000

/** Lets upgrades in, or refuses them. */
export class Entrance {
  /** Who is in, by number. */
  readonly limits: ConnectionLimits
  readonly #owner: EntranceOwner
  readonly #clock: Clock
  readonly #addresses: ClientAddress
  readonly #origins: OriginCheck
  readonly #shared: SharedLimiter | undefined
  readonly #admissions: Admissions | undefined
  readonly #handshake: Handshake
  /** What a client does after it was refused is nobody's news. */
  readonly #unheard: ConnectionOptions
  /** Sockets that were let in only to be told why they are not. */
  readonly #turnedAway = new Set<Connection>()
  #isClosing = false

  /** @throws InvalidOptionError with the value received. */
  constructor(settings: AttachSettings, compression: CompressionSettings | false, owner: EntranceOwner) {
    const { authenticate, authenticateTimeoutMs, limits, clock } = settings
    this.#owner = owner
    this.#clock = clock
    this.limits = new ConnectionLimits(limits, clock)
    this.#addresses = new ClientAddress(settings)
    this.#origins = new OriginCheck(settings)
    this.#shared = limits.shared
    this.#admissions = authenticate && new Admissions(authenticate, authenticateTimeoutMs, clock)
    this.#handshake = new Handshake({ ...settings, compression })
    this.#unheard = { clock, logger: false }
  }

  /** Refuses everybody from now on, with 503, and whoever is being decided about as well. */
  close(): void {
    this.#isClosing = true
    this.#admissions?.abort(new NoMoreUpgradesError("no more upgrades are taken"))
  }

  /** Ends the sockets of those who were refused by a close code, and have not gone yet. */
  clear(): void {
    for (const connection of this.#turnedAway) connection.terminate()
  }

  /** Takes an upgrade as far as it gets: where everybody answers at once, all the way. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer, match: PathParams | "malformed"): void {
    const params = match === "malformed" ? NO_PARAMS : match
    const { id, remoteAddress, correlationId } = this.visitorOf(request)
    const upgrade = { request, socket, head, params, id, remoteAddress, correlationId }
    const place = this.#inspect(request, match) ?? this.limits.enter(remoteAddress)
    if ("refusal" in place) return void this.#refuse(upgrade, place)
    void after(this.#ask(upgrade), (answer) => this.#settle(upgrade, place, answer))
  }

  /** Who asks. Without an id of its own a request is found by what its connection is called. */
  visitorOf(request: IncomingMessage): Visitor & Pick<Upgrade, "id"> {
    const id = randomId()
    return {
      id,
      remoteAddress: this.#addresses.of(request),
      correlationId: correlationOf(request.headers) ?? id,
    }
  }

  /** What the request alone says against it. */
  #inspect(request: IncomingMessage, match: PathParams | "malformed"): Refused | undefined {
    if (this.#isClosing) return closing()
    const problem = findProblem(request)
    if (problem) return problem
    if (match === "malformed") {
      return { refusal: { status: 400 }, check: "path", reason: "malformed path" }
    }
    const { origin, host } = request.headers
    if (this.#origins.allows(origin, parseTarget(request.url ?? "/").authority ?? host)) return undefined
    return { refusal: { status: 403 }, check: "origin", reason: `origin ${origin ?? "missing"}` }
  }

  /** Those who have been asked have answered. */
  #settle(upgrade: Upgrade, place: Place, answer: Acceptance | Refused): void {
    let isIn = false
    try {
      isIn = this.#complete(upgrade, place, answer)
    } catch (error) {
      this.#owner.failed(upgrade, { error, stage: "upgrade" })
      upgrade.socket.destroy()
    } finally {
      if (!isIn) this.limits.leave(place)
    }
  }

  /** Returns whether the upgrade has become a connection. */
  #complete(upgrade: Upgrade, place: Place, answer: Acceptance | Refused): boolean {
    // who has gone needs no answer
    if (upgrade.request.socket.destroyed) return this.#gone(upgrade)
    // the last word before the handshake: between a yes and this there are turns in which a drain may begin
    if (this.#isClosing) return this.#refuse(upgrade, closing())
    const refused = "refusal" in answer ? answer : this.limits.claim(place, answer.userId)
    if (refused) return this.#turnAway(upgrade, refused)
    const acceptance = answer as Acceptance
    const opened = this.#handshake.complete(upgrade.request, upgrade.socket, upgrade.head, acceptance)
    if (!opened) return this.#gone(upgrade)
    if ("refusal" in opened) return this.#refuse(upgrade, opened)
    this.#owner.entered(opened, upgrade, acceptance, place)
    return true
  }

  #gone(visitor: Visitor): false {
    this.#owner.gone(visitor)
    return false
  }

  /** Asks those who may take their time. Never throws and never rejects. */
  #ask(upgrade: Upgrade): MaybePromise<Acceptance | Refused> {
    if (!this.#shared || upgrade.remoteAddress === undefined) return this.#askApplication(upgrade)
    return this.#askShared(this.#shared, upgrade.remoteAddress, upgrade).then(
      (refused) => refused ?? (this.#isOver(upgrade) ? {} : this.#askApplication(upgrade)),
    )
  }

  /** Whether nothing that anybody says could let it in any more. */
  #isOver({ request }: Upgrade): boolean {
    return this.#isClosing || request.socket.destroyed
  }

  /** Whether the nodes together have had enough of an address. Who cannot be asked is no reason to refuse anybody. */
  async #askShared(
    shared: SharedLimiter,
    remoteAddress: string,
    visitor: Visitor,
  ): Promise<Refused | undefined> {
    let late: Timer | undefined
    try {
      const answer = shared.consume(remoteAddress)
      const deadline = new Promise((_resolve, reject) => {
        const error = new Error(`the shared limiter took more than ${SHARED_TIMEOUT_MS} ms`)
        late = new Timer(this.#clock, () => reject(error))
        late.start(SHARED_TIMEOUT_MS)
      })
      await Promise.race([answer, deadline])
      return undefined
    } catch (error) {
      const refused = sharedBreach(error)
      if (!refused) this.#owner.failed(visitor, { error, stage: "limits" })
      return refused
    } finally {
      late?.stop()
    }
  }

  #askApplication(upgrade: Upgrade): MaybePromise<Acceptance | Refused> {
    return settle(
      () => after(this.#admissions?.admit(upgrade.request, upgrade), (it) => this.#judge(it ?? {})),
      (answer) => answer,
      (error) => this.#excuse(upgrade, error),
    )
  }

  /** What the application's word means. */
  #judge(admission: Acceptance | Refusal): Acceptance | Refused {
    if (admission.headers !== undefined) checkHeaders(admission.headers)
    if (isRefusal(admission)) return refusedBy(admission, admission.reason ?? "authenticate")
    const { expiresAt } = admission
    const isExpired = expiresAt !== undefined && Number(expiresAt) <= this.#clock.date()
    return isExpired ? refusedBy({ status: 401 }, "the login has expired") : admission
  }

  /** What it means that the application has none. */
  #excuse(upgrade: Upgrade, error: unknown): Refused {
    if (error instanceof NoMoreUpgradesError) return closing()
    if (!upgrade.request.socket.destroyed) this.#owner.failed(upgrade, { error, stage: "authenticate" })
    if (hasErrorCode(error, "AUTH_UNAVAILABLE"))
      return refusedBy({ status: 503 }, "authenticate cannot decide now")
    return error instanceof AuthenticateTimeoutError
      ? refusedBy({ status: 503 }, "authenticate took too long")
      : refusedBy({ status: 500 }, "authenticate failed")
  }

  /** Refuses by HTTP, or by a close code where a page is to read it. */
  #turnAway(upgrade: Upgrade, refused: Refused): false {
    const { closeCode, closeReason } = refused.refusal
    if (closeCode === undefined) return this.#refuse(upgrade, refused)
    const opened = this.#handshake.complete(upgrade.request, upgrade.socket, upgrade.head, {})
    if (!opened) return this.#gone(upgrade)
    if ("refusal" in opened) return this.#refuse(upgrade, opened)
    const connection = new Connection(opened, {}, this.#unheard)
    this.#turnedAway.add(connection)
    connection.on("close", () => this.#turnedAway.delete(connection))
    void connection.close(closeCode, closeReason)
    this.#owner.refused(upgrade, refused)
    return false
  }

  #refuse(upgrade: Upgrade, refused: Refused): false {
    refuse(upgrade.socket, refused.refusal, this.#clock)
    this.#owner.refused(upgrade, refused)
    return false
  }
}

function refusedBy(refusal: Refusal, reason: string): Refused {
  return { refusal, check: "authenticate", reason }
}

/** Another node, or the next process on this port, will take it in a moment. */
function closing(): Refused {
  const headers = { "Retry-After": String(retryAfterSeconds(1, 5)) }
  return { refusal: { status: 503, headers }, check: "closing", reason: "no more upgrades are taken" }
}
