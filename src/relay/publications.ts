/**
 * What is on its way to the broker: handed over and not yet taken, or waiting for a link. Each publication settles in
 * time, in the order of calls, and none is kept longer than it may wait.
 */

import { AdapterError, QueueFullError } from "../core/errors.js"
import { settle } from "../core/maybe-promise.js"
import type { BusLink } from "./bus.js"
import { PatientTimer } from "./patient-timer.js"
import type { RelaySettings } from "./relay-options.js"

/** What may wait for the broker or be handed over and not yet taken, at most: beyond it a broker is not slow but stuck. */
const MAX_OPEN = 65_536
const MAX_OPEN_BYTES = 64 * 1024 * 1024

interface Publication {
  readonly subject: string
  readonly bytes: Uint8Array
  /** A link may move the bytes elsewhere, and then they have no length any more. */
  readonly size: number
  readonly dueAt: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  isHandedOver: boolean
}

/** Publications on their way. */
export class Publications {
  readonly #settings: RelaySettings
  readonly #onTimeout: () => void
  readonly #why: () => unknown
  readonly #timer: PatientTimer
  /** Oldest first, so the first is due first. */
  readonly #open = new Set<Publication>()
  #waiting: Publication[] = []
  #link: BusLink | undefined
  #openBytes = 0
  #onEmpty: (() => void) | undefined

  /**
   * @param onTimeout - Hears that the broker did not take in time what it was handed.
   * @param why - What went wrong with the link, for who waited in vain for one.
   */
  constructor(settings: RelaySettings, onTimeout: () => void, why: () => unknown) {
    this.#why = why
    this.#settings = settings
    this.#onTimeout = onTimeout
    this.#timer = new PatientTimer(settings.clock, () => this.#expire())
  }

  /** How many are not settled. */
  get size(): number {
    return this.#open.size
  }

  /** Takes one: it leaves now, or as soon as there is a link. */
  add(subject: string, bytes: Uint8Array, now: number): Promise<void> {
    const full = this.#full()
    if (full) return Promise.reject(full)
    return new Promise((resolve, reject) => {
      const dueAt = now + this.#settings.publishTimeoutMs
      const size = bytes.byteLength
      const publication = { subject, bytes, size, dueAt, resolve, reject, isHandedOver: false }
      this.#open.add(publication)
      this.#openBytes += size
      if (!this.#timer.isArmed) this.#timer.start(this.#settings.publishTimeoutMs)
      if (this.#link) this.#handOver(publication, this.#link)
      else this.#waiting.push(publication)
    })
  }

  /** Hands over what waits, and from now on everything at once. */
  flow(link: BusLink): void {
    this.#link = link
    const waiting = this.#waiting
    this.#waiting = []
    for (const publication of waiting) if (this.#open.has(publication)) this.#handOver(publication, link)
  }

  /** Keeps what comes: there is no link, or none to trust. */
  hold(): void {
    this.#link = undefined
  }

  /** Resolves when all have settled, which they do in time. */
  async settled(): Promise<void> {
    if (this.#open.size === 0) return
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
  }

  /** Rejects everything that is open. */
  close(): void {
    this.#link = undefined
    this.#waiting = []
    for (const publication of this.#open) this.#settle(publication, unavailable("the adapter was closed"))
  }

  #full(): Error | undefined {
    const { maxWaiting } = this.#settings
    const waiting = this.#waiting.length
    if (!this.#link && waiting >= maxWaiting) {
      return new QueueFullError(
        `the adapter is full: ${waiting} of ${maxWaiting} publications wait for the broker`,
      )
    }
    if (this.#open.size < MAX_OPEN && this.#openBytes < MAX_OPEN_BYTES) return undefined
    return new QueueFullError(
      `the adapter is full: ${this.#open.size} publications of ${this.#openBytes} bytes are not taken yet`,
    )
  }

  #handOver(publication: Publication, link: BusLink): void {
    publication.isHandedOver = true
    settle(
      () => link.publish(publication.subject, publication.bytes),
      () => this.#settle(publication),
      (error) => this.#settle(publication, refusal(error)),
    )
  }

  #settle(publication: Publication, error?: Error): void {
    if (!this.#open.delete(publication)) return
    this.#openBytes -= publication.size
    if (error) publication.reject(error)
    else publication.resolve()
    if (this.#open.size > 0) return
    this.#timer.stop()
    this.#onEmpty?.()
    this.#onEmpty = undefined
  }

  #expire(): void {
    const now = this.#settings.clock.now()
    let isStuck = false
    for (const publication of this.#open) {
      if (publication.dueAt > now) {
        this.#timer.start(publication.dueAt - now)
        break
      }
      isStuck ||= publication.isHandedOver
      const what = `not taken within ${this.#settings.publishTimeoutMs} ms`
      this.#settle(publication, unavailable(what, publication.isHandedOver ? undefined : this.#why()))
    }
    this.#waiting = this.#waiting.filter((it) => this.#open.has(it))
    if (isStuck) this.#onTimeout()
  }
}

/** A message that is too large is the publisher's business, everything else the broker's. */
function refusal(error: unknown): Error {
  return error instanceof AdapterError && error.code === "PAYLOAD_TOO_LARGE"
    ? error
    : unavailable("the broker did not take it", error)
}

/** The error of a message that is larger than whoever was given it takes, in bytes. */
export function tooLarge(who: string, size: number, max: number): AdapterError {
  return new AdapterError(
    "PAYLOAD_TOO_LARGE",
    `${who} takes up to ${max} bytes, envelope included, received ${size}`,
  )
}

/** The error of whatever the broker did not do. */
export function unavailable(what: string, cause?: unknown): AdapterError {
  const options = cause === undefined ? undefined : { cause }
  return new AdapterError("ADAPTER_UNAVAILABLE", `the adapter's broker is not available: ${what}`, options)
}
