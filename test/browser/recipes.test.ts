import { readFileSync } from "node:fs"
import type { Browser, JSHandle, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { compileScript, parse } from "vue/compiler-sfc"
import { launchChromium } from "../../scripts/chromium.js"
import { until } from "../support/deadline.js"
import { blockOf } from "../support/recipe.js"
import { bundleFiles, openRecipe, type RecipePage } from "./recipe-page.js"

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})

afterAll(() => browser.close())

type Price = { type: "price"; symbol: string; value: number }
type Watch = { type: "watch"; symbol: string }

/** The client that both pages show. */
const SOCKET = `
  import { ReconnectingClient } from "holdfast"
  export const client = new ReconnectingClient(location.origin.replace("http", "ws") + "/ws", {
    autoConnect: false, backoff: { initialMs: 100, jitter: "none" },
  })`

/** Watches a price by a press of the button, and sees it change, also on the next connection. */
async function watchPrices({ page, hub }: RecipePage<Watch, Price>): Promise<void> {
  const watched: string[] = []
  hub.on("message", ({ connection, data }) => {
    watched.push(data.symbol)
    connection.send({ type: "price", symbol: data.symbol, value: 42 })
  })
  await page.getByRole("status").getByText("open", { exact: true }).waitFor()
  await page.getByRole("button", { name: "Watch ACME" }).click()
  await page.getByText("ACME 42").waitFor()
  hub.broadcast({ type: "price", symbol: "ACME", value: 43 })
  hub.broadcast({ type: "price", symbol: "Umbrella", value: 7 })
  await page.getByText("ACME 43").waitFor()
  expect(await page.getByRole("listitem").allTextContents()).toEqual(["ACME 43", "Umbrella 7"])
  const shown = await recordStatus(page)
  for (const connection of hub.connections.values()) connection.terminate()
  await page.waitForFunction((texts) => texts.at(-1) === "open", shown)
  expect(await shown.jsonValue()).toEqual(["waiting", "connecting", "open"])
  hub.broadcast({ type: "price", symbol: "ACME", value: 44 })
  await page.getByText("ACME 44").waitFor()
  expect(watched).toEqual(["ACME"])
  expect(hub.size).toBe(1)
}

/** Records what the status says from now on: a look at it now and then could miss what is not there for long. */
async function recordStatus(page: Page): Promise<JSHandle<string[]>> {
  return page.getByRole("status").evaluateHandle((status) => {
    const texts: string[] = []
    const observer = new MutationObserver(() => texts.push(status.textContent ?? ""))
    observer.observe(status, { childList: true, characterData: true, subtree: true })
    return texts
  })
}

describe("the recipe for React", () => {
  it("shows state and messages in StrictMode, with one listener each", async () => {
    const script = await bundleFiles({
      "entry.tsx": `
        import { StrictMode } from "react"
        import { createRoot } from "react-dom/client"
        import { Prices } from "./prices.js"
        import { client } from "./socket.js"
        client.connect()
        globalThis.listeners = () => client.listenerCount("message")
        const root = createRoot(document.getElementById("app"))
        root.render(<StrictMode><Prices client={client} /></StrictMode>)
        globalThis.unmount = () => root.unmount()`,
      "socket.ts": SOCKET,
      "use-client.ts": blockOf("react", 0),
      "prices.tsx": `import { useClientState, useMessages } from "./use-client.js"\n${blockOf("react", 1)}`,
    })
    const recipe = await openRecipe<Watch, Price>(browser, { "/page.js": script })
    await watchPrices(recipe)
    const { page } = recipe
    const listeners = () =>
      page.evaluate(() => (globalThis as unknown as { listeners(): number }).listeners())
    expect(await listeners()).toBe(1)
    await page.evaluate(() => (globalThis as unknown as { unmount(): void }).unmount())
    await page.waitForFunction(() => (globalThis as unknown as { listeners(): number }).listeners() === 0)
  })

  it("opens a connection for each room, and closes it with the component", async () => {
    const script = await bundleFiles({
      "entry.tsx": `
        import { StrictMode, useState } from "react"
        import { createRoot } from "react-dom/client"
        import { useRoom } from "./use-room.js"
        function App() {
          const [room, setRoom] = useState("attic")
          const said = useRoom(location.origin.replace("http", "ws") + "/ws", room)
          return <div>
            <button onClick={() => setRoom("cellar")}>Go down</button>
            <ul>{said.map((it, index) => <li key={index}>{it.text}</li>)}</ul>
          </div>
        }
        createRoot(document.getElementById("app")).render(<StrictMode><App /></StrictMode>)`,
      "use-room.ts": `import { useEffect, useState } from "react"\ntype Said = { text: string }\n${blockOf("react", 2)}`,
    })
    const { page, hub } = await openRecipe<never, { text: string }>(browser, { "/page.js": script })
    const rooms = () => [...hub.connections.values()].map(({ params }) => params.room)
    await until(() => hub.size === 1 && rooms()[0] === "attic", "one in the attic")
    hub.broadcast({ text: "it is dusty" })
    await page.getByText("it is dusty").waitFor()
    await page.getByRole("button", { name: "Go down" }).click()
    await until(() => hub.size === 1 && rooms()[0] === "cellar", "one in the cellar")
    expect(await page.getByRole("listitem").count()).toBe(0)
    hub.broadcast({ text: "it is damp" })
    await page.getByText("it is damp").waitFor()
  })
})

describe("the recipe for Vue", () => {
  it("shows state and messages, and stops listening with the component", async () => {
    const markdown = readFileSync(new URL("../../docs/recipes/vue.md", import.meta.url), "utf8")
    const [, component = ""] = /^```vue\n([\s\S]*?)^```$/m.exec(markdown) ?? []
    const { descriptor, errors } = parse(component)
    expect(errors).toEqual([])
    const script = await bundleFiles({
      "entry.ts": `
        import { createApp } from "vue"
        import Prices from "./prices.js"
        import { client } from "./socket.js"
        client.connect()
        const app = createApp(Prices, { client })
        app.mount("#app")
        globalThis.listeners = () => client.listenerCount("message")
        globalThis.unmount = () => app.unmount()`,
      "socket.ts": SOCKET,
      "use-client.ts": blockOf("vue", 0),
      "prices.ts": compileScript(descriptor, { id: "prices", inlineTemplate: true }).content,
    })
    const recipe = await openRecipe<Watch, Price>(browser, { "/page.js": script })
    await watchPrices(recipe)
    const { page } = recipe
    await page.evaluate(() => (globalThis as unknown as { unmount(): void }).unmount())
    expect(await page.evaluate(() => (globalThis as unknown as { listeners(): number }).listeners())).toBe(0)
  })
})

describe("the recipe for a service worker", () => {
  it("holds one connection, and tells tabs what comes over it", async () => {
    const [worker, page] = await Promise.all([
      bundleFiles({ "worker.ts": blockOf("service-worker", 0) }),
      bundleFiles({
        "page.ts": `
          globalThis.shown = []
          const show = (message) => globalThis.shown.push(message.type)
          ${blockOf("service-worker", 1)}`,
      }),
    ])
    const { page: tab, hub } = await openRecipe<{ type: string }, { type: string }>(browser, {
      "/page.js": page,
      "/worker.js": worker,
    })
    const heard: string[] = []
    hub.on("message", ({ data }) => heard.push(data.type))
    await until(() => heard.length === 1, "the hello")
    expect(heard).toEqual(["hello"])
    expect(hub.size).toBe(1)
    // a page that was loaded before its worker is told things from the next time on
    await tab.reload()
    await until(() => heard.length === 2, "the hello of the page that was loaded again")
    await tab.waitForFunction(() => navigator.serviceWorker.controller !== null)
    hub.broadcast({ type: "news" })
    await tab.waitForFunction(() => (globalThis as unknown as { shown: string[] }).shown.includes("news"))
    expect(hub.size).toBe(1)
  })
})
