/**
 * A program in a process of its own that may be killed, may end by itself, and may say things unasked. What it does is
 * the business of its file.
 */

import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import type { Order, Saying, Usage } from "../orders.js"

const DEADLINE_MS = 60_000

/** How a process ended: by itself, or by a signal. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** How a worker is started. */
export interface WorkerLaunch {
  /** Its compiled file. */
  readonly file: string
  /** What it is told at the start. */
  readonly settings?: object
  /** Whether it can collect its garbage when it is told to. @defaultValue false */
  readonly hasGarbageCollector?: boolean
  /** Hears of the process before anything else happens. */
  readonly onStart?: (child: ChildProcess) => void
}

/** A running process. Ends with its disposal, if it has not ended before. */
export class Worker implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #answers = new Map<string, unknown[]>()
  /** How it ended, once it has. */
  readonly ended: Promise<Exit>

  private constructor({ file, settings = {}, hasGarbageCollector = false, onStart }: WorkerLaunch) {
    this.#child = fork(file, [JSON.stringify(settings)], {
      execArgv: hasGarbageCollector ? ["--expose-gc"] : [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
    })
    onStart?.(this.#child)
    this.#child.setMaxListeners(0)
    this.ended = once(this.#child, "exit").then(([code, signal]) => ({ code, signal }))
    this.#child.on("message", (said: Saying) => {
      if ("ready" in said) this.#answers.set("ready", [true])
      else if ("to" in said) this.#answers.set(said.to, [...(this.#answers.get(said.to) ?? []), said.answer])
    })
  }

  /** Starts a process. Resolves when it takes orders. */
  static async start(launch: WorkerLaunch): Promise<Worker> {
    const worker = new Worker(launch)
    try {
      await worker.hear("ready")
      return worker
    } catch (error) {
      worker.kill("SIGKILL")
      throw error
    }
  }

  /** Gives an order and waits for its answer. Rejects when the process ends first or takes too long. */
  async ask<Answer>(order: string, argument?: unknown): Promise<Answer> {
    this.#child.send({ do: order, argument } satisfies Order, () => {})
    return this.hear<Answer>(order)
  }

  /** Gives an order that has no answer. */
  tell(order: string, argument?: unknown): void {
    this.#child.send({ do: order, argument } satisfies Order, () => {})
  }

  /** The next thing that is said about something, asked or not. What was said before it is asked for is kept. */
  async hear<Answer>(about: string, deadlineMs = DEADLINE_MS): Promise<Answer> {
    const signal = AbortSignal.timeout(deadlineMs)
    for (;;) {
      const answers = this.#answers.get(about)
      if (answers && answers.length > 0) return answers.shift() as Answer
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`the process ended without an answer to "${about}"`)
      }
      const over = new AbortController()
      const options = { signal: AbortSignal.any([signal, over.signal]) }
      const turns = [once(this.#child, "message", options), once(this.#child, "exit", options)]
      await Promise.race(turns).finally(() => over.abort())
      for (const turn of turns) turn.catch(() => {})
    }
  }

  /** What it has used, with its garbage collected. */
  async usage(): Promise<Usage> {
    // a finalizer may leave some for a second time
    await this.ask<Usage>("usage", true)
    return this.ask<Usage>("usage", true)
  }

  /** Sends it a signal. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.kill("SIGKILL")
    await this.ended
  }
}

/** Looks every so often whether something holds. Rejects when it does not come to hold in time. */
export async function waitUntil(
  holds: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs: number,
  everyMs = 50,
): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`)
    await sleep(everyMs)
  }
}

/** Resolves after so many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
