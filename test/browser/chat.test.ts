import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { startChat } from "../../examples/chat/chat-server.js"
import { launchChromium } from "../../scripts/chromium.js"
import { type Demo, enter, startDemo } from "../support/demo-chat.js"
import { ChatPage, type VisitOptions } from "./chat-page.js"

/** Longer than any test: only "Try now" ends the wait. */
const NEVER = { retryMs: 600_000 }

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})

afterAll(() => browser.close())

const start = () => startDemo({ downMs: 500 })

const join = (demo: Demo, name: string, options?: VisitOptions) => {
  return ChatPage.join(browser, demo.chat.url, name, options)
}

async function connections({ chat }: Demo): Promise<number> {
  const health = (await (await fetch(`${chat.url}/health`)).json()) as { readonly connections: number }
  return health.connections
}

describe("people in rooms", () => {
  it("chat with everybody in their room, and with nobody in another", async () => {
    const demo = await start()
    const ada = await join(demo, "ada")
    const bob = await join(demo, "bob")
    const cleo = await join(demo, "cleo", { room: "attic" })
    await ada.notices("bob joined")
    expect(await ada.people()).toEqual(["ada", "bob"])
    expect(await cleo.people()).toEqual(["cleo"])
    await ada.say("hello down here")
    await bob.reads("hello down here")
    await bob.say("hello ada")
    await ada.reads("hello ada")
    await cleo.say("anybody?")
    await cleo.delivered(1)
    expect(await cleo.texts()).toEqual(["anybody?"])
    expect(await ada.texts()).toEqual(["hello down here", "hello ada"])
    expect(await bob.texts()).toEqual(["hello down here", "hello ada"])
    await bob.press("Leave the room")
    await ada.notices("bob left")
    expect(await ada.people()).toEqual(["ada"])
  })

  it("write to one person alone, and never to all by mistake when that one has left", async () => {
    const demo = await start()
    const [ada, bob] = [await join(demo, "ada"), await join(demo, "bob")]
    const eve = await enter(demo, "lobby", "eve")
    await ada.press("bob")
    expect(await ada.text.getAttribute("placeholder")).toBe("To bob alone")
    await ada.say("between us")
    await bob.reads("between us")
    expect(await bob.log.getByText("to you alone").count()).toBe(1)
    await bob.press("Leave the room")
    await ada.page.getByText("bob has left.").waitFor()
    await ada.say("are you there?")
    await ada.log.getByText(/^not delivered: there is nobody/).waitFor()
    await ada.text.press("Escape")
    await ada.say("for all")
    expect(await eve.next("left")).toMatchObject({ member: { name: "bob" } })
    expect(await eve.next("said")).toMatchObject({ text: "for all" })
    expect(await bob.page.title()).toBe("holdfast chat")
  })

  it("cannot take a name that is taken, and are told so beside the name", async () => {
    const demo = await start()
    await join(demo, "ada")
    const other = await ChatPage.visit(browser, demo.chat.url, "Ada")
    await other.press("Join the room")
    await other.page.getByText("Somebody in this room is called ada already.").waitFor()
    const field = other.page.getByRole("textbox", { name: "Your name" })
    expect(await field.getAttribute("aria-invalid")).toBe("true")
    expect(await field.evaluate((it) => it === document.activeElement)).toBe(true)
    await field.fill("grace")
    await field.press("Enter")
    await other.state("Connected")
    await other.page.reload()
    expect(await field.inputValue()).toBe("Ada")
    await other.page.goto(demo.chat.url)
    expect(await field.inputValue()).toBe("grace")
  })
})

describe("a line that is cut", () => {
  it("is told of, and what is written meanwhile arrives once and in order", async () => {
    const demo = await start()
    const ada = await join(demo, "ada", NEVER)
    const bob = await join(demo, "bob")
    await ada.say("before")
    await ada.delivered(1)
    await ada.press("Cut my line")
    await ada.state("Connection lost")
    await bob.notices("ada left")
    expect(await connections(demo)).toBe(1)
    await ada.say("first")
    await ada.say("second")
    await ada.page.getByText("2 messages wait for the connection").waitFor()
    expect(await ada.statuses()).toEqual(["delivered", "waiting", "waiting"])
    await bob.say("where are you?")
    await bob.delivered(1)
    await ada.press("Try now")
    await ada.state("Connected")
    await ada.delivered(3)
    await bob.reads("second")
    expect(await connections(demo)).toBe(2)
    // what was said while the line was down was said before what waited
    const conversation = ["before", "where are you?", "first", "second"]
    expect(await bob.texts()).toEqual(conversation)
    expect(await ada.texts()).toEqual(conversation)
    expect((await ada.watch()).states).toEqual([
      "Connecting",
      "Joining the room",
      "Connected",
      "Connection lost",
      "Connecting again",
      "Joining the room",
      "Connected",
    ])
  })

  it("counts down to the next try", async () => {
    const demo = await start()
    const ada = await join(demo, "ada", NEVER)
    const countdown = ada.page.getByRole("timer")
    expect(await countdown.isVisible()).toBe(false)
    await ada.press("Cut my line")
    await countdown.waitFor()
    const seconds = async () =>
      Number(/^next try in (\d+) s$/.exec((await countdown.textContent()) ?? "")?.[1])
    const begin = await seconds()
    expect(begin).toBeGreaterThan(590)
    expect(begin).toBeLessThanOrEqual(600)
    await countdown.getByText(`next try in ${begin - 1} s`).waitFor()
    // the words that are read out stay as they are while it counts
    expect((await ada.watch()).states.at(-1)).toBe("Connection lost")
  })

  it("loses and doubles nothing, in whatever moment it is cut", async () => {
    const demo = await start()
    const ada = await join(demo, "ada", { retryMs: 20 })
    const bob = await enter(demo, "lobby", "bob")
    const bursts = [1, 2, 3, 4].map((burst) => Array.from({ length: 20 }, (_, index) => `${burst}.${index}`))
    const texts = bursts.flat()
    await ada.page.evaluate(sayWhileCut, bursts)
    await ada.delivered(texts.length)
    expect(await ada.texts()).toEqual(texts)
    const heard: string[] = []
    while (heard.length < texts.length) {
      const message = JSON.parse(String(await bob.client.next()))
      if (message.type === "said") heard.push(message.text)
    }
    expect(heard).toEqual(texts)
    expect(bob.client.waiting).toBe(0)
  })

  it("stays with the newer window when the same person joins twice", async () => {
    const demo = await start()
    const ada = await join(demo, "ada")
    const second = await ada.page.context().newPage()
    await second.addInitScript((token) => sessionStorage.setItem("token", token), await tokenOf(ada))
    await second.goto(`${demo.chat.url}/?room=lobby&name=ada`)
    await second.getByRole("button", { name: "Join the room" }).click()
    await second.getByRole("status").getByText("Connected", { exact: true }).waitFor()
    await ada.state("Not connected. You joined again from another window.")
    expect(await ada.text.isDisabled()).toBe(true)
    expect(await connections(demo)).toBe(1)
    await ada.press("Join again")
    await ada.state("Connected")
  })
})

/**
 * Writes without a pause while the line is being cut, so that some of it leaves on a line that is dead already.
 * Runs in the page, and keeps it so busy that it cannot notice.
 */
async function sayWhileCut(bursts: string[][]): Promise<void> {
  const field = document.getElementById("text") as HTMLTextAreaElement
  const isConnected = () => document.getElementById("state")?.textContent === "Connected"
  const turn = () => new Promise((resolve) => setTimeout(resolve))
  for (const texts of bursts) {
    while (!isConnected()) await turn()
    document.getElementById("cut")?.click()
    for (const text of texts) {
      field.value = text
      field.form?.requestSubmit()
      const end = performance.now() + 3
      while (performance.now() < end);
    }
    while (isConnected()) await turn()
  }
}

async function tokenOf({ page }: ChatPage): Promise<string> {
  return (await page.evaluate(() => sessionStorage.getItem("token"))) ?? ""
}

describe("a server that restarts", () => {
  it("is come back to by itself, with all that was written on either side", async () => {
    const demo = await start()
    const ada = await join(demo, "ada")
    const bob = await join(demo, "bob")
    await ada.press("Restart the server")
    await Promise.all([ada.state("Connection lost"), bob.state("Connection lost")])
    await ada.say("ada one")
    await ada.say("ada two")
    await bob.say("bob one")
    await bob.say("bob two")
    await Promise.all([ada.state("Connected"), bob.state("Connected")])
    await Promise.all([ada.delivered(2), bob.delivered(2)])
    await Promise.all([ada.reads("bob two"), bob.reads("ada two")])
    const texts = await ada.texts()
    expect(await bob.texts()).toEqual(texts)
    expect([...texts].sort()).toEqual(["ada one", "ada two", "bob one", "bob two"])
    expect(texts.filter((it) => it.startsWith("ada"))).toEqual(["ada one", "ada two"])
    expect(texts.filter((it) => it.startsWith("bob"))).toEqual(["bob one", "bob two"])
    expect([...(await ada.people())].sort()).toEqual(["ada", "bob"])
    expect(await connections(demo)).toBe(2)
  })

  it("is waited for from the start, when it is away before anybody has joined", async () => {
    const demo = await start()
    const ada = await ChatPage.visit(browser, demo.chat.url, "ada", NEVER)
    await demo.chat.stop()
    await ada.press("Join the room")
    await ada.state("The server does not answer")
    await ada.say("early")
    expect(await ada.statuses()).toEqual(["waiting"])
    const next = await startChat({ port: demo.chat.port, log: () => {} })
    onTestFinished(() => next.stop())
    await ada.press("Try now")
    await ada.state("Connected")
    await ada.delivered(1)
  })
})
