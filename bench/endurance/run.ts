/**
 * The commands `npm run hold`, `storm`, `drain`, `soak` and `stall`: each runs its trial, prints its table and writes it
 * into docs/operations.md, unless `--print` is given. A figure that is not what it should be is exit code 1.
 */

import { execFileSync } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import { cpus, loadavg } from "node:os"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { withSection } from "../page.js"
import { drainTrial, judgeDrain } from "./drain.js"
import { hold, judgeHold } from "./hold.js"
import { judgeRolling, rolling } from "./rolling.js"
import { judgeSoak, soak } from "./soak.js"
import { judgeStall, stall } from "./stall.js"
import { judgeStorm, storm } from "./storm.js"
import { toTable, type Verdict } from "./trial.js"

/** What a process has open besides connections. */
const OTHER_FILES = 200
const MAX_SECONDS = 3_600

const docs = fileURLToPath(new URL("../../docs/", import.meta.url))
const page = `${docs}operations.md`
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string" }, print: { type: "boolean", default: false } },
})
const [name = "", count] = positionals
const load = `Load average of the machine at the start: ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores.`

const TRIALS: Record<string, () => Promise<void>> = {
  async hold() {
    const options = { connections: atMost(count, 5_000), seconds: seconds(60) }
    await document("hold", judgeHold(await hold(options)))
  },
  async storm() {
    const options = { clients: atMost(count, 5_000), outageMs: 10_000, deadlineMs: 120_000 }
    await document("storm", judgeStorm(await storm(options)))
  },
  async drain() {
    const options = { connections: atMost(count, 5_000), windowMs: seconds(10) * 1_000, words: 20 }
    await document("drain", judgeDrain(await drainTrial(options)))
    const rolled = await rolling({ clients: 300, everyMs: 250, windowMs: 5_000, deadlineMs: 90_000 })
    await document("rolling", judgeRolling(rolled))
  },
  async soak() {
    const options = { seconds: seconds(600), connections: atMost(count, 2_000), churn: 50, broadcasts: 5 }
    const isShort = options.seconds < 300
    const settledAfter = isShort ? options.seconds / 3 : 180
    const sampleSeconds = isShort ? 1 : 5
    await document("soak", judgeSoak(await soak({ ...options, sampleSeconds, settledAfter })))
  },
  async stall() {
    const options = { readers: atMost(count, 1_000), messages: 160, bytes: 8_000, everyMs: 50, rounds: 3 }
    await document("stall", judgeStall(await stall(options)))
  },
}

const trial = TRIALS[name]
if (!trial) throw new Error(`unknown: "${name}"; there are ${Object.keys(TRIALS).join(", ")}`)
await trial()

async function document(section: string, verdict: Verdict): Promise<void> {
  const { sentence, checks, picture } = verdict
  const table = `${sentence} ${load}\n\n${toTable(verdict)}`
  console.log(`\n${table}\n`)
  if (checks.some((it) => !it.isMet)) process.exitCode = 1
  if (values.print) return
  const image = picture ? `\n\n![${picture.title}](images/${picture.name}.svg)` : ""
  if (picture) await writeFile(`${docs}images/${picture.name}.svg`, picture.svg)
  await writeFile(page, withSection(await readFile(page, "utf8"), section, `${table}${image}`))
}

/** So many, or what is usual, but no more than a process may have. */
function atMost(given: string | undefined, usual: number): number {
  const wanted = given === undefined ? usual : positive(given)
  const files =
    Number(execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" })) || Number.POSITIVE_INFINITY
  if (wanted + OTHER_FILES <= files) return wanted
  throw new Error(
    `${wanted} connections take ${wanted + OTHER_FILES} open files, and a process may have ${files} here (ulimit -n)`,
  )
}

function seconds(usual: number): number {
  const wanted = values.seconds === undefined ? usual : positive(values.seconds)
  if (wanted > MAX_SECONDS) throw new Error(`--seconds takes at most ${MAX_SECONDS}, got ${wanted}`)
  return wanted
}

function positive(given: string): number {
  if (!/^[1-9]\d*$/.test(given)) throw new Error(`a number is needed, got ${given}`)
  return Number(given)
}
