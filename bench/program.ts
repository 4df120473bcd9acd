/**
 * A program in a process of its own, seen from the process that measures: its life, and what it is told. What it does is
 * the business of its file.
 */

import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { CannotDo, type Order, type Saying, type Usage } from "./orders.js"

const DEADLINE_MS = 20_000

/** How a program is started. */
export interface Launch {
  /** Its compiled file. */
  readonly file: string
  /** What it is told at the start. */
  readonly args?: readonly string[]
  /** What runs it. @defaultValue this Node */
  readonly runtime?: { readonly command: string; readonly env: Readonly<Record<string, string>> } | undefined
  /** Options for the Node that runs it. */
  readonly nodeOptions?: readonly string[]
}

/** A running program. Ended by {@link Program.stop}, and by the end of this process. */
export class Program {
  readonly #child: ChildProcess

  private constructor({ file, args = [], runtime, nodeOptions = [] }: Launch) {
    this.#child = fork(file, [...args], {
      execArgv: runtime ? [] : [...nodeOptions],
      ...(runtime && { execPath: runtime.command, env: { ...process.env, ...runtime.env } }),
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    })
  }

  /**
   * Starts a program. Resolves when it takes orders.
   * @throws CannotDo when it says that it cannot do what it was started for.
   */
  static async start(launch: Launch): Promise<Program> {
    const program = new Program(launch)
    try {
      await program.#hear((said) => {
        if ("cannot" in said) throw new CannotDo(said.cannot)
        return "ready" in said || undefined
      })
    } catch (error) {
      await program.stop()
      throw error
    }
    return program
  }

  /** Gives an order that has no answer. */
  tell(order: string, argument?: unknown): void {
    // where it cannot be told, it has ended, which whoever waits for it will notice
    this.#child.send({ do: order, argument } satisfies Order, () => {})
  }

  /** Gives an order and waits for its answer. Rejects when the program ends first or takes too long. */
  async ask<Answer>(order: string, argument?: unknown): Promise<Answer> {
    this.tell(order, argument)
    return this.#hear((said) => ("to" in said && said.to === order ? (said.answer as Answer) : undefined))
  }

  /** What it has used since it started; on request, once its garbage is collected. */
  async usage(isAfterGarbage = false): Promise<Usage> {
    return this.ask<Usage>("usage", isAfterGarbage)
  }

  /** Ends it and waits until it has ended. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, "exit")
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), DEADLINE_MS)
    await ended
    clearTimeout(timer)
  }

  /** The next thing said that has to be this: anything else is out of turn. */
  async #hear<Answer>(read: (said: Saying) => Answer | undefined): Promise<Answer> {
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(DEADLINE_MS)])
    const ended = once(this.#child, "exit", { signal }).then(() => {
      throw new Error("the program ended")
    })
    try {
      const [said] = (await Promise.race([once(this.#child, "message", { signal }), ended])) as [Saying]
      const answer = read(said)
      if (answer === undefined) throw new Error(`said out of turn: ${JSON.stringify(said)}`)
      return answer
    } finally {
      ended.catch(() => {})
      over.abort()
    }
  }
}
