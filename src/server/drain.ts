/**
 * Closes many connections over a while instead of at once, so that their clients do not come back as a crowd. It takes
 * whom it is given; who comes in meanwhile is the entrance's business.
 */

import { CloseCode, isSendableCloseCode } from "../core/close-codes.js"
import { checkMs, type Given, reject, resolveOptions } from "../core/options.js"
import { type Clock, Timer } from "../core/timer.js"
import type { CloseInfo } from "../wire/connection-events.js"

/** How connections are drained. */
export interface DrainOptions {
  /**
   * Over how long the closes are spread, in milliseconds. From about four seconds on no tenth of a second sees more than
   * 3 % of them; 0 closes all at once. A process that was stalled takes longer rather than hurry.
   * @defaultValue 10_000
   */
  readonly windowMs?: number
  /** How long each client has to complete the closing handshake, in milliseconds, before it is cut. @defaultValue 5_000 */
  readonly closeTimeoutMs?: number
  /** The close code. @defaultValue 1012, after which clients wait a random while */
  readonly code?: number
  /** The reason in the close frame. @defaultValue "the server restarts" */
  readonly reason?: string
}

/** What became of the connections. */
export interface DrainReport {
  /** How many closed in good order, or had gone before their turn. */
  readonly closed: number
  /** How many ended without the closing handshake: cut when their time was over, or by their own network. */
  readonly forced: number
  /** How long it took, in milliseconds. */
  readonly ms: number
}

/** Whom a drain closes. */
export interface Drainable {
  /** Bytes that wait to leave. */
  readonly bufferedBytes: number
  /** How long ago the last message came in, in milliseconds. */
  readonly idleMs: number
  /** Resolves with its end. */
  readonly closed: Promise<CloseInfo>
  /** Sends what waits, then begins the closing handshake. */
  close(code: number, reason: string): Promise<CloseInfo>
  /** Ends it at once. */
  terminate(): void
}

type DrainSettings = Required<DrainOptions>

const DEFAULTS: DrainSettings = Object.freeze({
  windowMs: 10_000,
  closeTimeoutMs: 5_000,
  code: CloseCode.RESTART,
  reason: "the server restarts",
})

/** Behind schedule, this long passes between two batches, in milliseconds … */
const CATCH_UP_MS = 20
/** … and each closes at most so many times an even share of that time. */
const CATCH_UP_SHARE = 2

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received.
 */
export function resolveDrain(given?: Given<DrainOptions>): DrainSettings {
  const settings = resolveOptions<DrainSettings>("drain", DEFAULTS, given)
  checkMs("drain.windowMs", settings.windowMs)
  checkMs("drain.closeTimeoutMs", settings.closeTimeoutMs, 1)
  if (!isSendableCloseCode(settings.code)) {
    reject("drain.code", "1000–1014 but for 1004–1006, or 3000–4999", settings.code)
  }
  if (typeof settings.reason !== "string") reject("drain.reason", "a string", settings.reason)
  return settings
}

/** Closes all of them, those first who would miss it least, and resolves when the last has ended. */
export async function drain(
  connections: Iterable<Drainable>,
  settings: DrainSettings,
  clock: Clock,
): Promise<DrainReport> {
  const startedAt = clock.now()
  const departure = new Departure([...connections].sort(idleFirst), settings, clock)
  const forced = await departure.run()
  return { closed: departure.size - forced, forced, ms: clock.now() - startedAt }
}

/** Whoever waits for bytes is in the middle of something; so, less surely, is who has sent something lately. */
function idleFirst(a: Drainable, b: Drainable): number {
  return Number(a.bufferedBytes > 0) - Number(b.bufferedBytes > 0) || b.idleMs - a.idleMs
}

/** One drain on its way. */
class Departure {
  readonly #connections: readonly Drainable[]
  readonly #settings: DrainSettings
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #dueMs: readonly number[]
  readonly #batchSize: number
  readonly #timer: Timer
  readonly #asked = new Set<Drainable>()
  #next = 0

  constructor(connections: readonly Drainable[], settings: DrainSettings, clock: Clock) {
    const { windowMs } = settings
    this.#connections = connections
    this.#settings = settings
    this.#clock = clock
    this.#startedAt = clock.now()
    // one in each of so many equal parts of the window, somewhere in the middle of it
    this.#dueMs = connections.map((_, i) => ((i + 0.25 + Math.random() / 2) * windowMs) / connections.length)
    this.#batchSize = Math.ceil((CATCH_UP_SHARE * connections.length * CATCH_UP_MS) / Math.max(windowMs, 1))
    this.#timer = new Timer(clock, () => this.#step())
  }

  /** How many there are. */
  get size(): number {
    return this.#connections.length
  }

  /** Resolves with the number of those who did not go in good order. */
  async run(): Promise<number> {
    this.#step()
    const ends = this.#connections.map(async (it) => {
      const { code } = await it.closed
      return this.#asked.has(it) && code === CloseCode.ABNORMAL
    })
    const isForced = await Promise.all(ends)
    this.#timer.stop()
    return isForced.filter(Boolean).length
  }

  #step(): void {
    const now = this.#clock.now() - this.#startedAt
    const end = this.#next + this.#batchSize
    while (this.#next < end && this.#isDue(now)) {
      this.#close(this.#connections[this.#next] as Drainable)
      this.#next += 1
    }
    if (this.#next === this.size) return
    // whole milliseconds, as timers are: a fraction could be too small to move the sum of two moments
    const waitMs = Math.ceil((this.#dueMs[this.#next] as number) - now)
    this.#timer.start(waitMs > 0 ? waitMs : CATCH_UP_MS)
  }

  #isDue(now: number): boolean {
    return (this.#dueMs[this.#next] ?? Number.POSITIVE_INFINITY) <= now
  }

  #close(connection: Drainable): void {
    const { code, reason, closeTimeoutMs } = this.#settings
    const timer = new Timer(this.#clock, () => connection.terminate())
    this.#asked.add(connection)
    timer.start(closeTimeoutMs)
    void connection.close(code, reason).then(() => timer.stop())
  }
}
