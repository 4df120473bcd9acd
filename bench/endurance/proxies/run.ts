/**
 * The command: `npm run proxies [-- --install] [--print]`. It runs the configurations that docs/operations.md shows, each
 * between clients and two servers, and writes there which versions were run and what came of it. Where a proxy is missing
 * it says so and does no harm; `--install` gets them from Debian's packages, which takes root.
 */

import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { withSection } from "../../page.js"
import { PROXIES, type ProxyServer } from "./proxies.js"
import { type Tried, toRow, tryProxy } from "./try.js"

const PACKAGES = ["nginx-light", "haproxy", "caddy"]

const path = fileURLToPath(new URL("../../../docs/operations.md", import.meta.url))
const { values } = parseArgs({
  options: { install: { type: "boolean", default: false }, print: { type: "boolean", default: false } },
})

if (values.install) install()
const missing = PROXIES.filter((it) => versionOf(it) === undefined)
if (missing.length > 0) {
  const names = missing.map((it) => it.title).join(", ")
  console.log(
    `Skipped: ${names} not found; on Debian, as root, \`npm run proxies -- --install\` installs them.`,
  )
} else await tryAll()

async function tryAll(): Promise<void> {
  const page = await readFile(path, "utf8")
  const tried: Tried[] = []
  for (const proxy of PROXIES) {
    const result = await tryProxy(proxy, configurationIn(page, proxy))
    console.log(JSON.stringify(result))
    tried.push(result)
  }
  const table = [
    "| | version | clients on each server | after idle times, with heartbeat | without | a rolling restart: back, lost |",
    "|---|---|---|---|---|---|",
    ...tried.map((it) => toRow(it, versionOf(it.proxy) ?? "")),
  ].join("\n")
  console.log(`\n${table}\n`)
  if (tried.some((it) => !it.isGood)) process.exitCode = 1
  if (!values.print) await writeFile(path, withSection(await readFile(path, "utf8"), "proxies", table))
}

/** The fenced block of the page that is in the language of a proxy. */
function configurationIn(page: string, { language }: ProxyServer): string {
  const [, block] = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page) ?? []
  if (block === undefined) throw new Error(`docs/operations.md shows no configuration in ${language}`)
  return block
}

function versionOf({ command, versionArgument }: ProxyServer): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, [versionArgument], { encoding: "utf8" })
  return error ? undefined : /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0]
}

function install(): void {
  if (!existsSync("/etc/debian_version") || process.getuid?.() !== 0) {
    console.log("Not installed: that takes Debian and root.")
    return
  }
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", ...PACKAGES]]) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    const { status } = spawnSync("apt-get", ["-q", ...args], { stdio: "inherit", env })
    if (status !== 0) throw new Error(`apt-get ${args[0]} failed`)
  }
}
