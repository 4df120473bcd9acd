/**
 * One person at the demo's page, in a browser context of their own: what they do, and what they can see.
 * It finds everything by role, label and text, as a person with a screen reader does.
 */

import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core"
import { expect, onTestFinished } from "vitest"
import { type PageWatch, watchPage } from "./page-watch.js"

/** How a page is opened. */
export interface VisitOptions extends BrowserContextOptions {
  readonly room?: string
  /** How long the page waits between attempts, in milliseconds. */
  readonly retryMs?: number
}

/** How long a wait for something on the screen may take, in milliseconds. */
const DEADLINE_MS = 8_000

/** What the browser itself prints when nobody listens on the port, or no longer does. */
const REFUSED =
  /ERR_CONNECTION_(REFUSED|RESET)|ERR_EMPTY_RESPONSE|closed before the connection is established/

export class ChatPage {
  readonly page: Page
  readonly log: Locator
  readonly text: Locator
  /** What the browser's console told that it should not have. */
  readonly complaints: string[] = []

  private constructor(page: Page) {
    this.page = page
    this.log = page.getByRole("log", { name: "Messages" })
    this.text = page.getByRole("textbox", { name: /^Message to/ })
    page.on("console", (entry) => {
      if (entry.type() === "error" && !REFUSED.test(entry.text())) this.complaints.push(entry.text())
    })
    page.on("pageerror", (error) => this.complaints.push(String(error)))
  }

  /** Opens the page. When the test ends, the page must have told no lie and had no complaint. */
  static async visit(
    browser: Browser,
    url: string,
    name: string,
    options: VisitOptions = {},
  ): Promise<ChatPage> {
    const { room = "lobby", retryMs = 100, ...contextOptions } = options
    const context = await browser.newContext(contextOptions)
    context.setDefaultTimeout(DEADLINE_MS)
    await context.addInitScript(watchPage)
    const visitor = new ChatPage(await context.newPage())
    await visitor.page.goto(`${url}/?${new URLSearchParams({ room, name, retry: String(retryMs) })}`)
    onTestFinished(async () => {
      const { lies } = await visitor.watch()
      await context.close()
      expect({ complaints: visitor.complaints, lies }).toEqual({ complaints: [], lies: [] })
    })
    return visitor
  }

  /** Opens the page and joins. */
  static async join(
    browser: Browser,
    url: string,
    name: string,
    options: VisitOptions = {},
  ): Promise<ChatPage> {
    const visitor = await ChatPage.visit(browser, url, name, options)
    await visitor.page.getByRole("textbox", { name: "Your name" }).press("Enter")
    await visitor.state("Connected")
    return visitor
  }

  /** Waits until the state of the connection is told in these words. */
  async state(words: string): Promise<void> {
    await this.page.getByRole("status").getByText(words, { exact: true }).waitFor()
  }

  async press(button: string): Promise<void> {
    await this.page.getByRole("button", { name: button, exact: true }).click()
  }

  async say(text: string): Promise<void> {
    await this.text.fill(text)
    await this.text.press("Enter")
  }

  /** Waits until a message can be read. */
  async reads(text: string): Promise<void> {
    await this.log.getByRole("article").getByText(text, { exact: true }).waitFor()
  }

  /** Waits until a line of the log, such as "bob joined", can be read. */
  async notices(text: string): Promise<void> {
    await this.log.getByText(text, { exact: true }).first().waitFor()
  }

  /** The texts of all messages, from top to bottom. */
  texts(): Promise<readonly string[]> {
    return this.log.getByRole("article").locator(".text").allTextContents()
  }

  /** How far each of this person's messages has come, from top to bottom. */
  statuses(): Promise<readonly string[]> {
    return this.log.locator(".mine .status").allTextContents()
  }

  /** Waits until this many messages are delivered, and nothing is on its way. */
  async delivered(count: number): Promise<void> {
    await this.page.waitForFunction((expected) => {
      const all = Array.from(document.querySelectorAll(".mine .status"), (it) => it.textContent)
      return all.length === expected && all.every((it) => it === "delivered")
    }, count)
  }

  /** Who is in the list of people. */
  people(): Promise<readonly string[]> {
    return this.page
      .getByRole("list", { name: "People" })
      .locator(".person > span:nth-child(2)")
      .allTextContents()
  }

  /** What the page has told and what was true. */
  watch(): Promise<PageWatch> {
    return this.page.evaluate(() => (globalThis as unknown as { pageWatch: PageWatch }).pageWatch)
  }
}
