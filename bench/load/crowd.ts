/**
 * Many connections to one server, and the proof that each of them got every message, once and in order. It opens and
 * publishes what it is told to; it measures nothing.
 */

import { type Check, type Format, MessageCheck, SERVER, TEXT } from "../message.js"
import { DIALECTS, type Dialect, type Role } from "./dialect.js"
import { RawClient } from "./raw-client.js"

/** How many connections are opened at a time: the server's backlog is not what is measured. */
const OPENED_AT_ONCE = 50
const DEADLINE_MS = 20_000

/** Who is in a crowd. */
export interface CrowdOptions {
  /** A port of this machine. */
  readonly port: number
  /** How many connections. */
  readonly size: number
  /** What they are for. @defaultValue "all" */
  readonly role?: Role
  /** How messages are written. @defaultValue TEXT */
  readonly format?: Format
  /** How the server is spoken to. @defaultValue "plain" */
  readonly dialect?: keyof typeof DIALECTS
  /** Whether messages come compressed. @defaultValue false */
  readonly isCompressed?: boolean
  /** What checks the messages of one connection. @defaultValue that each publisher's come once and in order */
  readonly check?: () => Check
  /** Hears of each good message: which connection it came to, and who published it. */
  readonly heard?: (client: number, publisher: number) => void
}

/** A crowd of receivers, some of which may publish. */
export class Crowd {
  readonly #options: CrowdOptions
  readonly #format: Format
  readonly #dialect: Dialect
  readonly #checks: Check[] = []
  readonly #clients: RawClient[] = []
  /** By connection: how many messages are due, how many it has published, and how many it still has to. */
  readonly #due: number[] = []
  readonly #published: number[] = []
  #toPublish: number[] = []
  #opened = 0
  #missing = 0
  #failure: Error | undefined
  #settle: { resolve(): void; reject(error: Error): void } | undefined

  private constructor(options: CrowdOptions) {
    this.#options = options
    this.#format = options.format ?? TEXT
    this.#dialect = DIALECTS[options.dialect ?? "plain"](this.#format.name)
  }

  /** Connects so many clients. */
  static async open(options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(options)
    try {
      while (crowd.size < options.size) {
        const count = Math.min(OPENED_AT_ONCE, options.size - crowd.size)
        await Promise.all(Array.from({ length: count }, () => crowd.#open()))
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

  /** What has come to all of them: good messages, the frames that those were in, and all bytes. */
  get traffic(): { readonly messages: number; readonly frames: number; readonly bytes: number } {
    const sum = (values: readonly number[]) => values.reduce((total, it) => total + it, 0)
    return {
      messages: sum(this.#checks.map((it) => it.received)),
      frames: sum(this.#clients.map((it) => it.frames)),
      bytes: sum(this.#clients.map((it) => it.bytes)),
    }
  }

  /**
   * Resolves when every connection has got so many more messages, or each as many as is said of it. Ask before they
   * are sent. Rejects as soon as one is lost, repeated, reordered or altered, and when some are missing after `deadlineMs`.
   */
  async receive(count: number | ((client: number) => number), deadlineMs = DEADLINE_MS): Promise<void> {
    if (this.#failure) throw this.#failure
    for (let i = 0; i < this.size; i += 1) {
      const own = typeof count === "number" ? count : count(i)
      this.#due[i] = (this.#due[i] ?? 0) + own
      this.#missing += own
    }
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
    if (this.#wrong.length > 0) throw new Error(this.#tellMissing(0))
  }

  /**
   * Each of the first so many connections publishes so many messages: the first at once, each further one when its
   * last one has come back.
   */
  publish(publishers: number, each: number): void {
    this.#toPublish = new Array<number>(publishers).fill(each)
    for (let i = 0; i < publishers; i += 1) this.#publishNext(i)
  }

  /** One connection sends its next message now. */
  send(client: number): void {
    const serial = this.#published[client] ?? 0
    this.#published[client] = serial + 1
    this.#clients[client]?.send(this.#format.make(numberOf(client), serial))
  }

  /** Ends all connections at once. */
  close(): void {
    for (const client of this.#clients) client.destroy()
  }

  async #open(): Promise<void> {
    const index = this.#opened
    this.#opened += 1
    const { port, size, role = "all", isCompressed = false, check, heard } = this.#options
    const own = check?.() ?? new MessageCheck(this.#format)
    this.#checks[index] = own
    this.#due[index] = 0
    const target = this.#dialect.target({ role, client: index, of: size })
    const client = await RawClient.open(
      { port, target, dialect: this.#dialect, isCompressed },
      {
        message: (bytes, start, end) => {
          const publisher = own.take(bytes, start, end)
          heard?.(index, publisher)
          this.#missing -= 1
          if (publisher === numberOf(index)) this.#publishNext(index)
          if (this.#missing === 0) this.#settle?.resolve()
        },
        failed: (error) => this.#fail(error),
      },
    )
    this.#clients[index] = client
  }

  #publishNext(index: number): void {
    const left = this.#toPublish[index] ?? 0
    if (left === 0) return
    this.#toPublish[index] = left - 1
    this.send(index)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#settle?.reject(this.#failure)
  }

  get #wrong(): Check[] {
    return this.#checks.filter((it, i) => it.received !== this.#due[i])
  }

  #tellMissing(waitedMs: number): string {
    const wrong = this.#wrong
    const [first] = wrong
    const due = this.#due[this.#checks.indexOf(first as Check)]
    return `after ${waitedMs} ms ${wrong.length} of ${this.size} connections have another number of messages than they should: the first has ${first?.received} of ${due}`
  }
}

/** The number that a connection publishes under. */
function numberOf(index: number): number {
  return SERVER + 1 + index
}
