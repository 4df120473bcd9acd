/**
 * A process of this repository's own, run from its source, that ends with the test. It talks by messages.
 */

import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"
import { inTime } from "./deadline.js"

/** A running process. */
export interface Child {
  /** Sends it a message. */
  send(message: object): void
  /** Its next message. Rejects after a deadline. */
  next<Message>(): Promise<Message>
}

/** Starts a program of `test/support`, with garbage to be collected at its own command. */
export function startChild(file: string, args: string[] = [], flags: string[] = []): Child {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: ["--import", "tsx", "--expose-gc", ...flags],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  })
  const exit = once(child, "exit")
  onTestFinished(async () => {
    child.kill()
    await exit
  })
  return {
    send: (message) => void child.send(message),
    next: async () => (await inTime(once(child, "message"), `a message of ${file}`, 20_000))[0],
  }
}
