/**
 * The command: `npm run herd`. It simulates the crowds, prints the tables, and writes them and the chart into the
 * documentation. Every run gives the same.
 */

import { readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { withSection } from "../page.js"
import { drawHerds } from "./chart.js"
import { HERD_CLIENTS } from "./clients.js"
import { toSources, toTable } from "./report.js"
import { CROWD, SEED, simulate } from "./simulate.js"

const docs = fileURLToPath(new URL("../../docs/", import.meta.url))
const page = `${docs}reconnection.md`

const herds = HERD_CLIENTS.map((client) => simulate(client, CROWD, SEED))
const table = toTable(herds)
const sources = toSources(HERD_CLIENTS)
console.log(`${table}\n\n${sources}`)

const text = withSection(await readFile(page, "utf8"), "herd", table)
await writeFile(page, withSection(text, "herd-sources", sources))
await writeFile(`${docs}images/herd.svg`, drawHerds(herds))
