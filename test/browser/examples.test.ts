import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { startCursors } from "../../examples/cursors/cursors-server.js"
import { startDashboard } from "../../examples/dashboard/dashboard-server.js"
import { launchChromium } from "../../scripts/chromium.js"
import { until } from "../support/deadline.js"
import { faintTexts } from "./contrast.js"

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})

afterAll(() => browser.close())

/** What the browser itself prints when nobody listens on the port, or no longer does. */
const REFUSED = /ERR_CONNECTION_(REFUSED|RESET)|closed before the connection is established/

/** Opens a page. It must have had no complaint, and asked no other host, when the test ends. */
async function visit(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(8_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on("console", (entry) => {
    if (entry.type() === "error" && !REFUSED.test(entry.text())) complaints.push(entry.text())
  })
  page.on("pageerror", (error) => complaints.push(String(error)))
  page.on("request", (request) => {
    if (new URL(request.url()).host !== new URL(url).host) complaints.push(request.url())
  })
  await page.goto(url)
  onTestFinished(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })
  return page
}

/** Waits until the state of the connection is told in these words. */
function state(page: Page, words: string): Promise<void> {
  return page.getByRole("status").getByText(words, { exact: true }).waitFor()
}

const focused = (page: Page) => page.evaluate(() => document.activeElement?.id)

async function start<Server extends AsyncDisposable>(starting: Promise<Server>): Promise<Server> {
  const server = await starting
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

describe("the page of examples/dashboard", () => {
  it("draws what comes, stands still when told to by the keyboard, and is back after a restart", async () => {
    const first = await start(startDashboard())
    const page = await visit(first.url)
    await state(page, "Connected")
    const chart = page.getByRole("img", { name: /^The last 30 seconds: \d+ to \d+ orders a minute/ })
    await chart.waitFor()
    const points = () =>
      page.evaluate(() => document.querySelector("#orders-line polyline")?.getAttribute("points"))
    expect((await points())?.split(" ").length).toBeGreaterThan(500)
    await page.waitForFunction(() => Number(document.getElementById("rate")?.textContent) > 3)

    await page.keyboard.press("Tab")
    expect(await focused(page)).toBe("range")
    await page.keyboard.press("ArrowUp")
    await page.getByRole("heading", { name: "The last 10 seconds" }).waitFor()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    expect(await page.getByRole("button", { name: "Freeze" }).getAttribute("aria-pressed")).toBe("true")
    const still = await points()
    const [connection] = first.hub.connections.values()
    const sent = connection?.messagesOut ?? 0
    await until(() => (connection?.messagesOut ?? 0) >= sent + 5, "five more values")
    expect(await points()).toBe(still)
    await page.keyboard.press("Enter")
    await page.waitForFunction(
      (old) => document.querySelector("#orders-line polyline")?.getAttribute("points") !== old,
      still,
    )

    await first[Symbol.asyncDispose]()
    await state(page, "Connection lost")
    await page.getByRole("button", { name: "Try now" }).waitFor()
    // it comes back by itself, within three seconds of the last try
    await start(startDashboard(Number(new URL(first.url).port)))
    await state(page, "Connected")
  })

  it.each(["light", "dark"] as const)("can be read in %s", async (colorScheme) => {
    const { url } = await start(startDashboard())
    const page = await visit(url, { colorScheme })
    await page.getByRole("img", { name: /^The last 30 seconds/ }).waitFor()
    expect(await page.evaluate(faintTexts)).toEqual([])
  })
})

describe("the page of examples/cursors", () => {
  it("shows where the others point, by mouse and by keyboard, who is there, and who waves", async () => {
    const { url } = await start(startCursors())
    const ada = await visit(`${url}/?name=Ada`)
    const bob = await visit(`${url}/?name=Bob`, { colorScheme: "dark" })
    const eve = await visit(`${url}/?name=Eve&board=attic`)
    for (const page of [ada, bob, eve]) await state(page, "Connected")
    const people = (page: Page) => page.getByRole("listitem")
    await people(ada).getByText("Bob").waitFor()
    await people(bob).getByText("Ada").waitFor()
    expect(await people(eve).count()).toBe(1)

    // a mouse at three quarters of the board
    const board = await ada.locator("#board").boundingBox()
    if (!board) throw new Error("there is no board")
    await ada.mouse.move(board.x + board.width * 0.75, board.y + board.height / 4)
    const placeOf = (name: string) =>
      bob.waitForFunction((who) => {
        const cursors = Array.from(document.querySelectorAll<HTMLElement>(".cursor"))
        const cursor = cursors.find((it) => it.textContent === who)
        return (
          cursor && [
            Number(cursor.style.getPropertyValue("--x")),
            Number(cursor.style.getPropertyValue("--y")),
          ]
        )
      }, name)
    const [x = 0, y = 0] = (await (await placeOf("Ada")).jsonValue()) as number[]
    expect(x).toBeCloseTo(0.75, 1)
    expect(y).toBeCloseTo(0.25, 1)

    // the keyboard goes on from the middle
    await bob.locator("#board").focus()
    await bob.keyboard.press("ArrowRight")
    await bob.keyboard.press(" ")
    await ada.locator(".cursor", { hasText: "Bob" }).waitFor()
    await ada.getByRole("log").getByText("Bob waves").waitFor()

    const name = bob.getByRole("textbox", { name: "Your name" })
    await name.fill("Robert")
    await name.press("Enter")
    await people(ada).getByText("Robert").waitFor()
    for (const page of [ada, bob]) expect(await page.evaluate(faintTexts)).toEqual([])
    await bob.goto("about:blank")
    await ada.getByRole("log").getByText("Robert left").waitFor()
    expect(await people(ada).count()).toBe(1)
    expect(await ada.locator(".cursor", { hasText: "Robert" }).count()).toBe(0)
  })
})
