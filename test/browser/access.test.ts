import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { launchChromium } from "../../scripts/chromium.js"
import { enter, startDemo } from "../support/demo-chat.js"
import { ChatPage } from "./chat-page.js"
import { faintTexts } from "./contrast.js"

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})

afterAll(() => browser.close())

const PHONE = { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true }

describe("the page", () => {
  it("is used from end to end with the keyboard", async () => {
    const demo = await startDemo()
    const { chat } = demo
    const bob = await enter(demo, "lobby", "bob")
    const ada = await ChatPage.visit(browser, chat.url, "")
    const { keyboard } = ada.page
    const focused = () =>
      ada.page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent)
    expect(await focused()).toBe("name")
    await keyboard.type("ada")
    await keyboard.press("Enter")
    await ada.state("Connected")
    expect(await focused()).toBe("text")
    await keyboard.type("hello")
    await keyboard.press("Shift+Enter")
    await keyboard.type("bob")
    await keyboard.press("Enter")
    await bob.next("joined")
    expect((await bob.next("said")).text).toBe("hello\nbob")
    // from the text field back to the people
    const stops: unknown[] = []
    while (!(await focused())?.endsWith("bob")) {
      await keyboard.press("Shift+Tab")
      stops.push(await focused())
      expect(stops.length).toBeLessThan(10)
    }
    expect(stops).toEqual(["log", "leave", "Talk to it from anything", "restart", "cut", "Bbob"])
    expect(await ada.page.evaluate(outlineOfFocus)).toBe("3px solid")
    await keyboard.press("Enter")
    expect(await focused()).toBe("text")
    await keyboard.type("psst")
    await keyboard.press("Enter")
    expect((await bob.next("whispered")).text).toBe("psst")
    await keyboard.press("Escape")
    expect(await ada.text.getAttribute("placeholder")).toBe("Write to everybody")
  })

  it("has landmarks, names and live regions for a screen reader", async () => {
    const { chat } = await startDemo()
    const { page, log } = await ChatPage.join(browser, chat.url, "ada", { retryMs: 600_000 })
    await page.getByRole("banner").waitFor()
    await page.getByRole("main", { name: "lobby" }).waitFor()
    await page.getByRole("complementary", { name: "People and tools" }).waitFor()
    await page.getByRole("region", { name: "Connection" }).waitFor()
    await page.getByRole("region", { name: "Break something" }).waitFor()
    await page.getByRole("heading", { level: 1, name: "lobby" }).waitFor()
    await page.getByRole("form", { name: "Write a message" }).waitFor()
    await page.getByRole("textbox", { name: "Message to everybody" }).waitFor()
    await page.getByRole("img", { name: /^Round-trip times: the last / }).waitFor()
    expect(await log.getAttribute("aria-live")).toBe("polite")
    // the countdown changes every second, so it is no part of what is read out
    await page.getByRole("button", { name: "Cut my line" }).click()
    await page.getByRole("timer").waitFor()
    expect(await page.getByRole("status").getByRole("timer").count()).toBe(0)
    expect(await page.getByRole("button", { name: "Cut my line" }).isDisabled()).toBe(true)
  })

  it("draws the round trips, and a gap where the line was cut", async () => {
    const { chat } = await startDemo()
    const ada = await ChatPage.join(browser, chat.url, "ada")
    const lines = ada.page.locator("#latency polyline")
    await lines.first().waitFor({ state: "attached" })
    await ada.press("Cut my line")
    await ada.page.waitForFunction(() => document.querySelectorAll("#latency polyline").length === 2)
    await ada.state("Connected")
    await ada.page.getByText(/^(under )?\d+ ms round trip$/).waitFor()
  })

  it.each(["light", "dark"] as const)("has enough contrast in %s", async (colorScheme) => {
    const demo = await startDemo()
    const { chat } = demo
    await enter(demo, "lobby", "bob")
    const ada = await ChatPage.visit(browser, chat.url, "", { colorScheme, retryMs: 600_000 })
    await ada.press("Join the room")
    expect(await ada.page.evaluate(faintTexts)).toEqual([])
    await ada.page.getByRole("textbox", { name: "Your name" }).fill("ada")
    await ada.press("Join the room")
    await ada.say("to all")
    await ada.press("bob")
    await ada.say("to one")
    await ada.delivered(2)
    await ada.page.getByText("Talk to it from anything").click()
    expect(await ada.page.evaluate(faintTexts)).toEqual([])
    await ada.press("Cut my line")
    await ada.state("Connection lost")
    await ada.say("waiting")
    expect(await ada.page.evaluate(faintTexts)).toEqual([])
  })

  it("fits a phone, with the text field in reach and the rest behind one button", async () => {
    const { chat } = await startDemo()
    const longest = "Wilhelmina of the Long Name, 3rd"
    const ada = await ChatPage.join(browser, chat.url, longest, {
      ...PHONE,
      room: "room of a name of some length",
    })
    await ada.say(`a word of many letters: ${"x".repeat(200)}`)
    await ada.delivered(1)
    const fits = () => ada.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)
    expect(await fits()).toBe(true)
    const box = await ada.text.boundingBox()
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(640)
    expect(await ada.page.getByRole("button", { name: "Cut my line" }).isVisible()).toBe(false)
    const more = ada.page.getByRole("button", { name: "1 person and tools" })
    expect(await more.getAttribute("aria-expanded")).toBe("false")
    await more.tap()
    expect(await more.getAttribute("aria-expanded")).toBe("true")
    await ada.page.getByText("Talk to it from anything").tap()
    expect(await fits()).toBe(true)
    await ada.page.keyboard.press("Escape")
    expect(await more.getAttribute("aria-expanded")).toBe("false")
    expect(await more.evaluate((it) => it === document.activeElement)).toBe(true)
  })

  it.each([
    ["reduce", "none"],
    ["no-preference", "breathe"],
  ] as const)("moves nothing for those who want no motion (%s)", async (reducedMotion, animation) => {
    const { chat } = await startDemo()
    const ada = await ChatPage.visit(browser, chat.url, "ada", { reducedMotion })
    const name = await ada.page.evaluate(() => {
      const connection = document.getElementById("connection") as HTMLElement
      connection.dataset.lamp = "dim"
      return getComputedStyle(connection.querySelector(".lamp") as Element).animationName
    })
    expect(name).toBe(animation)
  })
})

function outlineOfFocus(): string {
  const { outlineWidth, outlineStyle } = getComputedStyle(document.activeElement as Element)
  return `${outlineWidth} ${outlineStyle}`
}

describe("a client that is none of ours", () => {
  it("talks to the hub with the browser's own WebSocket and nothing else", async () => {
    const { chat } = await startDemo()
    const ada = await ChatPage.join(browser, chat.url, "ada")
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    // a page without a script of ours, of the same origin
    await page.goto(`${chat.url}/health`)
    const heard = await page.evaluate(async () => {
      const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws/lobby`)
      const messages: string[] = []
      let wake = () => {}
      socket.onmessage = ({ data }) => {
        messages.push(data)
        wake()
      }
      const next = async () => {
        while (messages.length === 0) await new Promise<void>((resolve) => (wake = resolve))
        return messages.shift() as string
      }
      await new Promise((resolve) => socket.addEventListener("open", resolve))
      const answers: string[] = []
      for (const message of [
        "ping",
        { type: "join", name: "grace" },
        { type: "say", id: "1", text: "by hand" },
      ]) {
        socket.send(typeof message === "string" ? message : JSON.stringify(message))
        answers.push(await next())
      }
      const ended = new Promise<number>((resolve) => {
        socket.onclose = ({ code }) => resolve(code)
      })
      socket.close(1000)
      return { answers, code: await ended }
    })
    await ada.reads("by hand")
    await ada.notices("grace left")
    expect(heard.answers[0]).toBe("pong")
    expect(JSON.parse(heard.answers[1] ?? "")).toMatchObject({ type: "welcome", you: { name: "grace" } })
    expect(JSON.parse(heard.answers[2] ?? "")).toMatchObject({ type: "said", id: "1", text: "by hand" })
    expect(heard.code).toBe(1000)
  })

  it("can read why its room was refused", async () => {
    const { chat } = await startDemo()
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(`${chat.url}/health`)
    const end = await page.evaluate(async () => {
      const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws/${"x".repeat(40)}`)
      return new Promise((resolve) => {
        socket.onclose = ({ code, reason }) => resolve({ code, reason })
      })
    })
    expect(end).toEqual({ code: 4400, reason: "the room has 40 characters, and 32 are allowed" })
  })
})
