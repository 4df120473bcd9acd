/**
 * Finds a link that stands and carries nothing: after some silence, or on suspicion, the node asks itself through the
 * broker, and an answer that does not come is the end of the link.
 */

import { PatientTimer } from "./patient-timer.js"
import type { RelaySettings } from "./relay-options.js"

/** What a watch does. */
export interface DeafnessHost {
  /** Asks. */
  ask(): void
  /** There was no answer. */
  deaf(): void
}

/** Watches one link. */
export class DeafnessWatch {
  readonly #settings: RelaySettings
  readonly #host: DeafnessHost
  readonly #timer: PatientTimer
  #heardAt = 0
  #isAsking = false

  constructor(settings: RelaySettings, host: DeafnessHost) {
    this.#settings = settings
    this.#host = host
    this.#timer = new PatientTimer(settings.clock, () => this.#due())
  }

  /** A new link. */
  start(): void {
    this.#isAsking = false
    this.heard()
    this.#timer.start(this.#settings.silenceMs)
  }

  /** Something came in. */
  heard(): void {
    this.#heardAt = this.#settings.clock.now()
  }

  /** Something did not go as it should: asks now. */
  suspect(): void {
    if (this.#isAsking) return
    this.#isAsking = true
    this.#timer.start(this.#settings.probeTimeoutMs)
    this.#host.ask()
  }

  /** The answer came. Returns whether it was waited for. */
  answered(): boolean {
    if (!this.#isAsking) return false
    this.start()
    return true
  }

  /** There is no link to watch. */
  stop(): void {
    this.#timer.stop()
    this.#isAsking = false
  }

  #due(): void {
    if (this.#isAsking) {
      this.stop()
      this.#host.deaf()
      return
    }
    const silentMs = this.#settings.clock.now() - this.#heardAt
    if (silentMs >= this.#settings.silenceMs) this.suspect()
    else this.#timer.start(this.#settings.silenceMs - silentMs)
  }
}
