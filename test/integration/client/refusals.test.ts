import { type ConnectError, type LinkEnd, ReconnectingClient } from "holdfast"
import type { Refusal } from "holdfast/server"
import { describe, expect, it, onTestFinished } from "vitest"
import { dial } from "../../support/client-servers.js"
import { inTime, until } from "../../support/deadline.js"
import { startAttached } from "../../support/server-attached.js"
import { startHttps } from "../../support/server-http.js"

/** Refuses so many upgrades before it lets everybody in. */
function refusing(refusal: Refusal, count: number) {
  let left = count
  return startAttached({ authenticate: async () => (left-- > 0 ? refusal : {}) as never })
}

describe("C9 a server that refuses over HTTP", () => {
  it.each([401, 403])(
    "C9 shows its %d as status in the error event, and is dialled again",
    async (status) => {
      const server = await refusing({ status }, 2)
      const ends: LinkEnd[] = []
      const { client, log } = dial(server.url, { shouldReconnect: (end) => void ends.push(end) })
      await inTime(client.opened, "the open")
      expect(log.errors).toMatchObject([
        { stage: "connect", error: { name: "ConnectError", code: "CONNECT_FAILED", status } },
        { stage: "connect", error: { name: "ConnectError", code: "CONNECT_FAILED", status } },
      ])
      expect(ends.map(({ error }) => (error as ConnectError).status)).toEqual([status, status])
      expect(log.states).toEqual(["connecting", "waiting", "connecting", "waiting", "connecting", "open"])
      await until(() => server.streams.size === 1, "the refused sockets to end")
    },
  )

  it.each([429, 503])("C9 says with %d when to come back, in seconds", async (status) => {
    const server = await refusing({ status, headers: { "Retry-After": "7" } }, 1)
    const before = Date.now()
    const { client, log } = dial(server.url)
    await until(() => client.state === "waiting", "the refusal")
    expect(log.errors).toMatchObject([{ error: { status, retryAfterMs: 7_000 } }])
    const { retryAt } = log.changes.at(-1) ?? {}
    expect(retryAt).toBeGreaterThanOrEqual(before + 7_000)
    expect(retryAt).toBeLessThanOrEqual(Date.now() + 7_000)
    client.reconnect()
    await inTime(client.opened, "the open")
  })

  it("C9 says it as a date", async () => {
    const date = new Date(Date.now() + 60_000).toUTCString()
    const server = await refusing({ status: 503, headers: { "Retry-After": date } }, 1)
    const { client } = dial(server.url)
    await until(() => client.state === "waiting", "the refusal")
    // what is left until then is added to the clock some milliseconds later
    expect(Math.abs((client.retryAt as number) - Date.parse(date))).toBeLessThan(1_000)
  })

  it("C9 cannot keep a client away for longer than five minutes", async () => {
    const server = await refusing({ status: 503, headers: { "Retry-After": "86400" } }, 1)
    const { client } = dial(server.url)
    await until(() => client.state === "waiting", "the refusal")
    expect(client.retryAt).toBeLessThanOrEqual(Date.now() + 300_000)
    expect(client.retryAt).toBeGreaterThan(Date.now() + 200_000)
  })

  it("C9 is overruled by shouldReconnect", async () => {
    const server = await refusing({ status: 503, headers: { "Retry-After": "7" } }, 1)
    const { client } = dial(server.url, { shouldReconnect: () => ({ delayMs: 1 }) })
    await inTime(client.opened, "the open")
  })
})

describe("C35 TLS", () => {
  it.each([
    ["is told its certificate", true],
    ["asks for none", false],
  ])("C35 reaches a wss: server where the client %s", async (_, isTold) => {
    const target = await startHttps()
    const { hub, url } = await startAttached({}, { target })
    hub.on("message", ({ connection, data }) => void connection.send(`${data} there`))
    const { client, log } = dial(url, {
      node: isTold ? { ca: target.trust.ca } : { rejectUnauthorized: false },
    })
    client.send("hello")
    await until(() => log.messages.length > 0, "the answer")
    expect([log.messages, log.errors]).toEqual([["hello there"], []])
  })

  it("C35 does not reach one with a certificate that nobody vouches for, and goes on trying", async () => {
    const target = await startHttps()
    const { added } = await startAttached({}, { target })
    const { log } = dial(target.url)
    await until(() => log.errors.length >= 2, "two failed attempts")
    expect(log.errors[1]?.error).toMatchObject({ cause: { code: "DEPTH_ZERO_SELF_SIGNED_CERT" } })
    expect(added.size).toBe(0)
  })
})

describe("C9 without a listener", () => {
  it("C9 is retried in silence, and nothing is thrown", async () => {
    const server = await refusing({ status: 401 }, 2)
    const client = new ReconnectingClient(server.url, {
      backoff: { initialMs: 20, floorMs: 1 },
      logger: false,
    })
    onTestFinished(async () => void (await client.close()))
    await inTime(client.opened, "the open")
  })
})
