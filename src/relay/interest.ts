/**
 * The subjects this node wants, whatever link there is: asked for on every new one, and waited for by whoever wants to
 * know that the broker has confirmed.
 */

import { attempt } from "../core/attempt.js"
import { Timer } from "../core/timer.js"
import type { BusLink } from "./bus.js"
import { Endings, within } from "./deadline.js"
import { PatientTimer } from "./patient-timer.js"
import { unavailable } from "./publications.js"
import type { RelaySettings } from "./relay-options.js"
import { channelOf } from "./subjects.js"

/** Subjects in one request. */
const BATCH = 512

/** How long after a refusal a subject is asked for again, in milliseconds. */
const RETRY_MS = 1_000

interface Wish {
  readonly subject: string
  /** When it was confirmed for the first time. */
  since: number | undefined
  /** Whether it is confirmed on the link there is now. */
  isConfirmed: boolean
  /** The last request for it on that link: what becomes of an earlier one says nothing any more. */
  asked: Request | undefined
  /** Who waits for it to be confirmed. */
  readonly waiters: Set<Waiter>
}

/** Subjects that are asked for together. */
type Request = readonly Wish[]

interface Waiter {
  readonly open: Set<Wish>
  readonly dueAt: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** What this node wants. */
export class Interest {
  readonly #settings: RelaySettings
  readonly #onTimeout: () => void
  readonly #why: () => unknown
  readonly #wishes = new Map<string, Wish>()
  /** Oldest first, so the first is due first. */
  readonly #waiters = new Set<Waiter>()
  readonly #deadline: PatientTimer
  readonly #retry: Timer
  #link: BusLink | undefined
  /** Stands for what was asked on this link. */
  readonly #asking = new Endings()
  #lastError: unknown

  /**
   * @param onTimeout - Hears that a subscription was not confirmed in time.
   * @param why - What went wrong with the link, for who waited in vain for one.
   */
  constructor(settings: RelaySettings, onTimeout: () => void, why: () => unknown) {
    this.#why = why
    this.#settings = settings
    this.#onTimeout = onTimeout
    this.#deadline = new PatientTimer(settings.clock, () => this.#expire())
    this.#retry = new Timer(settings.clock, () => this.#ask([...this.#wishes.values()]))
  }

  /** How many channels are wanted. */
  get channels(): number {
    let channels = 0
    for (const subject of this.#wishes.keys()) if (channelOf(subject) !== undefined) channels += 1
    return channels
  }

  /** Whether a subject is wanted. */
  has(subject: string): boolean {
    return this.#wishes.has(subject)
  }

  /** Since when messages of a subject should arrive; `undefined` when that is not so yet. */
  confirmedSince(subject: string): number | undefined {
    return this.#wishes.get(subject)?.since
  }

  /** Wants subjects. Resolves when all are confirmed; rejects when that takes too long, and wants them all the same. */
  want(subjects: readonly string[]): Promise<void> {
    const wishes = subjects.map((subject) => this.#wish(subject))
    this.#ask(wishes)
    const open = new Set(wishes.filter((wish) => !wish.isConfirmed))
    return open.size === 0 ? Promise.resolve() : this.#wait(open)
  }

  /**
   * Wants subjects no longer. Whoever waits for them is told that it is over. Settles in time; a link that ends meanwhile
   * has carried it out, for the next one is never asked for them.
   */
  unwant(subjects: readonly string[]): Promise<void> | undefined {
    const known = subjects.filter((subject) => this.#wishes.has(subject))
    for (const subject of known) {
      const wish = this.#wishes.get(subject)
      this.#wishes.delete(subject)
      if (wish) this.#settle(wish, unavailable("the subscription was given up"))
    }
    const link = this.#link
    if (!link || known.length === 0) return undefined
    const { clock, subscribeTimeoutMs } = this.#settings
    const asked = attempt(() => link.unsubscribe(known))
    const late = () => unavailable(`no end of a subscription within ${subscribeTimeoutMs} ms`)
    const over = asked && within(asked, { clock, ms: subscribeTimeoutMs, signal: this.#asking, late })
    return over?.catch((error: unknown) => {
      if (this.#link === link) throw error
    })
  }

  /** A new link: asks for everything, in batches. Rejects when one of them is not confirmed in time. */
  async restore(link: BusLink): Promise<void> {
    this.#link = link
    for (const request of requestsFor([...this.#wishes.values()])) {
      await this.#request(link, request)
      if (this.#link !== link) return
    }
  }

  /** Asks again for subjects that may have got lost, confirmed or not. */
  refresh(subjects: readonly string[] | "all"): void {
    const wishes = subjects === "all" ? [...this.#wishes.values()] : this.#known(subjects)
    for (const wish of wishes) unask(wish)
    this.#ask(wishes)
  }

  /** The link is gone: nothing is confirmed any more. */
  detach(): void {
    this.#link = undefined
    this.#asking.abort()
    this.#retry.stop()
    for (const wish of this.#wishes.values()) unask(wish)
  }

  /** Forgets everything. */
  close(): void {
    this.detach()
    const wishes = [...this.#wishes.values()]
    this.#wishes.clear()
    for (const wish of wishes) this.#settle(wish, unavailable("the adapter was closed"))
  }

  #wish(subject: string): Wish {
    const known = this.#wishes.get(subject)
    if (known) return known
    const wish: Wish = { subject, since: undefined, isConfirmed: false, asked: undefined, waiters: new Set() }
    this.#wishes.set(subject, wish)
    return wish
  }

  #known(subjects: readonly string[]): Wish[] {
    return subjects.flatMap((subject) => this.#wishes.get(subject) ?? [])
  }

  #ask(wishes: readonly Wish[]): void {
    const link = this.#link
    if (!link) return
    for (const request of requestsFor(wishes.filter(({ asked }) => !asked))) {
      this.#request(link, request).catch((error: unknown) => {
        this.#lastError = error
        if (this.#link !== link) return
        for (const wish of request) if (wish.asked === request) wish.asked = undefined
        if (!this.#retry.isArmed) this.#retry.start(RETRY_MS)
      })
    }
  }

  async #request(link: BusLink, request: Request): Promise<void> {
    const wishes = request.filter((wish) => this.#wishes.get(wish.subject) === wish)
    if (wishes.length === 0) return
    const { clock, subscribeTimeoutMs } = this.#settings
    const asked = attempt(() => link.subscribe(wishes.map(({ subject }) => subject)))
    const late = () => unavailable(`no subscription within ${subscribeTimeoutMs} ms`)
    if (asked) await within(asked, { clock, ms: subscribeTimeoutMs, signal: this.#asking, late })
    if (this.#link !== link) return
    for (const wish of wishes) {
      if (wish.asked === request && this.#wishes.get(wish.subject) === wish) this.#confirm(wish)
    }
  }

  #confirm(wish: Wish): void {
    wish.isConfirmed = true
    wish.since ??= this.#settings.clock.now()
    this.#settle(wish)
  }

  #wait(open: Set<Wish>): Promise<void> {
    const { clock, subscribeTimeoutMs } = this.#settings
    return new Promise((resolve, reject) => {
      const waiter = { open, dueAt: clock.now() + subscribeTimeoutMs, resolve, reject }
      this.#waiters.add(waiter)
      for (const wish of open) wish.waiters.add(waiter)
      if (!this.#deadline.isArmed) this.#deadline.start(subscribeTimeoutMs)
    })
  }

  #settle(wish: Wish, error?: Error): void {
    for (const waiter of wish.waiters) {
      waiter.open.delete(wish)
      if (error) waiter.reject(error)
      else if (waiter.open.size === 0) waiter.resolve()
      else continue
      this.#forget(waiter)
    }
    wish.waiters.clear()
    if (this.#waiters.size === 0) this.#deadline.stop()
  }

  #forget(waiter: Waiter): void {
    this.#waiters.delete(waiter)
    for (const wish of waiter.open) wish.waiters.delete(waiter)
  }

  #expire(): void {
    const now = this.#settings.clock.now()
    let isLate = false
    for (const waiter of this.#waiters) {
      // it was armed for one that was confirmed meanwhile
      if (waiter.dueAt > now) {
        this.#deadline.start(waiter.dueAt - now)
        break
      }
      isLate = true
      this.#forget(waiter)
      const what = `no subscription within ${this.#settings.subscribeTimeoutMs} ms`
      waiter.reject(unavailable(what, this.#link ? this.#lastError : this.#why()))
    }
    if (isLate) this.#onTimeout()
  }
}

/** Divides what is to be asked for, and notes with each wish where it is asked for. */
function requestsFor(wishes: readonly Wish[]): Request[] {
  const requests: Request[] = []
  for (let at = 0; at < wishes.length; at += BATCH) requests.push(wishes.slice(at, at + BATCH))
  for (const request of requests) for (const wish of request) wish.asked = request
  return requests
}

function unask(wish: Wish): void {
  wish.isConfirmed = false
  wish.asked = undefined
}
