/**
 * A health check that proves what it says: opens a WebSocket as a client would, has a message answered, and closes in
 * good order. It knows the address and nothing of what stands behind it.
 */

import { checkMethods, checkMs, type Given, reject, resolveOptions } from "../core/options.js"
import { type Clock, systemClock, Timer } from "../core/timer.js"
import type { Unsubscribe } from "../core/types.js"
import { CLOSED, closeSocket, findWebSocket, listen, type SocketLike, terminate } from "../wire/socket.js"
import { answer, type RequestHandler } from "./health.js"

/** How a probe goes about it. */
export interface ProbeOptions {
  /** The text that is sent, and that any message answers; `false` for a ping frame instead. @defaultValue "ping" */
  readonly message?: string | false
  /** How long everything may take, in milliseconds. @defaultValue 5_000 */
  readonly timeoutMs?: number
  /** Subprotocols to offer. @defaultValue none */
  readonly protocols?: readonly string[]
  /** Headers of the upgrade request, such as a login. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>>
  /** Where time comes from. @defaultValue the platform's */
  readonly clock?: Clock
}

/** How far a probe got. */
export type ProbePhase = "connect" | "answer" | "close" | "done"

/** What a probe found. */
export interface ProbeReport {
  /** Whether everything worked. */
  readonly ok: boolean
  /** How far it got: where `ok` is false, what did not work. */
  readonly phase: ProbePhase
  /** Why it got no farther, in a few words; `undefined` where it did. */
  readonly error: string | undefined
  /** How long it took to connect, in milliseconds; `undefined` where it did not. */
  readonly connectMs: number | undefined
  /** How long the answer took, in milliseconds; `undefined` where none came. */
  readonly answerMs: number | undefined
  /** How long everything took, in milliseconds. */
  readonly ms: number
}

type ProbeSettings = Required<ProbeOptions>

const DEFAULTS: ProbeSettings = Object.freeze({
  message: "ping",
  timeoutMs: 5_000,
  protocols: [],
  headers: {},
  clock: systemClock,
})

/**
 * Opens a WebSocket, sends, receives, closes, and reports. Never rejects: what does not work is the finding.
 * With the `json()` codec a hub answers the default message by itself.
 *
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * const { ok, phase, ms } = await probe("ws://127.0.0.1:8080/ws")
 */
export function probe(url: string | URL, options?: Given<ProbeOptions>): Promise<ProbeReport> {
  return run(url, resolveProbe(options))
}

function resolveProbe(options: Given<ProbeOptions> | undefined): ProbeSettings {
  const settings = resolveOptions<ProbeSettings>("probe", DEFAULTS, options)
  checkMs("probe.timeoutMs", settings.timeoutMs, 1)
  if (settings.message !== false && typeof settings.message !== "string") {
    reject("probe.message", "a string, or false", settings.message)
  }
  checkMethods("probe.clock", settings.clock, ["now", "setTimer", "clearTimer"])
  return settings
}

function run(url: string | URL, settings: ProbeSettings): Promise<ProbeReport> {
  return new Promise((resolve) => new Probe(String(url), settings, resolve).start())
}

/** What a probe over HTTP may be told besides. */
export interface ProbeHandlerOptions extends ProbeOptions {
  /**
   * For how long a finding is given out again, in milliseconds, so that whoever asks often makes no more connections.
   * @defaultValue 1_000
   */
  readonly maxAgeMs?: number
}

/**
 * Answers 200 or 503 with {@link ProbeReport} as JSON. Whoever asks while a probe is under way gets its finding.
 * @throws InvalidOptionError with the value received.
 */
export function probeHandler(url: string | URL, options: Given<ProbeHandlerOptions> = {}): RequestHandler {
  const { maxAgeMs = 1_000, ...given } = options
  checkMs("probe.maxAgeMs", maxAgeMs)
  const settings = resolveProbe(given)
  const { clock } = settings
  let latest: Promise<ProbeReport> | undefined
  let until = Number.POSITIVE_INFINITY
  return (_request, response) => {
    if (clock.now() >= until) latest = undefined
    if (!latest) {
      until = Number.POSITIVE_INFINITY
      latest = run(url, settings).finally(() => {
        until = clock.now() + maxAgeMs
      })
    }
    void latest.then((report) => answer(response, report.ok ? 200 : 503, report))
  }
}

/** One probe on its way. */
class Probe {
  readonly #url: string
  readonly #settings: ProbeSettings
  readonly #report: (report: ProbeReport) => void
  readonly #timer: Timer
  readonly #startedAt: number
  #phase: ProbePhase = "connect"
  #socket: SocketLike | undefined
  #unlisten = () => {}
  #connectMs: number | undefined
  #answerMs: number | undefined

  constructor(url: string, settings: ProbeSettings, report: (report: ProbeReport) => void) {
    const { clock, timeoutMs } = settings
    this.#url = url
    this.#settings = settings
    this.#report = report
    this.#startedAt = clock.now()
    this.#timer = new Timer(clock, () => this.#end(`nothing within ${timeoutMs} ms`))
  }

  start(): void {
    this.#timer.start(this.#settings.timeoutMs)
    try {
      this.#socket = this.#dial()
      this.#unlisten = this.#listen(this.#socket)
    } catch (error) {
      this.#end((error as Error).message)
    }
  }

  get #elapsedMs(): number {
    return this.#settings.clock.now() - this.#startedAt
  }

  #dial(): SocketLike {
    const { protocols, headers } = this.#settings
    const WebSocket = findWebSocket()
    if (!WebSocket) throw new Error("there is no WebSocket on this platform")
    return new WebSocket(this.#url, [...protocols], { headers, perMessageDeflate: false })
  }

  #listen(socket: SocketLike): Unsubscribe {
    return listen(socket, {
      open: () => this.#opened(),
      message: () => this.#answered(),
      pong: () => this.#answered(),
      close: (code) => this.#closed(code),
      error: (error) => this.#end((error as Error)?.message ?? "the connection failed"),
      refused: (status) => this.#end(`refused with ${status}`),
    })
  }

  #opened(): void {
    const { message } = this.#settings
    this.#phase = "answer"
    this.#connectMs = this.#elapsedMs
    if (message === false) this.#socket?.ping?.()
    else this.#socket?.send(message)
  }

  #answered(): void {
    if (this.#phase !== "answer" || !this.#socket) return
    this.#phase = "close"
    this.#answerMs = this.#elapsedMs - (this.#connectMs ?? 0)
    closeSocket(this.#socket, 1000)
  }

  #closed(code: number): void {
    const isDone = this.#phase === "close" && code === 1000
    if (isDone) this.#phase = "done"
    this.#end(isDone ? undefined : `closed with ${code}`)
  }

  #end(error: string | undefined): void {
    this.#timer.stop()
    this.#unlisten()
    if (this.#socket && this.#socket.readyState !== CLOSED) terminate(this.#socket)
    this.#report({
      ok: error === undefined,
      phase: this.#phase,
      error,
      connectMs: this.#connectMs,
      answerMs: this.#answerMs,
      ms: this.#elapsedMs,
    })
  }
}
