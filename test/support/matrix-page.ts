/**
 * The programs of the matrix in Chromium: bundled as a bundler for browsers does, served from 127.0.0.1, each run in
 * a page of its own. It knows no fault.
 */

import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import type { Browser } from "playwright-core"
import { launchChromium } from "../../scripts/chromium.js"
import type { ProgramEvent, Run, RunOptions } from "./matrix-process.js"

const folder = fileURLToPath(new URL("../matrix", import.meta.url))

const CLIENT = `
import * as holdfast from "../../dist/index.js"
import { runClient } from "./client-program.mjs"
globalThis.run = (task) => runClient(holdfast, task, (event) => globalThis.tell(event))
`

const WORKER = `
import * as holdfast from "../../dist/index.js"
import { runClient } from "./client-program.mjs"
const troubles = []
addEventListener("error", (event) => troubles.push(event.message))
addEventListener("unhandledrejection", (event) => troubles.push(String(event.reason)))
addEventListener("install", () => skipWaiting())
addEventListener("message", (event) => event.waitUntil(run(event.data, event.ports[0])))
async function run(task, port) {
  await runClient(holdfast, task, (it) => port.postMessage(it)).catch((error) => troubles.push(String(error)))
  await new Promise((resolve) => setTimeout(resolve, 0))
  port.postMessage({ troubles })
}
`

const IMPORT = `
const calls = []
const originals = {}
for (const name of ["setTimeout", "setInterval", "queueMicrotask", "addEventListener", "fetch"]) {
  originals[name] = globalThis[name]
  globalThis[name] = () => void calls.push(name)
}
const before = new Set(Reflect.ownKeys(globalThis))
const names = Object.keys(await import("../../dist/index.js"))
const added = Reflect.ownKeys(globalThis).filter((it) => !before.has(it)).map(String)
Object.assign(globalThis, originals)
postMessage({ calls, added, hasClient: names.includes("ReconnectingClient") })
`

/** A Chromium, and the server of its pages. */
export class PageRunner implements AsyncDisposable {
  readonly #browser: Browser
  readonly #server: Server

  private constructor(browser: Browser, server: Server) {
    this.#browser = browser
    this.#server = server
  }

  /** Starts both. */
  static async start(): Promise<PageRunner> {
    const files = new Map([
      ["/client.js", await bundle(CLIENT)],
      ["/worker.js", await bundle(WORKER)],
      ["/import.js", await bundle(IMPORT)],
    ])
    const server = createServer((request, response) => {
      const script = files.get(request.url ?? "")
      response.setHeader("content-type", script ? "text/javascript" : "text/html")
      response.end(script ?? "<!doctype html><title>matrix</title>")
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return new PageRunner(await launchChromium(), server)
  }

  /** What it is called in tables, with its exact version. */
  get title(): string {
    return `Chromium ${this.#browser.version()}`
  }

  /** Runs the client program. Resolves when it is through, and nothing can come after it. */
  runClient(options: RunOptions): Promise<Run> {
    return this.#inPage(async (page, events) => {
      await page.exposeFunction("tell", (event: ProgramEvent) => {
        events.push(event)
        options.onEvent?.(event)
      })
      await page.addScriptTag({ url: "/client.js", type: "module" })
      await page.evaluate(`run(${JSON.stringify(options.task)})`)
    })
  }

  /** Runs the client program in a service worker of its own. */
  runClientInServiceWorker(options: RunOptions): Promise<Run> {
    return this.#inPage(async (page, events) => {
      await page.exposeFunction("tell", (event: ProgramEvent) => {
        events.push(event)
        options.onEvent?.(event)
      })
      const troubles = await page.evaluate(runInServiceWorker, options.task ?? {})
      if (troubles.length > 0) throw new Error(troubles.join("\n"))
    })
  }

  /** Imports the root door, in the page itself or in a module worker. Resolves with what that did. */
  importDoor(place: "page" | "worker"): Promise<Run> {
    return this.#inPage(async (page, events) => {
      events.push(await (place === "worker" ? page.evaluate(importInWorker) : page.evaluate(importInPage)))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #inPage(
    act: (page: Awaited<ReturnType<Browser["newPage"]>>, events: ProgramEvent[]) => Promise<void>,
  ): Promise<Run> {
    const page = await this.#browser.newPage()
    const events: ProgramEvent[] = []
    let trouble = ""
    // uncaught exceptions and unhandled rejections, both
    page.on("pageerror", (error) => {
      trouble += `${error.stack ?? error.message}\n`
    })
    await page.goto(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`)
    await act(page, events)
    // what was thrown at the very end is told by now
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 0)))
    await page.close()
    return { events, trouble, lingerMs: 0 }
  }
}

/** Resolves with what went wrong, once the worker is through. */
async function runInServiceWorker(task: object): Promise<readonly string[]> {
  await navigator.serviceWorker.register("/worker.js", { type: "module" })
  const { active } = await navigator.serviceWorker.ready
  const { port1, port2 } = new MessageChannel()
  const { tell } = globalThis as unknown as { tell(event: object): Promise<void> }
  return new Promise((resolve) => {
    let told = Promise.resolve()
    port1.onmessage = ({ data }) => {
      if ("troubles" in data) void told.then(() => resolve(data.troubles))
      else told = told.then(() => tell(data))
    }
    active?.postMessage(task, [port2])
  })
}

function importInWorker(): Promise<ProgramEvent> {
  return new Promise((resolve, reject) => {
    const worker = new Worker("/import.js", { type: "module" })
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = ({ message }) => reject(new Error(message))
  })
}

function importInPage(): Promise<ProgramEvent> {
  return new Promise((resolve, reject) => {
    globalThis.onmessage = ({ data }) => resolve(data)
    const script = Object.assign(document.createElement("script"), { type: "module", src: "/import.js" })
    script.onerror = () => reject(new Error("the script does not load"))
    document.head.append(script)
  })
}

/** The root door as one classic script for an environment that has nothing but the language. */
export function bundleDoor(): Promise<string> {
  return bundle(`export * from "../../dist/index.js"`, "iife")
}

async function bundle(contents: string, format: "esm" | "iife" = "esm"): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder, loader: "js" },
    bundle: true,
    write: false,
    format,
    globalName: "holdfast",
    platform: "browser",
    target: "es2022",
    tsconfigRaw: {}, // tsconfig.json maps the package's name to its sources; here the built files count
    logLevel: "silent",
  })
  return outputFiles[0]?.text ?? ""
}
