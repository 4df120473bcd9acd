/**
 * The half that lives in the primary process, or in the main thread: it knows which worker wants what, and hands each
 * message to those workers alone. It knows no hubs, and keeps nothing.
 */

import { reject } from "../core/options.js"
import {
  ours,
  type Parcels,
  type PortLike,
  type ProcessLike,
  sizeOf,
  type ToExchange,
  type ToWorker,
  type Way,
  wayOver,
} from "./cluster-wire.js"

/** Bytes on their way to a worker that it has not read, at most. What is more is dropped; the worker counts it as lost. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024

const NEEDS_ADVANCED =
  'node:cluster needs serialization "advanced": call cluster.setupPrimary({ serialization: "advanced" }) before fork()'

/** What an exchange has seen. */
export interface ExchangeStats {
  /** Workers that are there. */
  readonly workers: number
  /** Adapters that are connected. */
  readonly links: number
  /** Subjects that somebody wants. */
  readonly subjects: number
  /** Messages handed to a worker, once for each. */
  readonly delivered: number
  /** Messages dropped because a worker did not read. */
  readonly dropped: number
  /** Messages of workers that could not be read. */
  readonly unreadable: number
}

/** The module `node:cluster`, as far as it is used. */
export interface ClusterLike {
  /** The workers there are. */
  readonly workers?: Readonly<Record<string, ProcessLike | undefined>> | undefined
  /** Adds a listener. */
  on(event: "fork", listener: (worker: ProcessLike) => void): unknown
  /** Removes a listener. */
  off(event: "fork", listener: (worker: ProcessLike) => void): unknown
}

/** Connects the hubs of workers. */
export interface Exchange {
  /** What it has seen. */
  readonly stats: ExchangeStats
  /**
   * Takes a worker: one of `node:cluster` or `child_process.fork`, a worker thread, or a `MessagePort` whose other end has
   * been given to a worker's adapter. One that ends is forgotten. Taking it again changes nothing.
   * @throws InvalidOptionError with the value received.
   */
  add(worker: ProcessLike | PortLike): void
  /** Lets all workers go. Their adapters are down from then on, until another exchange takes them. */
  close(): void
}

/**
 * Makes the half that lives in the primary process. Call it before the first `fork()`, or right after.
 *
 * @param cluster - The module `node:cluster`: all its workers are taken, present and to come. Without it, take workers
 * with {@link Exchange.add}.
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * import cluster from "node:cluster"
 *
 * cluster.setupPrimary({ serialization: "advanced" })
 * createExchange(cluster)
 * for (let i = 0; i < 4; i += 1) cluster.fork()
 */
export function createExchange(cluster?: ClusterLike): Exchange {
  if (cluster !== undefined && typeof cluster?.on !== "function") {
    reject("exchange", "the module node:cluster", cluster)
  }
  return new WorkerExchange(cluster)
}

interface Link {
  readonly id: string
  readonly worker: Worker
  readonly wanted: Set<string>
  unreadBytes: number
}

interface Worker {
  readonly way: Way<ToWorker>
  readonly links: Map<string, Link>
  stop: () => void
}

/** A worker cannot have read less than nothing, nor more than it was sent. */
function read(link: Link, bytes: number): void {
  if (bytes > 0) link.unreadBytes = Math.max(0, link.unreadBytes - bytes)
}

class WorkerExchange implements Exchange {
  readonly #cluster: ClusterLike | undefined
  readonly #workers = new Map<unknown, Worker>()
  readonly #interest = new Map<string, Set<Link>>()
  #delivered = 0
  #dropped = 0
  #unreadable = 0

  constructor(cluster: ClusterLike | undefined) {
    this.#cluster = cluster
    for (const worker of Object.values(cluster?.workers ?? {})) if (worker) this.add(worker)
    cluster?.on("fork", this.#onFork)
  }

  get stats(): ExchangeStats {
    const workers = [...this.#workers.values()]
    return {
      workers: workers.length,
      links: workers.reduce((sum, { links }) => sum + links.size, 0),
      subjects: this.#interest.size,
      delivered: this.#delivered,
      dropped: this.#dropped,
      unreadable: this.#unreadable,
    }
  }

  add(peer: ProcessLike | PortLike): void {
    if (this.#workers.has(peer)) return
    const way = wayOver<ToWorker>(peer) ?? reject("exchange.add", "a worker or a MessagePort", peer)
    const worker: Worker = { way, links: new Map(), stop: () => {} }
    this.#workers.set(peer, worker)
    const take = (message: unknown) => this.#take(worker, message)
    worker.stop = way.listen(take, () => this.#forget(peer, worker))
  }

  close(): void {
    this.#cluster?.off("fork", this.#onFork)
    for (const [peer, worker] of this.#workers) {
      for (const link of worker.links.keys()) worker.way.post({ holdfast: "closed", link })
      this.#forget(peer, worker)
    }
  }

  readonly #onFork = (worker: ProcessLike) => this.add(worker)

  #forget(peer: unknown, worker: Worker): void {
    worker.stop()
    for (const link of worker.links.values()) this.#unlink(link)
    this.#workers.delete(peer)
  }

  /** Nothing that a worker says may end the primary process. */
  #take(worker: Worker, message: unknown): void {
    const request = ours<ToExchange>(message)
    if (!request) return
    try {
      this.#answer(worker, request)
    } catch {
      this.#unreadable += 1
    }
  }

  #answer(worker: Worker, request: ToExchange): void {
    if (request.holdfast === "open") {
      this.#open(worker, request.link, request.check)
      return
    }
    const link = worker.links.get(request.link)
    if (request.holdfast === "close") {
      if (link) this.#unlink(link)
    } else if (!link) {
      // it was opened at an exchange that is gone
      worker.way.post({ holdfast: "closed", link: request.link })
    } else if (request.holdfast === "read") read(link, request.bytes)
    else {
      this.#work(link, request)
      worker.way.post({ holdfast: "done", link: link.id, id: request.id })
    }
  }

  #work(link: Link, request: Extract<ToExchange, { id: number }>): void {
    if (request.holdfast === "publish") this.#publish(request)
    else if (request.holdfast === "subscribe") for (const it of request.subjects) this.#want(link, it)
    else for (const it of request.subjects) this.#unwant(link, it)
  }

  #open(worker: Worker, id: string, check: unknown): void {
    if (!(check instanceof Uint8Array)) {
      worker.way.post({ holdfast: "refused", link: id, reason: NEEDS_ADVANCED })
      return
    }
    worker.links.set(id, { id, worker, wanted: new Set(), unreadBytes: 0 })
    worker.way.post({ holdfast: "opened", link: id })
  }

  #publish({ subjects, payloads }: Parcels): void {
    const parcels = new Map<Link, { subjects: string[]; payloads: Uint8Array[] }>()
    for (const [i, subject] of subjects.entries()) {
      for (const link of this.#interest.get(subject) ?? []) {
        if (!parcels.has(link)) parcels.set(link, { subjects: [], payloads: [] })
        parcels.get(link)?.subjects.push(subject)
        parcels.get(link)?.payloads.push(payloads[i] as Uint8Array)
      }
    }
    let left = parcels.size
    for (const [link, parcel] of parcels) {
      left -= 1
      this.#deliver(link, parcel, left === 0)
    }
  }

  #deliver(link: Link, parcels: Parcels, isLast: boolean): void {
    const bytes = sizeOf(parcels)
    if (link.unreadBytes > 0 && link.unreadBytes + bytes > MAX_UNREAD_BYTES) {
      this.#dropped += parcels.payloads.length
      return
    }
    link.unreadBytes += bytes
    this.#delivered += parcels.payloads.length
    link.worker.way.post({ holdfast: "deliver", link: link.id, ...parcels }, isLast)
  }

  #want(link: Link, subject: string): void {
    link.wanted.add(subject)
    const links = this.#interest.get(subject)
    if (links) links.add(link)
    else this.#interest.set(subject, new Set([link]))
  }

  #unwant(link: Link, subject: string): void {
    link.wanted.delete(subject)
    const links = this.#interest.get(subject)
    if (links?.delete(link) && links.size === 0) this.#interest.delete(subject)
  }

  #unlink(link: Link): void {
    for (const subject of link.wanted) this.#unwant(link, subject)
    link.worker.links.delete(link.id)
  }
}
