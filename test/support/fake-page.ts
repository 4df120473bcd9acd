/**
 * A web page around a test in Node: its window, its document and its network, with every listener counted.
 */

import { setMaxListeners } from "node:events"
import { onTestFinished, vi } from "vitest"

/** An event target that knows how many listeners it has. */
class CountingTarget extends EventTarget {
  listenerCount = 0

  override addEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
    this.listenerCount += 1
    super.addEventListener(type, listener)
  }

  override removeEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
    this.listenerCount -= 1
    super.removeEventListener(type, listener)
  }
}

/** What a browser has and Node has not, for the length of one test. */
export class FakePage {
  readonly #window = new CountingTarget()
  readonly #document = Object.assign(new CountingTarget(), { visibilityState: "visible" })
  readonly #navigator = { onLine: true }

  constructor() {
    setMaxListeners(0, this.#window, this.#document)
    vi.stubGlobal("document", this.#document)
    vi.stubGlobal("navigator", this.#navigator)
    vi.stubGlobal("addEventListener", this.#window.addEventListener.bind(this.#window))
    vi.stubGlobal("removeEventListener", this.#window.removeEventListener.bind(this.#window))
    onTestFinished(() => void vi.unstubAllGlobals())
  }

  /** How many listeners the page has. */
  get listenerCount(): number {
    return this.#window.listenerCount + this.#document.listenerCount
  }

  /** The tab goes to the background, or comes back. */
  show(isVisible: boolean): void {
    this.#document.visibilityState = isVisible ? "visible" : "hidden"
    this.#document.dispatchEvent(new Event("visibilitychange"))
  }

  /** The page runs again after a freeze. */
  resume(): void {
    this.#document.dispatchEvent(new Event("resume"))
  }

  /** The page is shown; `persisted` says that it comes out of the back/forward cache. */
  pageshow(persisted: boolean): void {
    this.#window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted }))
  }

  /** The system says whether there is a network. */
  goOnline(isOnline: boolean): void {
    this.#navigator.onLine = isOnline
    this.#window.dispatchEvent(new Event(isOnline ? "online" : "offline"))
  }
}
