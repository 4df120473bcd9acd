/**
 * `npx tsx examples/worker-link/main.ts`: a foreman in this process and three workers in processes of their own. Twelve jobs are
 * done, although one worker is killed over its job, and the line of another is cut.
 */

import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { startForeman } from "./foreman.js"

const secret = randomBytes(16).toString("hex")
await using foreman = await startForeman(secret)
console.log(
  `one more worker: WORKER_SECRET=${secret} npx tsx examples/worker-link/worker.ts ${foreman.url} eve`,
)

/** Starts a worker, and passes on what it says. */
function hire(name: string): ChildProcess {
  const file = fileURLToPath(new URL("worker.ts", import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, file, foreman.url, name], {
    env: { ...process.env, WORKER_SECRET: secret },
    stdio: ["ignore", "pipe", "inherit"],
  })
  createInterface({ input: child.stdout }).on("line", (line) => console.log(line))
  return child
}

const here = foreman.cameIn(3)
const workers = ["ada", "bob", "cleo"].map(hire)
await here
console.log("foreman: three workers are here")

const seen = new Set<string>()
foreman.onGiven = (job, worker) => {
  if (seen.has(job)) return
  seen.add(job)
  if (job === "job 4") process.kill(worker.pid, "SIGKILL")
  if (job === "job 7") worker.cut()
}

const jobs = Array.from({ length: 12 }, (_, index) => `job ${index + 1}`)
const done = await Promise.all(
  jobs.map(async (job) => {
    const { result, by } = await foreman.digest(job)
    console.log(`foreman: ${job} is done by ${by}: ${result}`)
    return result
  }),
)
console.log(`foreman: ${new Set(done).size} of ${jobs.length} jobs are done`)

await foreman.cameIn(4) // the three, and the one that was cut for a second time
await foreman[Symbol.asyncDispose]()
// the two that are left were told that it goes, and end by themselves
await Promise.all(workers.map((worker) => worker.exitCode ?? worker.signalCode ?? once(worker, "close")))
