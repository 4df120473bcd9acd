/**
 * The client in a Chromium page that is hidden, frozen, cut off and put into the back/forward cache. Its ordinary waits
 * are minutes long: whatever happens within seconds is the page's doing.
 */

import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { type WebSocket, WebSocketServer } from "ws"
import { startProxy } from "../support/client-proxy.js"
import { until } from "../support/deadline.js"
import { DevTools, type Tab } from "../support/devtools.js"

const source = fileURLToPath(new URL("../../src/index.ts", import.meta.url))
/** A name that is not this machine's, as far as the page can see. */
const FAR = "far.test"
const LONG_MS = 20_000

let devTools: DevTools
let html: string

beforeAll(async () => {
  devTools = await DevTools.launch(FAR)
  const bundle = await build({
    stdin: { contents: `export { ReconnectingClient } from ${JSON.stringify(source)}`, resolveDir: "." },
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    globalName: "holdfast",
  })
  html = `<!doctype html><title>page</title><script>${bundle.outputFiles[0]?.text}</script>`
})

afterAll(() => devTools.close())

/** A server of pages and sockets that answers pings and counts what comes in. */
class PageServer {
  readonly http: Server = createServer((_, response) => {
    response.setHeader("content-type", "text/html")
    response.end(html)
  })
  readonly sockets: WebSocket[] = []
  /** How many upgrades were asked for. */
  dials = 0
  pings = 0
  isRefusing = false

  async listen(): Promise<number> {
    const wss = new WebSocketServer({ server: this.http, verifyClient: () => this.#admit() })
    wss.on("connection", (socket) => {
      this.sockets.push(socket)
      socket.on("message", (data) => {
        if (String(data) !== "ping") return
        this.pings += 1
        socket.send("pong")
      })
    })
    await new Promise<void>((resolve) => this.http.listen(0, "127.0.0.1", resolve))
    onTestFinished(() => {
      wss.close()
      for (const socket of this.sockets) socket.terminate()
      this.http.closeAllConnections()
      this.http.close()
    })
    return (this.http.address() as AddressInfo).port
  }

  /** The connections that are open. */
  get open(): WebSocket[] {
    return this.sockets.filter(({ readyState }) => readyState === 1)
  }

  #admit(): boolean {
    this.dials += 1
    return !this.isRefusing
  }
}

/** A page with an open client on it. */
async function openPage(options: { host?: string; isProxied?: boolean } = {}) {
  const server = new PageServer()
  const port = await server.listen()
  const proxy = options.isProxied ? await startProxy(port) : undefined
  const page = `http://${FAR}:${port}/`
  const tab = await devTools.open(page)
  const address = proxy?.url ?? `ws://${options.host ?? "127.0.0.1"}:${port}/`
  await tab.evaluate(`
    globalThis.client = new holdfast.ReconnectingClient(${JSON.stringify(address)}, {
      backoff: { initialMs: 600_000, maxMs: 600_000, jitter: "none" },
      heartbeat: { intervalMs: 600_000, timeoutMs: 600_000 },
      logger: false,
    })
    globalThis.rtt = new Promise((resolve) => client.once("pong", resolve))
  `)
  await until(() => server.pings === 1, "the first ping", LONG_MS)
  await tab.evaluate("rtt")
  onTestFinished(async () => void (await tab.evaluate("void globalThis.client?.close()")))
  return { server, proxy, tab, page, state: () => tab.evaluate<string>("client.state") }
}

/** A page whose client waits for ten minutes, since the server is away. */
async function waitingPage() {
  const opened = await openPage()
  opened.server.isRefusing = true
  opened.server.open[0]?.terminate()
  await inState(opened.tab, "waiting")
  return { ...opened, dials: opened.server.dials }
}

async function inState(tab: Tab, state: string): Promise<void> {
  await tab.evaluate(`new Promise((resolve) => {
    if (client.state === "${state}") resolve()
    client.on("state", ({ to }) => to === "${state}" && resolve())
  })`)
}

describe("C13 an open connection", () => {
  it("C13 is probed and kept when the page is shown again", async () => {
    const { server, tab, state } = await openPage()
    await tab.hide()
    expect(server.pings).toBe(1)
    await tab.show()
    await until(() => server.pings === 2, "the probe", LONG_MS)
    expect([await state(), server.dials]).toEqual(["open", 1])
  })

  it("C13 is replaced when the line died while the page was hidden", async () => {
    const { server, proxy, tab } = await openPage({ isProxied: true })
    await tab.hide()
    proxy?.freeze()
    await tab.evaluate(
      "void (globalThis.lost = new Promise((resolve) => client.once('error', ({ error }) => resolve(error.message))))",
    )
    await tab.show()
    expect(await tab.evaluate("lost")).toBe("no answer to a ping within 5000 ms")
    await until(() => server.dials === 2, "the next connection", LONG_MS)
  })

  it("C13 is probed when the network goes and comes", async () => {
    const { server, tab, state } = await openPage()
    const { pings } = server
    await tab.setOnline(false)
    await tab.setOnline(true)
    await until(() => server.pings > pings || server.dials > 1, "a probe or a new connection", LONG_MS)
    await until(() => server.open.length === 1, "one connection", LONG_MS)
    expect(await state()).toBe("open")
  })
})

describe("C15 a client that waits", () => {
  it("C15 dials when the page is shown again", async () => {
    const { server, tab, dials } = await waitingPage()
    await tab.hide()
    expect(server.dials).toBe(dials)
    server.isRefusing = false
    await tab.show()
    await until(() => server.open.length === 1, "the connection", LONG_MS)
    await inState(tab, "open")
  })

  it("C15 dials when the page thaws", async () => {
    const { server, tab, dials } = await waitingPage()
    await tab.hide()
    await tab.freeze(500)
    server.isRefusing = false
    await tab.freeze(100)
    await until(() => server.dials > dials && server.open.length === 1, "the connection", LONG_MS)
    await inState(tab, "open")
  })

  it("C13, C15 is connected when the page thaws, whether its socket lived on or not", async () => {
    const { server, tab } = await openPage()
    await tab.hide()
    await tab.freeze(500)
    // Chromium may close the sockets of a page that it freezes, and tells the page later
    await until(() => server.pings >= 2, "a probe or the first ping of a new connection", LONG_MS)
    await inState(tab, "open")
    expect(await tab.evaluate("client.probe().then(() => true)")).toBe(true)
    expect(server.open).toHaveLength(1)
  })

  it("C15 has one live socket after 100 rapid toggles, and none after close()", async () => {
    const { server, tab } = await waitingPage()
    server.isRefusing = false
    const toggle = `for (let i = 0; i < 100; i += 1) {
      document.dispatchEvent(new Event("visibilitychange"))
      window.dispatchEvent(new Event(i % 2 ? "online" : "offline"))
      document.dispatchEvent(new Event("resume"))
    }`
    await tab.evaluate(toggle)
    await inState(tab, "open")
    await tab.evaluate(toggle)
    await until(() => server.open.length === 1, "one connection", LONG_MS)
    const { dials } = server
    await tab.evaluate("client.close()")
    await tab.evaluate(toggle)
    await tab.evaluate("new Promise((resolve) => setTimeout(resolve, 1_100))")
    expect([server.dials, server.open.length]).toEqual([dials, 0])
  })
})

describe("C16 the back/forward cache", () => {
  it("C16 gives back a page that connects anew, with one socket", async () => {
    const { server, tab, page } = await openPage()
    await tab.evaluate(
      "addEventListener('pageshow', ({ persisted }) => { globalThis.persisted = persisted })",
    )
    await tab.navigate(`${page}elsewhere`)
    await tab.settled()
    await tab.back()
    await until(() => server.dials === 2 && server.open.length === 1, "the new connection", LONG_MS)
    await inState(tab, "open")
    expect(await tab.evaluate("persisted")).toBe(true)
    expect(server.dials).toBe(2)
  })
})

describe("C17 without a network", () => {
  it("C17 tries once, waits for the network, and dials when it is back", async () => {
    const { server, tab, state } = await openPage({ host: FAR })
    await tab.evaluate(`
      client.close()
      globalThis.client = new holdfast.ReconnectingClient("ws://${FAR}:" + location.port, {
        backoff: { initialMs: 100, jitter: "none" }, heartbeat: false, logger: false, autoConnect: false,
      })
    `)
    await tab.setOnline(false)
    const { dials } = server
    await tab.evaluate("client.connect()")
    await inState(tab, "waiting")
    expect(await tab.evaluate("client.retryAt - Date.now()")).toBeGreaterThan(20_000)
    expect([await state(), server.dials]).toEqual(["waiting", dials])
    await tab.setOnline(true)
    await until(() => server.dials === dials + 1, "the connection", LONG_MS)
    await inState(tab, "open")
  })
})
