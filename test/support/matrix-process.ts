/**
 * Runs a program as a process of some runtime, and reads the JSON it prints line by line. It knows no program.
 */

import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Runtime } from "../../scripts/runtimes.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** How long a program may take, in milliseconds, before it counts as one that does not end. */
const LIMIT_MS = 20_000

/** One line that a program printed. */
export interface ProgramEvent {
  readonly event?: string
  readonly [detail: string]: unknown
}

/** How a program ran. */
export interface Run {
  readonly events: readonly ProgramEvent[]
  /** What went wrong: an exit code other than 0, a signal, or anything on the error stream. Empty when nothing did. */
  readonly trouble: string
  /** How long it went on after its last event, in milliseconds. */
  readonly lingerMs: number
}

/** What a test may add to a run. */
export interface RunOptions {
  /** The program's one argument, as JSON. */
  readonly task?: object
  /** Told of each event as it is printed. */
  readonly onEvent?: (event: ProgramEvent) => void
}

/** Runs a program of `test/matrix`. Resolves when its process has ended by itself; rejects when that takes too long. */
export function runProgram(runtime: Runtime, file: string, options: RunOptions = {}): Promise<Run> {
  const { PATH = "", HOME = "" } = process.env
  const path = fileURLToPath(new URL(`../matrix/${file}`, import.meta.url))
  const child = spawn(runtime.command, [...runtime.args, path, JSON.stringify(options.task ?? {})], {
    cwd: root,
    env: { PATH, HOME, NO_COLOR: "1", ...runtime.env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const events: ProgramEvent[] = []
  let errors = ""
  let lastAt = performance.now()
  child.stderr.setEncoding("utf8").on("data", (text) => {
    errors += text
  })
  createInterface(child.stdout).on("line", (line) => {
    const event = parse(line)
    lastAt = performance.now()
    events.push(event)
    options.onEvent?.(event)
  })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL")
      const story = events.map((it) => JSON.stringify(it)).join("\n")
      reject(new Error(`${runtime.title} has not ended ${LIMIT_MS} ms after its start:\n${story}\n${errors}`))
    }, LIMIT_MS)
    child.once("error", reject)
    child.once("close", (code, signal) => {
      clearTimeout(timer)
      const end = code === 0 ? "" : `exit code ${code}, signal ${signal}\n`
      resolve({ events, trouble: end + errors, lingerMs: performance.now() - lastAt })
    })
  })
}

function parse(line: string): ProgramEvent {
  try {
    return JSON.parse(line)
  } catch {
    return { printed: line } // no test expects this, and each shows it
  }
}
