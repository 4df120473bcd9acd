/**
 * The command `npm run remote`: it prints the table and writes it into docs/scaling.md, unless `--quick` or `--print` is
 * given.
 */

import { readFile, writeFile } from "node:fs/promises"
import { cpus, loadavg } from "node:os"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { withSection } from "../page.js"
import { remote, toRemoteTable } from "./remote.js"

const page = fileURLToPath(new URL("../../docs/scaling.md", import.meta.url))
const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, print: { type: "boolean", default: false } },
})
const options = values.quick
  ? { messages: 4_000, rounds: 1, laps: 1 }
  : { messages: 20_000, rounds: 2, laps: 4 }

const load = `Load average of the machine at the start: ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores.`
const findings = await remote(options)
const sentence = `One node publishes messages of 100 characters to a room whose one member is on another node, never more than 1,000 on their way; each is checked. The broker's own CPU time (with node:cluster that of the primary) is not in it. Medians and quartiles of ${options.laps} laps, each with ${options.rounds} rounds of ${options.messages.toLocaleString("en")} messages: \`npm run remote\`. ${load}`
const table = `${sentence}\n\n${toRemoteTable(findings)}`
console.log(`\n${table}\n`)
if (!values.quick && !values.print) {
  await writeFile(page, withSection(await readFile(page, "utf8"), "remote", table))
}
