import { describe, expect, it, onTestFinished } from "vitest"
import { Engine } from "../../support/adapters-engine.js"
import { redisServer } from "../../support/adapters-redis.js"
import { startHub } from "../../support/hub-server.js"
import { blockOf, runRecipe, serveRecipe } from "../../support/recipe.js"
import { connect } from "../../support/ws-server.js"

/** An HTTP server and a hub, where a page declares them as given. */
const GIVEN = `
  import { createServer } from "node:http"
  import { createHub as makeHub } from "holdfast"
  const http = createServer()`

describe("recipes for operations", () => {
  it("dashboards: what is, and then each value", async () => {
    const { url } = await serveRecipe("dashboards")
    await (await connect(url("/ws"))).take(3)
    const client = await connect(url("/ws"))
    const numbers = (await client.take(6)).map((it) => JSON.parse(String(it)).n)
    const [first = 0] = numbers
    expect(first).toBeGreaterThanOrEqual(3)
    expect(numbers).toEqual(numbers.map((_, index) => first + index))
  })

  it("kubernetes: ready until SIGTERM, and then everybody is sent away", async () => {
    const { port, program, url } = await serveRecipe("kubernetes", {
      given: `${GIVEN}; const hub = makeHub()`,
      after: "http.listen(8080)",
      replace: ["windowMs: 10_000", "windowMs: 1_000"],
    })
    const page = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status
    const clients = [await connect(url("/ws")), await connect(url("/ws"))]
    expect([await page("/health"), await page("/ready")]).toEqual([200, 200])
    program.signal("SIGTERM")
    for (const client of clients) expect((await client.closed()).code).toBe(1012)
    expect(await program.exited()).toMatchObject({ code: 0, stderr: "" })
  })

  it("rate-limits-across-nodes: answers what is too much", async () => {
    const { url } = await serveRecipe("rate-limits-across-nodes", {
      given: `${GIVEN}; const storeClient = {}; const userOf = (request) => request.headers["x-user"]`,
      after: "http.listen(8080)",
      replace: ["import { RateLimiterRedis }", "import { RateLimiterMemory as RateLimiterRedis }"],
    })
    const ada = await connect(url("/ws"), { headers: { "x-user": "ada" } })
    const bob = await connect(url("/ws"), { headers: { "x-user": "bob" } })
    await expect(connect(url("/ws"))).rejects.toThrow("401")
    for (let i = 0; i < 6; i += 1) ada.send('{"type":"say","text":"hi"}')
    const types = (await ada.take(6)).map((it) => JSON.parse(String(it)).code ?? "said")
    expect(types).toEqual(["said", "said", "said", "said", "said", "RATE_LIMITED"])
    bob.send('{"type":"say","text":"hello"}')
    expect(JSON.parse(String((await bob.take(6)).at(-1)))).toEqual({ type: "said", text: "hello" })
  })

  it("publish-from-a-worker: a process without connections reaches those of a node", async () => {
    const engine = await Engine.start(redisServer())
    onTestFinished(() => engine.stop())
    const given = `process.env.REDIS_URL = "redis://127.0.0.1:${engine.port}"`
    const { url } = await serveRecipe("publish-from-a-worker", {
      index: 1,
      given,
      after: `
        import { createServer } from "node:http"
        import { attach } from "holdfast/server"
        const http = createServer()
        attach(http, hub, { authenticate: ({ headers }) => ({ userId: String(headers["x-user"]) }) })
        hub.on("connection", async ({ connection }) => {
          await connection.join("orders") // on all nodes
          connection.send("here")
        })
        await hub.ready
        http.listen(8080)`,
    })
    const ada = await connect(url("/"), { headers: { "x-user": "ada" } })
    const eve = await connect(url("/"), { headers: { "x-user": "eve" } })
    expect([await ada.next(), await eve.next()]).toEqual(['"here"', '"here"'])
    const worker = await runRecipe("publish-from-a-worker", { given })
    const shipped = '{"type":"shipped","order":7}'
    expect(await ada.take(2)).toEqual([shipped, shipped])
    expect(await eve.closed()).toEqual({ code: 4403, reason: "banned" })
    expect(await worker.exited()).toEqual({ code: 0, stdout: "", stderr: "" })
  })

  it("publish-from-a-worker: over HTTP, with the secret", async () => {
    const { port, url } = await serveRecipe("publish-from-a-worker", {
      index: 2,
      given: `
        import { createHub } from "holdfast"
        import { attach } from "holdfast/server"
        process.env.PUBLISH_SECRET = "sesame"
        const hub = createHub()
        hub.on("connection", ({ connection }) => connection.join("orders"))`,
      after: "attach(http, hub)",
    })
    const client = await connect(url("/"))
    const publish = (authorization: string) =>
      fetch(`http://127.0.0.1:${port}/shipped`, { method: "POST", headers: { authorization } })
    expect((await publish("wrong!")).status).toBe(403)
    expect(await (await publish("sesame")).text()).toBe("1\n")
    expect(await client.next()).toBe('{"type":"shipped","order":7}')
  })

  it("confirmed-sends: every job is done, although the line is cut", async () => {
    const { hub, url } = await startHub<{ type: "job"; id: string; body: string }, never>()
    const arrived = new Map<string, number>()
    hub.on("message", ({ connection, data }) => {
      arrived.set(data.id, (arrived.get(data.id) ?? 0) + 1)
      if (arrived.size === 120) connection.terminate()
    })
    const program = await runRecipe("confirmed-sends", {
      given: `
        const url = "${url}"
        const done = new Set<string>()
        let again = 0
        const waiting = Array.from({ length: 300 }, (_, index) => String(index))
        interface Job { readonly id: string; readonly body: string; done(): Promise<void>; again(): Promise<void> }
        async function* jobs(): AsyncGenerator<Job> {
          while (done.size < 300) {
            const id = waiting.shift()
            if (id === undefined) await new Promise((resolve) => setTimeout(resolve, 20))
            else yield {
              id, body: "x",
              done: async () => void done.add(id),
              again: async () => { again += 1; waiting.push(id) },
            }
          }
        }
        const queue = jobs()`,
      after: `console.log(done.size, again > 0)`,
      replace: ["(url)", "(url, { backoff: { initialMs: 100 } })"],
    })
    expect(await program.exited(20_000)).toEqual({ code: 0, stdout: "300 true\n", stderr: "" })
    expect(arrived.size).toBe(300)
  })

  it("observability: figures by type, and lines that can be followed", async () => {
    const { port, program, url } = await serveRecipe("observability")
    const client = await connect(url("/ws"), { headers: { "x-request-id": "abc-123" } })
    client.send('{"type":"say","text":"hi"}')
    client.send('{"type":"made up"}')
    await client.take(2)
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toMatch(/^ws_messages_received_total 2$/m)
    expect(metrics).toMatch(/^chat_handler_seconds_count\{type="say"\} 1$/m)
    expect(metrics).toMatch(/^chat_handler_seconds_count\{type="other"\} 1$/m)
    await client.close()
    await program.line(/"event":"connection\.close".*"correlationId":"abc-123"/)
  })

  it("testing-your-handlers: the tests on the page pass", async () => {
    const handlers = await runRecipe("testing-your-handlers", {
      index: 1,
      given: blockOf("testing-your-handlers", 0),
    })
    const time = await runRecipe("testing-your-handlers", {
      index: 2,
      given: 'import assert from "node:assert/strict"; import { test } from "node:test"',
    })
    for (const program of [handlers, time]) {
      const { code, stdout } = await program.exited()
      expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/pass 1\b/) })
    }
  })
})
