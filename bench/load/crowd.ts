/**
 * Many connections to one server, and the proof that each of them got every message, once and in order. It opens and
 * publishes what it is told to; it measures nothing.
 */

import { MessageCheck, message, SERVER } from "../message.js"
import { RawClient } from "./raw-client.js"

/** How many connections are opened at a time: the server's backlog is not what is measured. */
const OPENED_AT_ONCE = 50
const DEADLINE_MS = 20_000

/** A crowd of receivers, some of which may publish. */
export class Crowd {
  readonly #checks: MessageCheck[] = []
  readonly #clients: RawClient[] = []
  /** By connection: how many messages it has published so far, and how many it still has to. */
  readonly #published: number[] = []
  #toPublish: number[] = []
  #opened = 0
  #due = 0
  #missing = 0
  #failure: Error | undefined
  #settle: { resolve(): void; reject(error: Error): void } | undefined

  private constructor() {}

  /** Connects so many clients to a port of this machine. */
  static async open(port: number, size: number): Promise<Crowd> {
    const crowd = new Crowd()
    try {
      while (crowd.size < size) {
        const count = Math.min(OPENED_AT_ONCE, size - crowd.size)
        await Promise.all(Array.from({ length: count }, () => crowd.#open(port)))
      }
    } catch (error) {
      crowd.close()
      throw error
    }
    return crowd
  }

  /** How many connections there are. */
  get size(): number {
    return this.#clients.length
  }

  /**
   * Resolves when every connection has got so many more messages. Ask before they are sent.
   * Rejects as soon as one is lost, repeated, reordered or altered, and when some are missing after `deadlineMs`.
   */
  async receive(count: number, deadlineMs = DEADLINE_MS): Promise<void> {
    if (this.#failure) throw this.#failure
    this.#due += count
    this.#missing += count * this.size
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        this.#settle = { resolve, reject }
        timer = setTimeout(() => reject(new Error(this.#tellMissing(deadlineMs))), deadlineMs)
      })
    } finally {
      clearTimeout(timer)
      this.#settle = undefined
    }
    // with the right total, one that got too many would hide one that got too few
    if (this.#checks.some((it) => it.received !== this.#due)) throw new Error(this.#tellMissing(0))
  }

  /**
   * Each of the first so many connections publishes so many messages: the first at once, each further one when its
   * last one has come back.
   */
  publish(publishers: number, each: number): void {
    this.#toPublish = new Array<number>(publishers).fill(each)
    for (let i = 0; i < publishers; i += 1) this.#publishNext(i)
  }

  /** Ends all connections at once. */
  close(): void {
    for (const client of this.#clients) client.destroy()
  }

  async #open(port: number): Promise<void> {
    const check = new MessageCheck()
    const index = this.#opened
    this.#opened += 1
    const client = await RawClient.open(port, {
      message: (bytes, start, end) => {
        const publisher = check.take(bytes, start, end)
        this.#missing -= 1
        if (publisher === numberOf(index)) this.#publishNext(index)
        if (this.#missing === 0) this.#settle?.resolve()
      },
      failed: (error) => this.#fail(error),
    })
    this.#checks[index] = check
    this.#clients[index] = client
  }

  #publishNext(index: number): void {
    const left = this.#toPublish[index] ?? 0
    if (left === 0) return
    const serial = this.#published[index] ?? 0
    this.#toPublish[index] = left - 1
    this.#published[index] = serial + 1
    this.#clients[index]?.send(message(numberOf(index), serial))
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#settle?.reject(this.#failure)
  }

  #tellMissing(waitedMs: number): string {
    const wrong = this.#checks.filter((it) => it.received !== this.#due)
    const first = wrong[0]?.received
    return `after ${waitedMs} ms ${wrong.length} of ${this.size} connections have another number of messages than ${this.#due}: the first has ${first}`
  }
}

/** The number that a connection publishes under. */
function numberOf(index: number): number {
  return SERVER + 1 + index
}
