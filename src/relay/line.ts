/**
 * Keeps a link to the broker, whatever happens to it. One life: `connecting` → `up`; from there `degraded` while the
 * link is doubted, `down` while there is none, and `up` again. `close` ends it in any state.
 */

import { attempt } from "../core/attempt.js"
import { backoffDelay } from "../core/backoff.js"
import { Timer } from "../core/timer.js"
import type { AdapterState } from "../hub/adapter.js"
import type { Bus, BusEvents, BusLink } from "./bus.js"
import { within } from "./deadline.js"
import { DeafnessWatch } from "./deafness.js"
import { unavailable } from "./publications.js"
import type { RelaySettings } from "./relay-options.js"

/** A link that stood for so long, in milliseconds, makes earlier failures forgotten. */
const STABLE_MS = 5_000

/** Who uses a line. */
export interface LineHost extends Omit<BusEvents, "down"> {
  /** There is a new link: subscribes on it what is wanted. */
  linked(link: BusLink): Promise<void>
  /** All is subscribed. */
  ready(link: BusLink, isAgain: boolean): void
  /** The link is doubted: nothing more should be entrusted to it. */
  doubted(): void
  /** The doubt was unfounded. */
  trusted(link: BusLink): void
  /** There was a link, or might have been one. Said once, until there is one again. */
  failed(error: unknown): void
  /** There is no link any more. */
  unlinked(): void
  /** Asks this node itself, through the broker. */
  ask(link: BusLink): void
  /** The state changed. */
  state(state: AdapterState): void
}

/** One way to a broker. */
export class Line {
  readonly #bus: Bus
  readonly #settings: RelaySettings
  readonly #isPublisher: boolean
  readonly #host: LineHost
  readonly #watch: DeafnessWatch
  readonly #redial: Timer
  /** Stands for the link there is, or the one being opened. What an earlier one says is ignored. */
  #current: AbortController | undefined
  #link: BusLink | undefined
  #state: AdapterState = "connecting"
  #failures = 0
  #upAt: number | undefined
  #wasUp = false
  /** What is told may make whoever hears it close the line. */
  #isClosed = false
  #lastError: unknown

  constructor(bus: Bus, settings: RelaySettings, isPublisher: boolean, host: LineHost) {
    this.#bus = bus
    this.#settings = settings
    this.#isPublisher = isPublisher
    this.#host = host
    this.#watch = new DeafnessWatch(settings, {
      ask: () => this.#link && host.ask(this.#link),
      deaf: () => this.#drop(unavailable("it answers no more"), "degraded"),
    })
    this.#redial = new Timer(settings.clock, () => this.open())
  }

  /** How the line is. */
  get state(): AdapterState {
    return this.#state
  }

  /** The last thing that went wrong. */
  get lastError(): unknown {
    return this.#lastError
  }

  /** Opens a link, and another whenever it is lost. */
  open(): void {
    if (this.#isClosed) return
    const current = new AbortController()
    this.#current = current
    this.#dial(current).catch((error: unknown) => {
      if (this.#current === current) this.#drop(error, "down")
    })
  }

  /** Something came in. */
  heard(): void {
    this.#watch.heard()
  }

  /** This node's own question came back. */
  answered(): void {
    if (!this.#watch.answered() || this.#state !== "degraded" || !this.#link) return
    this.#host.trusted(this.#link)
    this.#enter("up")
  }

  /** The broker did not do in time what it was asked. */
  suspect(): void {
    if (!this.#link || this.#state !== "up") return
    // who hears nothing can ask nothing
    if (this.#isPublisher) this.#drop(unavailable("it took nothing in time"), "degraded")
    else {
      this.#host.doubted()
      this.#watch.suspect()
      this.#enter("degraded")
    }
  }

  /** Ends the line. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#redial.stop()
    const released = this.#release()
    this.#enter("down")
    await released
  }

  async #dial(current: AbortController): Promise<void> {
    const { clock } = this.#settings
    const link = await this.#open(current)
    // it came in the very moment in which nobody waited any more
    if (this.#current !== current) return this.#end(link)
    this.#link = link
    await this.#host.linked(link)
    if (this.#current !== current) return
    const isAgain = this.#wasUp
    this.#wasUp = true
    this.#upAt = clock.now()
    if (!this.#isPublisher) this.#watch.start()
    this.#enter("up")
    if (this.#current === current) this.#host.ready(link, isAgain)
  }

  async #open(current: AbortController): Promise<BusLink> {
    const { clock, openTimeoutMs } = this.#settings
    const opening = this.#bus.open(this.#events(current), {
      signal: current.signal,
      isPublisher: this.#isPublisher,
      settings: this.#settings,
    })
    const late = () => unavailable(`no connection within ${openTimeoutMs} ms`)
    try {
      return await within(opening, { clock, ms: openTimeoutMs, signal: current.signal, late })
    } catch (error) {
      // a link that comes when nobody waits any more
      opening.then(
        (link) => this.#end(link),
        () => {},
      )
      throw error
    }
  }

  #events(current: AbortController): BusEvents {
    const isMine = () => this.#current === current
    return {
      message: (subject, bytes) => isMine() && this.#host.message(subject, bytes),
      lost: (subjects, reason) => isMine() && this.#host.lost(subjects, reason),
      down: (error) => isMine() && this.#drop(error, "down"),
    }
  }

  #drop(error: unknown, state: AdapterState): void {
    this.#lastError = error
    const { clock, backoff } = this.#settings
    if (this.#upAt !== undefined && clock.now() - this.#upAt >= STABLE_MS) this.#failures = 0
    void this.#release()
    this.#redial.start(backoffDelay(backoff, this.#failures))
    this.#failures += 1
    if (this.#state !== "down") this.#host.failed(error)
    if (!this.#isClosed) this.#enter(state)
  }

  async #release(): Promise<void> {
    const [current, link] = [this.#current, this.#link]
    this.#current = undefined
    this.#link = undefined
    this.#upAt = undefined
    this.#watch.stop()
    this.#host.unlinked()
    current?.abort()
    if (link) await this.#end(link)
  }

  /** Whatever a link says about its end: it is the end. */
  async #end(link: BusLink): Promise<void> {
    try {
      await attempt(() => link.close())
    } catch (error) {
      this.#lastError = error
    }
  }

  #enter(state: AdapterState): void {
    if (this.#state === state) return
    this.#state = state
    this.#host.state(state)
  }
}
