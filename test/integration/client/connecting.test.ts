import { type AttemptContext, ConnectError } from "holdfast"
import { describe, expect, it } from "vitest"
import { dial, RestartingServer } from "../../support/client-servers.js"
import { inTime, until } from "../../support/deadline.js"
import { startServer } from "../../support/ws-server.js"

const NEVER_MS = 60_000
const LONG = { jitter: "none", initialMs: NEVER_MS, maxMs: NEVER_MS } as const

const waits = (states: readonly string[]) => states.filter((state) => state === "waiting").length

describe("C4 the first connect is retried like any other", () => {
  it("C4 finds a server that appears later on the same port", async () => {
    const server = await RestartingServer.find()
    const { client, log } = dial(server.url)
    client.send("early")
    await until(() => waits(log.states) >= 3, "three failed attempts")
    await server.start()
    await inTime(client.opened, "the first open")
    const { socket } = await server.accepted.next()
    const heard = await new Promise((resolve) => socket.once("message", (data) => resolve(String(data))))
    expect(heard).toBe("early")
    expect(log.errors[0]).toMatchObject({ stage: "connect", error: { code: "CONNECT_FAILED" } })
    expect(log.changes.at(-1)).toMatchObject({ to: "open", isReconnect: false })
  })

  it("C4 comes back to a server that was restarted on the same port", async () => {
    const server = await RestartingServer.start()
    const { client, log } = dial(server.url)
    await server.accepted.next()
    await until(() => client.state === "open", "the first open")
    await server.stop()
    await until(() => waits(log.states) >= 2, "a failed attempt")
    await server.start()
    await server.accepted.next()
    await until(() => client.state === "open", "the second open")
    expect(log.changes.at(-1)).toMatchObject({ isReconnect: true, lastClose: { code: 1006 } })
    expect(server.clients.size).toBe(1)
  })
})

describe("C8 reconnect()", () => {
  it("C8 dials at once during a backoff", async () => {
    const server = await RestartingServer.find()
    const { client, log } = dial(server.url, { backoff: LONG })
    await until(() => client.state === "waiting", "the backoff")
    await server.start()
    client.reconnect()
    expect(client.state).toBe("connecting")
    await server.accepted.next()
    await until(() => client.state === "open", "the open")
    expect(log.states).toEqual(["connecting", "waiting", "connecting", "open"])
  })

  it("C8 replaces an open connection, and leaves one", async () => {
    const server = await RestartingServer.start()
    const { client } = dial(server.url, { backoff: LONG })
    const first = await server.accepted.next()
    const closed = new Promise((resolve) => first.socket.once("close", resolve))
    await until(() => client.state === "open", "the first open")
    client.reconnect()
    const second = await server.accepted.next()
    expect(await inTime(closed, "the end of the first")).toBe(1000)
    await until(() => client.state === "open", "the second open")
    expect([...server.clients]).toEqual([second.socket])
  })

  it("C8 lets a hundred calls in a row end in one connection", async () => {
    const server = await RestartingServer.start()
    const { client } = dial(server.url, { backoff: LONG })
    await until(() => client.state === "open", "the first open")
    for (let call = 0; call < 100; call += 1) client.reconnect()
    await until(() => client.state === "open" && server.clients.size === 1, "one connection")
  })
})

describe("C5 what is asked for once per attempt", () => {
  it("C5 is what the server sees: address, headers and subprotocols", async () => {
    const seen: unknown[] = []
    const server = await startServer({
      verifyClient: ({ req: { url, headers } }, answer) => {
        seen.push([url, headers["x-attempt"], headers["sec-websocket-protocol"]])
        answer(seen.length > 2, 503)
      },
    })
    const contexts: AttemptContext[] = []
    const { client } = dial(
      async (context) => {
        contexts.push(context)
        return `${server.url}/?attempt=${context.attempt}`
      },
      {
        protocols: async ({ attempt }) => [`v${attempt}`, "fallback"],
        node: { headers: async ({ attempt }) => ({ "X-Attempt": `number ${attempt}` }) },
      },
    )
    await inTime(client.opened, "the open")
    expect(seen).toEqual([
      ["/?attempt=0", "number 0", "v0,fallback"],
      ["/?attempt=1", "number 1", "v1,fallback"],
      ["/?attempt=2", "number 2", "v2,fallback"],
    ])
    expect(client.protocol).toBe("v2")
    expect(contexts.map(({ lastClose }) => (lastClose?.error as ConnectError | undefined)?.status)).toEqual([
      undefined,
      503,
      503,
    ])
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, true, false])
  })

  it("C5 may be fixed, and is sent with every attempt", async () => {
    const server = await RestartingServer.start()
    dial(server.url, { protocols: "chat", node: { headers: { Authorization: "Bearer 1" } } })
    for (const _ of [1, 2]) {
      const { request, socket } = await server.accepted.next()
      expect(request.headers).toMatchObject({
        authorization: "Bearer 1",
        "sec-websocket-protocol": "chat",
      })
      socket.terminate()
    }
  })

  it.each(["url", "protocols", "headers"])("C5 rejects in %s, and is asked again", async (which) => {
    const server = await startServer()
    const asked = (name: string, value: unknown) => (context: AttemptContext) =>
      name === which && context.attempt < 2 ? Promise.reject(new Error(`no ${name}`)) : value
    const { client, log } = dial(asked("url", server.url) as () => string, {
      protocols: asked("protocols", ["chat"]) as () => string[],
      node: { headers: asked("headers", {}) as () => Record<string, string> },
    })
    await inTime(client.opened, "the open")
    expect(log.errors).toHaveLength(2)
    expect(log.errors[0]?.error).toBeInstanceOf(ConnectError)
    expect(log.errors[0]).toMatchObject({ stage: "connect", error: { cause: { message: `no ${which}` } } })
    expect(log.states).toEqual(["connecting", "waiting", "connecting", "waiting", "connecting", "open"])
  })
})
