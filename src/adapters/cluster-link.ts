/**
 * A worker's link to the exchange. What is published in one turn leaves in one message, and is confirmed by one.
 */

import { AdapterError } from "../core/errors.js"
import type { Clock } from "../core/timer.js"
import type { BusEvents, BusLink, BusOpening } from "../relay/bus.js"
import { within } from "../relay/deadline.js"
import { randomId } from "../wire/connection-options.js"
import { ours, type Parcels, sizeOf, type ToExchange, type ToWorker, type Way } from "./cluster-wire.js"

/** How long the exchange may take to answer, in milliseconds. */
const ANSWER_MS = 1_000

/** After so many bytes the exchange is told that they have been read. */
const READ_BYTES = 262_144

/** Opens a link. */
export async function openWorkerLink(
  way: Way<ToExchange>,
  events: BusEvents,
  { signal }: BusOpening,
  clock: Clock,
): Promise<BusLink> {
  const link = new WorkerLink(way, events)
  try {
    await within(link.opened, { clock, ms: ANSWER_MS, signal, late: noAnswer })
    return link
  } catch (error) {
    link.close()
    throw error
  }
}

function noAnswer(): AdapterError {
  return unavailable(`no answer from the primary within ${ANSWER_MS} ms: has it called createExchange()?`)
}

function unavailable(what: string): AdapterError {
  return new AdapterError("ADAPTER_UNAVAILABLE", what)
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

class WorkerLink implements BusLink {
  readonly opened: Promise<void>
  readonly #id = randomId()
  readonly #way: Way<ToExchange>
  readonly #events: BusEvents
  readonly #stop: () => void
  readonly #waiters = new Map<number, Waiter>()
  #isOpened!: Waiter
  #asked = 0
  #leaving: { subjects: string[]; payloads: Uint8Array[]; taken: Promise<void> } | undefined
  #readBytes = 0

  constructor(way: Way<ToExchange>, events: BusEvents) {
    this.#way = way
    this.#events = events
    this.opened = new Promise((resolve, reject) => {
      this.#isOpened = { resolve, reject }
    })
    this.opened.catch(() => {})
    const take = (message: unknown) => this.#take(ours<ToWorker>(message))
    this.#stop = way.listen(take, () => this.#end("the primary is gone"))
    way.post({ holdfast: "open", link: this.#id, check: Uint8Array.of(1) })
  }

  subscribe(subjects: readonly string[]): Promise<void> {
    return this.#ask((id) => ({ holdfast: "subscribe", link: this.#id, id, subjects }))
  }

  unsubscribe(subjects: readonly string[]): Promise<void> {
    return this.#ask((id) => ({ holdfast: "unsubscribe", link: this.#id, id, subjects }))
  }

  publish(subject: string, bytes: Uint8Array): Promise<void> {
    this.#leaving ??= { subjects: [], payloads: [], taken: Promise.resolve().then(() => this.#leave()) }
    this.#leaving.subjects.push(subject)
    this.#leaving.payloads.push(bytes)
    return this.#leaving.taken
  }

  close(): void {
    this.#stop()
    this.#way.post({ holdfast: "close", link: this.#id })
    this.#giveUp(unavailable("the link was closed"))
  }

  #leave(): Promise<void> {
    const { subjects = [], payloads = [] } = this.#leaving ?? {}
    this.#leaving = undefined
    return this.#ask((id) => ({ holdfast: "publish", link: this.#id, id, subjects, payloads }))
  }

  #ask(question: (id: number) => ToExchange): Promise<void> {
    this.#asked += 1
    const id = this.#asked
    return new Promise((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject })
      this.#way.post(question(id))
    })
  }

  #take(message: ToWorker | undefined): void {
    if (message?.link !== this.#id) return
    if (message.holdfast === "deliver") this.#deliver(message)
    else if (message.holdfast === "done") {
      this.#waiters.get(message.id)?.resolve()
      this.#waiters.delete(message.id)
    } else if (message.holdfast === "opened") this.#isOpened.resolve()
    else if (message.holdfast === "refused") this.#end(message.reason)
    else if (message.holdfast === "closed") this.#end("the exchange was closed")
  }

  #deliver(parcels: Parcels): void {
    this.#readBytes += sizeOf(parcels)
    if (this.#readBytes >= READ_BYTES) {
      this.#way.post({ holdfast: "read", link: this.#id, bytes: this.#readBytes })
      this.#readBytes = 0
    }
    for (const [i, subject] of parcels.subjects.entries()) {
      this.#events.message(subject, parcels.payloads[i] as Uint8Array)
    }
  }

  #end(what: string): void {
    this.#stop()
    const error = unavailable(what)
    this.#giveUp(error)
    this.#events.down(error)
  }

  #giveUp(error: Error): void {
    this.#isOpened.reject(error)
    for (const { reject } of this.#waiters.values()) reject(error)
    this.#waiters.clear()
  }
}
