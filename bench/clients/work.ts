/**
 * What every client program of the bench does besides being a client: it takes orders, counts and checks what comes in,
 * and sends what it is told to. How it connects is the business of the file that calls `work`.
 */

import { type Format, JSON_TEXT, type Note, PERIOD, SERVER, TEXT } from "../message.js"
import { takeOrders } from "../orders.js"

/** So many messages are sent in one turn of the event loop. */
const SENT_AT_ONCE = 250
/** With more than that in the socket, sending waits. */
const MAX_BUFFERED_BYTES = 262_144

/** An open connection. */
export interface BenchClient {
  /** Sends one message: text, or a note where the format is JSON. */
  send(message: string | Note): void
  /** How many bytes the socket holds. */
  buffered(): number
}

/** Connects; whatever comes in goes to `hear`, parsed where the format is JSON. Resolves when it is open. */
export type Open = (
  url: string,
  format: Format["name"],
  hear: (message: unknown) => void,
) => Promise<BenchClient>

/** What an order is about. */
export interface Task {
  readonly format: Format["name"]
  readonly count: number
}

/** Puts a client at the command of the process that started this one. */
export async function work(open: Open): Promise<void> {
  const lines = new Map<string, Line>()
  const lineOf = (format: string) => lines.get(format) as Line
  await takeOrders(async () => ({
    connect: async ({ url, format }: { url: string; format: Format["name"] }) => {
      const line = format === "json" ? new NoteLine() : new TextLine()
      lines.set(format, line)
      line.client = await open(url, format, (message) => line.hear(message))
      return true
    },
    receive: ({ format, count }: Task) => lineOf(format).receive(count),
    send: ({ format, count }: Task) => lineOf(format).send(count),
  }))
}

/** One connection: what came in over it, and what goes out. */
abstract class Line {
  client: BenchClient | undefined
  #heard = 0
  #due = 0
  #sent = 0
  #resolve: (() => void) | undefined

  hear(message: unknown): void {
    if (!this.isRight(message, this.#heard % PERIOD)) {
      throw new Error(`message ${this.#heard} is ${JSON.stringify(message)}`)
    }
    this.#heard += 1
    if (this.#heard === this.#due) this.#resolve?.()
  }

  /** Answers when so many more messages have come. */
  async receive(count: number): Promise<true> {
    this.#due += count
    if (this.#heard < this.#due) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve
      })
    }
    return true
  }

  async send(count: number): Promise<true> {
    const client = this.client as BenchClient
    for (const end = this.#sent + count; this.#sent < end; ) {
      const stop = Math.min(end, this.#sent + SENT_AT_ONCE)
      for (; this.#sent < stop; this.#sent += 1) client.send(this.make(this.#sent % PERIOD))
      do await new Promise<void>((resolve) => setImmediate(resolve))
      while (client.buffered() > MAX_BUFFERED_BYTES)
    }
    return true
  }

  protected abstract isRight(message: unknown, serial: number): boolean
  protected abstract make(serial: number): string | Note
}

class TextLine extends Line {
  readonly #all = Array.from({ length: PERIOD }, (_, serial) => TEXT.make(SERVER, serial))

  protected isRight(message: unknown, serial: number): boolean {
    return message === this.#all[serial]
  }

  protected make(serial: number): string {
    return this.#all[serial] as string
  }
}

class NoteLine extends Line {
  readonly #first = JSON.parse(JSON_TEXT.make(SERVER, 0)) as Note

  protected isRight(message: unknown, serial: number): boolean {
    const { type, from, text } = this.#first
    const note = message as Note
    return (
      note.serial === this.#first.serial + serial &&
      note.from === from &&
      note.type === type &&
      note.text === text
    )
  }

  protected make(serial: number): Note {
    const { type, from, text } = this.#first
    return { type, from, serial: this.#first.serial + serial, text }
  }
}
