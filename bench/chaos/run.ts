/**
 * The command `npm run chaos`, over Redis, or over what is named: `-- nats`, `-- cluster`. A minute of it, or so many
 * seconds. It prints the table and writes it into docs/scaling.md, unless `--print` is given. A figure that is not what it
 * should be is exit code 1.
 */

import { readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { toTable } from "../endurance/trial.js"
import { withSection } from "../page.js"
import { chaos, judgeChaos } from "./chaos.js"
import { CARRIERS } from "./engines.js"

const page = fileURLToPath(new URL("../../docs/scaling.md", import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    print: { type: "boolean", default: false },
  },
})
const [seconds, seed] = [values.seconds, values.seed].map((it) => {
  if (!/^[1-9]\d{0,3}$/.test(it)) throw new Error(`a number from 1 to 9999 is needed, got ${it}`)
  return Number(it)
}) as [number, number]

const [named = "redis"] = positionals
const carrier = CARRIERS.find((it) => it === named)
if (!carrier) throw new Error(`one of ${CARRIERS.join(", ")} is needed, got ${named}`)

const found = await chaos({
  carrier,
  ...{ nodes: 4, clients: 300, rooms: 20, everyMs: 10, faultEveryMs: 2_000, markMs: 2_000 },
  ...{ seconds, seed },
})
const verdict = judgeChaos(found)
const table = `${verdict.sentence}\n\n${toTable(verdict)}`
console.log(`\n${table}\n`)
if (verdict.checks.some((it) => !it.isMet)) process.exitCode = 1
if (!values.print) await writeFile(page, withSection(await readFile(page, "utf8"), `chaos ${carrier}`, table))
