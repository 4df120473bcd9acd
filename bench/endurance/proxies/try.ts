/**
 * One proxy between clients and two servers: whether both get clients, whether silent connections live, and whether a
 * rolling restart loses anything.
 */

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { probe } from "holdfast/server"
import { Programs } from "../programs.js"
import { type Rolled, rolling } from "../rolling.js"
import type { ServerSettings } from "../server-settings.js"
import { sleep, waitUntil } from "../worker.js"
import type { ProxyServer } from "./proxies.js"

/** What came of it. */
export interface Tried {
  readonly proxy: ProxyServer
  /** Clients on each server. */
  readonly spread: readonly number[]
  /** Silent connections that were left after twice the proxy's idle time. */
  readonly withHeartbeat: number
  readonly withoutHeartbeat: number
  readonly rolled: Pick<Rolled, "back" | "lost" | "doubled" | "received">
  readonly isGood: boolean
}

const CLIENTS = 50
/** Twice what a proxy of a trial gives a silent connection. */
const SILENCE_MS = 6_000
const HEARTBEAT = { intervalMs: 1_000, timeoutMs: 5_000 }
const ROLLING = {
  clients: CLIENTS,
  everyMs: 100,
  windowMs: 1_000,
  deadlineMs: 30_000,
  // proxies look after a server that was away every second
  noticeMs: 5_000,
  options: { backoff: { initialMs: 500, maxMs: 2_000 }, closeCodes: { 1012: "now" } },
} as const

/** Tries it. */
export async function tryProxy(proxy: ProxyServer, shown: string): Promise<Tried> {
  const beating = await keepSilent(proxy, shown, { heartbeat: HEARTBEAT })
  const silent = await keepSilent(proxy, shown, { heartbeat: false })
  await using fronts = new Fronts(proxy, shown)
  const rolled = await rolling({ ...ROLLING, front: (ports) => fronts.start(ports) })
  const { back, lost, doubled, received } = rolled
  const isSpread = beating.spread.every((it) => it > 0)
  return {
    proxy,
    spread: beating.spread,
    withHeartbeat: beating.left,
    withoutHeartbeat: silent.left,
    rolled: { back, lost, doubled, received },
    isGood: isSpread && beating.left === CLIENTS && back === CLIENTS && lost === 0 && doubled === 0,
  }
}

/** The result as a line of the table. */
export function toRow(
  { proxy, spread, withHeartbeat, withoutHeartbeat, rolled }: Tried,
  version: string,
): string {
  const cells = [
    proxy.title,
    version,
    spread.join(", "),
    `${withHeartbeat} of ${CLIENTS} left`,
    `${withoutHeartbeat} of ${CLIENTS} left`,
    `${rolled.back} of ${CLIENTS}, ${rolled.lost} of ${rolled.received.toLocaleString("en")}`,
  ]
  return `| ${cells.join(" | ")} |`
}

/** Opens connections through the proxy that send nothing, and counts those that are left after a while. */
async function keepSilent(proxy: ProxyServer, shown: string, settings: ServerSettings) {
  await using programs = await Programs.compile()
  await using fronts = new Fronts(proxy, shown)
  const servers = [await programs.server(settings), await programs.server(settings)]
  const port = await fronts.start(servers.map((it) => it.port))
  const raw = await programs.raw()
  await raw.ask("open", { port, count: CLIENTS })
  const sizes = () => Promise.all(servers.map(({ server }) => server.ask<number>("size")))
  const spread = await sizes()
  await sleep(SILENCE_MS)
  return { spread, left: (await raw.ask<{ open: number }>("counts")).open }
}

/** Running proxies of one kind. */
class Fronts implements AsyncDisposable {
  readonly #proxy: ProxyServer
  readonly #shown: string
  readonly #running: { child: ChildProcess; folder: string }[] = []

  constructor(proxy: ProxyServer, shown: string) {
    this.#proxy = proxy
    this.#shown = shown
  }

  /** Starts one in front of two servers. Resolves with its port once a WebSocket goes through it. */
  async start(servers: readonly number[]): Promise<number> {
    const { command, args, file, configuration } = this.#proxy
    const port = await freePort()
    const folder = await mkdtemp(join(tmpdir(), "holdfast-proxy-"))
    const setting = { folder, port, servers: servers as [number, number] }
    await writeFile(join(folder, file), configuration(this.#shown, setting))
    const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
    const child = spawn(command, args(folder), { stdio: ["ignore", "inherit", "inherit"], env })
    this.#running.push({ child, folder })
    const isThrough = async () =>
      (await probe(`ws://127.0.0.1:${port}/`, { message: false, timeoutMs: 500 })).ok
    await waitUntil(isThrough, `${this.#proxy.title} to let a WebSocket through`, 10_000)
    // each of its checks has seen both servers by then
    await sleep(2_000)
    return port
  }

  /** Ends them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child, folder } of this.#running) {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit")
        child.kill("SIGKILL")
        await ended
      }
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
