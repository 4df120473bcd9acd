/**
 * A Chromium whose tabs really go to the background, freeze, lose the network and enter the back/forward cache, over
 * the DevTools protocol. A driver for pages would keep every tab in the foreground, awake and out of that cache.
 */

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { WebSocket } from "ws"
import { CHROMIUM_FLAGS, ensureChromium } from "../../scripts/chromium.js"
import { inTime } from "./deadline.js"

const START_MS = 20_000

interface Answer {
  readonly id: number
  readonly result?: object
  readonly error?: { readonly message: string }
}

/** A running Chromium. */
export class DevTools {
  readonly #process: ChildProcess
  readonly #profile: string
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #serial = 0

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process
    this.#profile = profile
    this.#socket = socket
    socket.on("message", (data) => {
      const answer = JSON.parse(String(data)) as Answer
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
  }

  /** Starts it. `hosts` are names that lead to 127.0.0.1. */
  static async launch(...hosts: string[]): Promise<DevTools> {
    const profile = await mkdtemp(join(tmpdir(), "holdfast-chromium-"))
    const rules = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(",")
    const flags = [
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      `--host-resolver-rules=${rules}`,
    ]
    const browser = spawn(ensureChromium(), [...CHROMIUM_FLAGS, ...flags, "about:blank"], {
      stdio: ["ignore", "ignore", "pipe"],
    })
    const address = await inTime(addressOf(browser), "Chromium to start", START_MS)
    const socket = new WebSocket(address)
    await inTime(once(socket, "open"), "the DevTools socket", START_MS)
    return new DevTools(browser, profile, socket)
  }

  /** Opens a tab, in the foreground. */
  async open(url: string): Promise<Tab> {
    const { targetId } = await this.call<{ targetId: string }>("Target.createTarget", { url })
    const { sessionId } = await this.call<{ sessionId: string }>("Target.attachToTarget", {
      targetId,
      flatten: true,
    })
    const tab = new Tab(this, targetId, sessionId)
    await tab.settled()
    return tab
  }

  /** Calls one method of the protocol. */
  async call<Result>(method: string, params: object = {}, sessionId?: string): Promise<Result> {
    this.#serial += 1
    const id = this.#serial
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve))
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }))
    const { result, error } = await inTime(answered, method, START_MS)
    if (error) throw new Error(`${method}: ${error.message}`)
    return result as Result
  }

  /** Ends it. */
  async close(): Promise<void> {
    const ended = once(this.#process, "exit")
    this.#socket.close()
    this.#process.kill()
    await inTime(ended, "Chromium to end", START_MS)
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 10 })
  }
}

/** One tab. */
export class Tab {
  readonly #devTools: DevTools
  readonly #targetId: string
  readonly #sessionId: string

  constructor(devTools: DevTools, targetId: string, sessionId: string) {
    this.#devTools = devTools
    this.#targetId = targetId
    this.#sessionId = sessionId
  }

  /** The value of an expression, or of the promise that it is. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#call<{
      result: { value: T }
      exceptionDetails?: { exception?: { description?: string } }
    }>("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? expression)
    return result.value
  }

  /** Puts another tab in front of it. */
  async hide(): Promise<void> {
    const { targetId } = await this.#devTools.call<{ targetId: string }>("Target.createTarget", {
      url: "about:blank",
    })
    await this.#devTools.call("Target.activateTarget", { targetId })
    await this.#until('document.visibilityState === "hidden"')
  }

  /** Brings it to the front. */
  async show(): Promise<void> {
    await this.#devTools.call("Target.activateTarget", { targetId: this.#targetId })
    await this.#until('document.visibilityState === "visible"')
  }

  /** Stops it as a browser stops a tab that was long in the background, for so many milliseconds. */
  async freeze(ms: number): Promise<void> {
    await this.#call("Page.setWebLifecycleState", { state: "frozen" })
    await new Promise((resolve) => setTimeout(resolve, ms))
    await this.#call("Page.setWebLifecycleState", { state: "active" })
  }

  /** Takes its network away, or gives it back. */
  async setOnline(isOnline: boolean): Promise<void> {
    await this.#call("Network.enable")
    await this.#call("Network.emulateNetworkConditions", {
      offline: !isOnline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    })
    await this.#until(`navigator.onLine === ${isOnline}`)
  }

  /** Goes somewhere else. */
  async navigate(url: string): Promise<void> {
    await this.#call("Page.navigate", { url })
    await this.#until(`location.href === ${JSON.stringify(url)}`)
  }

  /** Goes back in the history. */
  async back(): Promise<void> {
    const url = await this.evaluate<string>("location.href")
    await this.evaluate("history.back()")
    await this.#until(`location.href !== ${JSON.stringify(url)}`)
  }

  /** Resolves when the page has loaded. */
  settled(): Promise<void> {
    return this.#until('document.readyState === "complete" && location.href !== "about:blank"')
  }

  async #until(condition: string): Promise<void> {
    const end = performance.now() + START_MS
    // a page that is being left or loaded has no answer
    while (!(await this.evaluate<boolean>(condition).catch(() => false))) {
      if (performance.now() > end) throw new Error(`waited ${START_MS} ms in vain for ${condition}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  #call<Result>(method: string, params: object = {}): Promise<Result> {
    return this.#devTools.call<Result>(method, params, this.#sessionId)
  }
}

async function addressOf(browser: ChildProcess): Promise<string> {
  let said = ""
  for await (const chunk of browser.stderr ?? []) {
    said += chunk
    const address = /ws:\/\/\S+/.exec(said)?.[0]
    if (address) return address
  }
  throw new Error(`Chromium did not start: ${said}`)
}
