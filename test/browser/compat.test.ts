/**
 * The drop-in socket beside Chromium's own `WebSocket`, in one page, against one server.
 */

import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest"
import type { ServerOptions } from "ws"
import { launchChromium } from "../../scripts/chromium.js"
import { startServer } from "../support/ws-server.js"

const source = fileURLToPath(new URL("../../src/compat.ts", import.meta.url))

let browser: Browser
let script: string

beforeAll(async () => {
  browser = await launchChromium()
  const bundle = await build({
    entryPoints: [source],
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    globalName: "compat",
  })
  script = bundle.outputFiles[0]?.text ?? ""
})

afterAll(() => browser.close())

/** A page with both, and a server that echoes, and closes when told to. */
async function start(options: ServerOptions = {}): Promise<{ page: Page; url: string }> {
  const { url, wss } = await startServer(options)
  wss.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => {
      if (String(data) === "leave") socket.close(4000, "bye")
      else socket.send(data, { binary: isBinary })
    })
  })
  const page = await browser.newPage()
  onTestFinished(() => page.close())
  await page.addScriptTag({ content: script })
  return { page, url }
}

/** What an application sees of a conversation with either, as a text that a page can return. */
const converse = async ({ make, url, farewell }: { make: string; url: string; farewell: string }) => {
  type Make = new (url: string, protocols: string[], options?: object) => WebSocket
  const { compat } = globalThis as unknown as { compat: { ReconnectingWebSocket: Make } }
  const Make = make === "native" ? (WebSocket as Make) : compat.ReconnectingWebSocket
  const socket = new Make(url, ["chat", "chat2"], { maxRetries: 0, shouldReconnectOnClose: () => false })
  const seen: unknown[] = [socket.url, socket.readyState, socket.binaryType, socket.protocol, socket.onopen]
  const see = (event: Event, ...more: unknown[]) => {
    const classes = [Event, MessageEvent, CloseEvent].map((it) => event instanceof it)
    const { readyState, protocol, extensions, bufferedAmount } = socket
    // while messages flow, a browser tells late what has left
    const isSettled = event.type === "error" || event.type === "close"
    seen.push([event.type, classes, event.target === socket, event.bubbles, event.cancelable, ...more])
    seen.push([readyState, protocol, extensions, isSettled && bufferedAmount])
  }
  socket.addEventListener("open", () => seen.push("listener before"))
  socket.onopen = see
  socket.addEventListener("open", () => {
    seen.push("listener after")
    socket.send("text")
    socket.send(new Blob(["blob"]))
    socket.send(Uint8Array.of(1, 2))
  })
  let answers = 0
  socket.onmessage = async (event: MessageEvent) => {
    answers += 1
    const { data, origin, lastEventId, ports } = event
    see(event, data.constructor.name, data.size ?? data.byteLength ?? data, origin, lastEventId, ports.length)
    socket.binaryType = "arraybuffer"
    if (answers < 3) return
    if (farewell === "server") socket.send("leave")
    else socket.close(3001, "thanks")
  }
  socket.onerror = see
  await new Promise<void>((resolve) => {
    socket.onclose = (event) => {
      see(event, event.code, event.reason, event.wasClean)
      resolve()
    }
  })
  return seen
}

it.each<[string, ServerOptions, string]>([
  ["a conversation that the client ends", {}, "client"],
  ["a conversation that the server ends", { perMessageDeflate: true }, "server"],
  ["a refusal", { verifyClient: () => false }, "client"],
])("C39 Chromium shows the same as with its own WebSocket: %s", async (_what, options, farewell) => {
  const { page, url } = await start(options)
  const native = await page.evaluate(converse, { make: "native", url, farewell })
  const dropIn = await page.evaluate(converse, { make: "drop-in", url, farewell })
  // the errors of the drop-in socket are of a class that can say more
  expect(dropIn).toEqual(native)
  expect(native.length).toBeGreaterThan(8)
})

it("C39 Chromium throws the same exceptions with its own WebSocket", async () => {
  const { page, url } = await start()
  const thrown = await page.evaluate(async (url) => {
    type Make = new (url: string, protocols?: unknown) => WebSocket
    const { compat } = globalThis as unknown as { compat: { ReconnectingWebSocket: Make } }
    const attempt = (act: () => void): string => {
      try {
        act()
        return "nothing"
      } catch (error) {
        return `${(error as Error).constructor.name} ${(error as Error).name}`
      }
    }
    return [WebSocket as Make, compat.ReconnectingWebSocket].map((Make) => {
      const bad = ["", "ws://", "ftp://far", "ws://far/#x", "ws://far/#", "ws://far:99999"]
      const protocols = [["a", "a"], ["a", "A"], ["a b"], [""], ["ä"], ["a/b"], [], "a"]
      const closes: [number?, string?][] = [
        [999],
        [1001],
        [5000],
        [2999],
        [1000, "x".repeat(124)],
        [3000, "€".repeat(42)],
      ]
      const made: WebSocket[] = []
      const outcomes = [
        ...bad.map((it) => attempt(() => made.push(new Make(it)))),
        ...protocols.map((it) => attempt(() => made.push(new Make(url, it)))),
      ]
      const socket = new Make(url)
      outcomes.push(...closes.map((it) => attempt(() => socket.close(...it))))
      for (const it of [...made, socket]) it.close()
      return outcomes
    })
  }, url)
  expect(thrown[1]).toEqual(thrown[0])
})
