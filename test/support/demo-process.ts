/**
 * A program of the examples in a process of its own, as a person starts it: what it prints, and how it ends.
 */

import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"
import { inTime } from "./deadline.js"
import { Mailbox } from "./mailbox.js"

/**
 * How long a program may neither say a line nor end, in milliseconds: starting one, which compiles what it imports, takes its
 * time on a busy machine, and some start others. One that fails ends, which is seen at once.
 */
const START_MS = 25_000

/** How a program ended. */
interface Exit {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A running program. */
export interface Program {
  /** Types one line. */
  type(line: string): void
  /** Ends the input. */
  endInput(): void
  /** The next line of standard output that matches, and what matched. Rejects after a deadline. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  signal(signal: NodeJS.Signals): void
  /** How it ended. Rejects after a deadline. */
  exited(ms?: number): Promise<Exit>
}

/** Starts a TypeScript file of the examples, or one that needs no loader. */
export function startProgram(
  file: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Program {
  const loader = file.endsWith(".mjs") ? [] : ["--import", "tsx"]
  const child = spawn(process.execPath, [...loader, `examples/${file}`, ...args], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...process.env, ...env },
  })
  const lines = new Mailbox<string>("line")
  let stdout = ""
  let stderr = ""
  createInterface({ input: child.stdout }).on("line", (line) => {
    stdout += `${line}\n`
    lines.put(line)
  })
  child.stderr.on("data", (data) => {
    stderr += data
  })
  const ended = new Promise<Exit>((resolve) => {
    child.once("close", (code) => {
      lines.end(`exited with ${code}: ${stderr}`)
      resolve({ code, stdout, stderr })
    })
  })
  onTestFinished(async () => {
    child.kill("SIGKILL")
    await ended
  })
  return {
    type: (line) => child.stdin.write(`${line}\n`),
    endInput: () => child.stdin.end(),
    async line(pattern) {
      for (;;) {
        const match = pattern.exec(await lines.next(START_MS))
        if (match) return match
      }
    },
    signal: (signal) => child.kill(signal),
    exited: (ms = START_MS) => inTime(ended, "the program to end", ms),
  }
}
