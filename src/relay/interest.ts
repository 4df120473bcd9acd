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
  /** Whether it is confirmed on the link there is now, and whether it was asked for there. */
  isConfirmed: boolean
  isAsked: boolean
  /** Who waits for it to be confirmed. */
  readonly waiters: Set<Waiter>
}

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
    const wishes = [...this.#wishes.values()]
    for (const wish of wishes) wish.isAsked = true
    for (let at = 0; at < wishes.length; at += BATCH) {
      const batch = wishes.slice(at, at + BATCH).filter((it) => this.#wishes.get(it.subject) === it)
      await this.#request(link, batch)
      if (this.#link !== link) return
    }
  }

  /** Asks again for subjects that may have got lost, confirmed or not. */
  refresh(subjects: readonly string[] | "all"): void {
    const wishes = subjects === "all" ? [...this.#wishes.values()] : this.#known(subjects)
    for (const wish of wishes) {
      wish.isConfirmed = false
      wish.isAsked = false
    }
    this.#ask(wishes)
  }

  /** The link is gone: nothing is confirmed any more. */
  detach(): void {
    this.#link = undefined
    this.#asking.abort()
    this.#retry.stop()
    for (const wish of this.#wishes.values()) {
      wish.isConfirmed = false
      wish.isAsked = false
    }
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
    const wish: Wish = { subject, since: undefined, isConfirmed: false, isAsked: false, waiters: new Set() }
    this.#wishes.set(subject, wish)
    return wish
  }

  #known(subjects: readonly string[]): Wish[] {
    return subjects.flatMap((subject) => this.#wishes.get(subject) ?? [])
  }

  #ask(wishes: readonly Wish[]): void {
    const link = this.#link
    const unasked = wishes.filter((wish) => !wish.isAsked)
    if (!link || unasked.length === 0) return
    for (const wish of unasked) wish.isAsked = true
    for (let at = 0; at < unasked.length; at += BATCH) {
      this.#request(link, unasked.slice(at, at + BATCH)).catch((error: unknown) => {
        this.#lastError = error
        if (this.#link !== link) return
        for (const wish of unasked) wish.isAsked = wish.isConfirmed
        if (!this.#retry.isArmed) this.#retry.start(RETRY_MS)
      })
    }
  }

  async #request(link: BusLink, wishes: readonly Wish[]): Promise<void> {
    if (wishes.length === 0) return
    const { clock, subscribeTimeoutMs } = this.#settings
    const asked = attempt(() => link.subscribe(wishes.map(({ subject }) => subject)))
    const late = () => unavailable(`no subscription within ${subscribeTimeoutMs} ms`)
    if (asked) await within(asked, { clock, ms: subscribeTimeoutMs, signal: this.#asking, late })
    if (this.#link !== link) return
    for (const wish of wishes) if (this.#wishes.get(wish.subject) === wish) this.#confirm(wish)
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
    for (const waiter of this.#waiters) {
      if (waiter.dueAt > now) {
        this.#deadline.start(waiter.dueAt - now)
        break
      }
      this.#forget(waiter)
      const what = `no subscription within ${this.#settings.subscribeTimeoutMs} ms`
      waiter.reject(unavailable(what, this.#link ? this.#lastError : this.#why()))
    }
    this.#onTimeout()
  }
}
