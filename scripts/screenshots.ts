/**
 * Takes the pictures of the README from the running demo and the examples with a page: `node --import tsx scripts/screenshots.ts [folder]`.
 * It plays a short conversation, and catches the moment in which a line is cut; it asserts nothing.
 */

import { mkdir, stat } from "node:fs/promises"
import { join } from "node:path"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { startChat } from "../examples/chat/chat-server.js"
import { startCursors } from "../examples/cursors/cursors-server.js"
import { startDashboard } from "../examples/dashboard/dashboard-server.js"
import { launchChromium } from "./chromium.js"

const WIDE: BrowserContextOptions = { viewport: { width: 1120, height: 740 } }
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 780 },
  deviceScaleFactor: 1.5,
  isMobile: true,
  hasTouch: true,
}

/** Long enough to be seen waiting. */
const RETRY_MS = 8_000

async function enter(
  browser: Browser,
  url: string,
  name: string,
  options: BrowserContextOptions,
): Promise<Page> {
  const context = await browser.newContext({ reducedMotion: "reduce", bypassCSP: true, ...options })
  const page = await context.newPage()
  await page.goto(`${url}/?room=tidepool&name=${encodeURIComponent(name)}&retry=${RETRY_MS}`)
  // a bare machine's only system font is hard on the eyes
  await page.addStyleTag({ content: ':root { font-family: "Liberation Sans", system-ui, sans-serif }' })
  await page.getByRole("button", { name: "Join the room" }).click()
  await page.getByRole("status").getByText("Connected", { exact: true }).waitFor()
  return page
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox").fill(text)
  await page.getByRole("textbox").press("Enter")
  await page.getByRole("log").getByText(text, { exact: true }).waitFor()
}

/** Goes on once a few round trips have been drawn. */
async function roundTrips(page: Page, count: number): Promise<void> {
  await page.waitForFunction(
    (least) => {
      const points = document.querySelector("#latency polyline")?.getAttribute("points") ?? ""
      return points.split(" ").length >= least
    },
    count,
    { timeout: 60_000 },
  )
}

async function cutLine(page: Page): Promise<void> {
  const menu = page.getByRole("button", { name: /people/i })
  if (await menu.isVisible()) await menu.click()
  await page.getByRole("button", { name: "Cut my line" }).click()
  await page.getByRole("status").getByText("Connection lost").waitFor()
}

const folder = process.argv[2] ?? join(import.meta.dirname, "../docs/images")
await mkdir(folder, { recursive: true })
const chat = await startChat({ port: 0, log: () => {} })
await using browser = await launchChromium()

async function shoot(page: Page, name: string): Promise<void> {
  const path = join(folder, `${name}.png`)
  await page.mouse.move(0, 0)
  await page.screenshot({ path })
  console.log(`${path}: ${Math.round((await stat(path)).size / 1_000)} kB`)
}

const grace = await enter(browser, chat.url, "Grace", { ...WIDE, colorScheme: "light" })
const alan = await enter(browser, chat.url, "Alan", { ...WIDE, colorScheme: "dark" })
const ada = await enter(browser, chat.url, "Ada", { ...PHONE, colorScheme: "light" })

await say(alan, "Is the tide table on this server, or only in my head?")
await say(grace, "On the server. It survives a restart, too.")
await say(ada, "Then let us pull the plug and see.")
await grace.getByRole("button", { name: "Ada" }).click()
await say(grace, "Wait until Alan has finished his sentence.")
await grace.keyboard.press("Escape")
await say(ada, "Too late, I was never good at waiting.")
await say(alan, "What do you two have in m")
await say(alan, "Ah.")
await say(grace, "Nothing is lost. Look at your own messages: each says how far it has come.")
await roundTrips(grace, 12)
await shoot(grace, "chat-light")

await cutLine(alan)
await say(alan, "Hello? My line was just cut.")
await say(alan, "I will go on writing, then.")
await shoot(alan, "chat-dark")

await alan.getByRole("button", { name: "Try now" }).click()
await alan.getByRole("status").getByText("Connected", { exact: true }).waitFor()
await ada.getByRole("log").getByText("I will go on writing, then.").waitFor()
await say(ada, "There you are, both sentences in order.")
await cutLine(ada)
await say(ada, "And now it is my turn")
await shoot(ada, "chat-phone")

await chat.stop()

/** A page of another example, by somebody of its own. */
async function open(url: string, options: BrowserContextOptions): Promise<Page> {
  const page = await (
    await browser.newContext({ reducedMotion: "reduce", bypassCSP: true, ...options })
  ).newPage()
  await page.goto(url)
  await page.addStyleTag({ content: ':root { font-family: "Liberation Sans", system-ui, sans-serif }' })
  await page.getByRole("status").getByText("Connected", { exact: true }).waitFor()
  return page
}

{
  await using dashboard = await startDashboard()
  const page = await open(dashboard.url, { ...WIDE, colorScheme: "light" })
  await page.waitForFunction(() => Number(document.getElementById("rate")?.textContent) >= 19)
  await shoot(page, "dashboard")
}

{
  await using cursors = await startCursors()
  const people: Page[] = []
  for (const [index, name] of ["Grace", "Alan", "Ada", "Katherine"].entries()) {
    const page = await open(`${cursors.url}/?name=${name}&board=tidepool`, { ...WIDE, colorScheme: "dark" })
    await page.mouse.move(180 + index * 150, 520 - index * 95)
    people.push(page)
  }
  const [grace] = people
  if (!grace) throw new Error("nobody is here")
  await grace.waitForFunction(() => document.querySelectorAll(".cursor").length === 4)
  await people[2]?.locator("#board").press(" ")
  await grace.getByText("Ada waves").waitFor()
  const path = join(folder, "cursors.png")
  await grace.screenshot({ path })
  console.log(`${path}: ${Math.round((await stat(path)).size / 1_000)} kB`)
}

await browser.close()
