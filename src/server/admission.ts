/**
 * Asks the application whether an upgrade is let in, for a limited time. It knows the request, not the handshake.
 */

import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { isThenable } from "../core/maybe-promise.js"
import { checkMoment, reject } from "../core/options.js"
import { type Clock, Timer } from "../core/timer.js"
import type { MaybePromise } from "../core/types.js"
import { checkName } from "../wire/name.js"
import type { PathParams } from "./path-pattern.js"
import { checkRefusal, type Refusal } from "./refusal.js"

/** Lets a connection in, with what is known about it. */
export interface Acceptance<Data = unknown> {
  /** The application's own state of the connection. @defaultValue undefined */
  readonly data?: Data
  /** Whose connection it is. @defaultValue undefined */
  readonly userId?: string
  /**
   * When the login ends, as a `Date` or in milliseconds since 1970: the connection is closed with 4401 then, unless
   * `connection.renew` was called. One that has passed is refused with 401.
   * @defaultValue never
   */
  readonly expiresAt?: number | Date
  /** The subprotocol to agree on; one that the client offered. @defaultValue as the `protocols` option says */
  readonly protocol?: string
  /** Headers of the 101 answer, such as `Set-Cookie`. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>>
  /** Never there: a status makes a refusal. */
  readonly status?: never
}

/** What an application may say about an upgrade. `undefined` lets it in. */
export type Admission<Data = unknown> = Acceptance<Data> | Refusal | undefined

/** What `authenticate` is told besides the request. */
export interface AdmissionContext {
  /** Parameters of the path. */
  readonly params: PathParams
  /** The address of the client, as `trustedProxies` tells it; `undefined` where it is not known. */
  readonly remoteAddress: string | undefined
  /** What the log lines about this upgrade and its connection are found by. */
  readonly correlationId: string
  /** Aborted when the client has gone, the time is over, or the attachment takes no more upgrades. */
  readonly signal: AbortSignal
}

/** Decides about an upgrade, before the handshake. May be async. */
export type Authenticate<Data = unknown> = (
  request: IncomingMessage,
  context: AdmissionContext,
) => MaybePromise<Admission<Data>>

/** `authenticate` did not decide in time. */
export class AuthenticateTimeoutError extends Error {
  /** Always `AuthenticateTimeoutError`. */
  override readonly name = "AuthenticateTimeoutError"
}

/** Why an upgrade that is being decided is not let in any more, whatever `authenticate` says. */
export class NoMoreUpgradesError extends Error {
  /** Always `NoMoreUpgradesError`. */
  override readonly name = "NoMoreUpgradesError"
}

/** Asks `authenticate`, about many upgrades at once. */
export class Admissions<Data = unknown> {
  readonly #authenticate: Authenticate<Data>
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #pending = new Set<AbortController>()

  constructor(authenticate: Authenticate<Data>, timeoutMs: number, clock: Clock) {
    this.#authenticate = authenticate
    this.#timeoutMs = timeoutMs
    this.#clock = clock
  }

  /**
   * Throws, or rejects, when `authenticate` does or returns nonsense; rejects when its time is over, and when the client
   * goes. An answer that is there at once is returned at once.
   */
  admit(
    request: IncomingMessage,
    { params, remoteAddress, correlationId }: Omit<AdmissionContext, "signal">,
  ): MaybePromise<Admission<Data>> {
    const context = new Context(params, remoteAddress, correlationId)
    const decided = this.#authenticate(request, context)
    if (!isThenable(decided)) return checkAdmission(decided)
    return this.#wait(decided, request.socket, context.abort).then(checkAdmission)
  }

  async #wait(
    decided: PromiseLike<Admission<Data>>,
    socket: Duplex,
    abort: AbortController,
  ): Promise<Admission<Data>> {
    const timer = new Timer(this.#clock, () => abort.abort(this.#late()))
    const unwatch = whenGone(socket, () => abort.abort(new Error("the client has gone")))
    this.#pending.add(abort)
    timer.start(this.#timeoutMs)
    try {
      return await Promise.race([decided, aborted(abort.signal)])
    } finally {
      this.#pending.delete(abort)
      timer.stop()
      unwatch()
    }
  }

  /** Rejects whatever is being decided. */
  abort(reason: NoMoreUpgradesError): void {
    for (const it of this.#pending) it.abort(reason)
  }

  #late(): Error {
    return new AuthenticateTimeoutError(`authenticate took more than ${this.#timeoutMs} ms`)
  }
}

/** Most answer at once and never look at the signal, so it is made for those who do. */
class Context implements AdmissionContext {
  #abort: AbortController | undefined

  constructor(
    readonly params: PathParams,
    readonly remoteAddress: string | undefined,
    readonly correlationId: string,
  ) {}

  get signal(): AbortSignal {
    return this.abort.signal
  }

  get abort(): AbortController {
    this.#abort ??= new AbortController()
    return this.#abort
  }
}

/** Tells a refusal from an acceptance. */
export function isRefusal(admission: Admission): admission is Refusal {
  return admission !== undefined && "status" in admission
}

function checkAdmission<Data>(admission: Admission<Data>): Admission<Data> {
  if (admission === undefined) return undefined
  if (typeof admission !== "object" || admission === null || Array.isArray(admission)) {
    return reject("what authenticate returns", "an acceptance, a refusal or undefined", admission)
  }
  if (isRefusal(admission)) return checkRefusal(admission)
  const { protocol } = admission
  if (protocol !== undefined && typeof protocol !== "string") reject("protocol", "a string", protocol)
  if (admission.userId !== undefined) checkName("userId", admission.userId)
  if (admission.expiresAt !== undefined) checkMoment("expiresAt", admission.expiresAt)
  return admission
}

/** Calls back when the client resets, closes, or ends its side, and takes nothing out of the stream. Returns the undo. */
function whenGone(socket: Duplex, callback: () => void): () => void {
  // a stream tells its end only to those who read, or who wait for something to read
  const look = () => void socket.read(0)
  const ended = () => void socket.destroy()
  socket.on("readable", look).once("end", ended).once("close", callback)
  return () => void socket.off("readable", look).off("end", ended).off("close", callback)
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, fail) => {
    signal.addEventListener("abort", () => fail(signal.reason as Error), { once: true })
  })
}
