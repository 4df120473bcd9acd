/**
 * Gets the runtimes that the matrix runs in, and puts the parts of its report together at the end. The short form, a part
 * of `npm test`, has the Node at hand and Chromium; the full one, `npm run matrix`, downloads the rest.
 */

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { TestProject } from "vitest/node"
import { ensureChromium } from "../../scripts/chromium.js"
import { canInstallRuntimes, installRuntimes, type Runtime, thisNode } from "../../scripts/runtimes.js"
import { PARTS } from "../support/matrix-report.js"

declare module "vitest" {
  export interface ProvidedContext {
    /** The runtimes to run in, Chromium apart. */
    runtimes: Runtime[]
    /** Whether all of them are there, rather than the Node at hand alone. */
    isFull: boolean
  }
}

const NOT_HERE = `The other runtimes come as packages for Linux on x64, and this is ${process.platform} on ${process.arch}.\n`

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const isFull = process.env.HOLDFAST_MATRIX === "full"
  ensureChromium()
  provide("runtimes", [thisNode, ...(isFull && canInstallRuntimes ? await installRuntimes() : [])])
  provide("isFull", isFull)
  await rm(PARTS, { recursive: true, force: true })
  await mkdir(PARTS, { recursive: true })
  return async () => {
    if (!isFull) return
    const names = (await readdir(PARTS)).sort()
    const parts = await Promise.all(names.map((it) => readFile(join(PARTS, it), "utf8")))
    const date = new Date().toISOString().slice(0, 10)
    const heading = `${date}, ${process.platform} on ${process.arch}.\n`
    const report = [heading, ...parts, ...(canInstallRuntimes ? [] : [NOT_HERE])].join("\n")
    await writeFile(`${PARTS}.md`, report)
    console.log(`\n${report}`)
  }
}
