import {
  type AttemptContext,
  ConnectError,
  hasErrorCode,
  ReconnectingClient,
  StopReconnecting,
} from "holdfast"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { fakeClient, openClient } from "../../support/client-fake.js"

const unhandled = vi.fn()

beforeEach(() => {
  unhandled.mockClear()
  process.on("unhandledRejection", unhandled)
})

afterEach(async () => {
  // Node reports a rejection after the turn in which nobody took it
  await new Promise((resolve) => setImmediate(resolve))
  process.off("unhandledRejection", unhandled)
  expect(unhandled).not.toHaveBeenCalled()
})

describe("a first connect that fails", () => {
  it("C4 is retried like any other, and opened resolves at the first open", async () => {
    const { client, clock, network, log } = fakeClient()
    network.onDial = (socket) => (network.sockets.length < 3 ? socket.refuse() : socket.accept())
    const opened = vi.fn()
    void client.opened.then(opened)
    await clock.advance(1_050 + 2_049)
    expect(opened).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(opened).toHaveBeenCalledOnce()
    expect(log.states).toEqual(["connecting", "waiting", "connecting", "waiting", "connecting", "open"])
    expect(log.errors.map(({ stage }) => stage)).toEqual(["connect", "connect"])
    expect(log.changes.map(({ attempt }) => attempt)).toEqual([0, 1, 1, 2, 2, 2])
    await client.close()
  })

  it("C4 goes on for ever by default", async () => {
    const { client, clock, network } = fakeClient()
    network.onDial = (socket) => socket.refuse()
    await clock.advance(3_600_000)
    expect(client.state).toBe("waiting")
    expect(network.sockets.length).toBeGreaterThan(200)
  })

  it.each([0, 1, 3])("C4 ends the client after maxRetries: %i", async (maxRetries) => {
    const { client, clock, network, log } = fakeClient({ maxRetries })
    network.onDial = (socket) => socket.refuse()
    const opened = client.opened
    await clock.advance(3_600_000)
    expect(network.sockets).toHaveLength(maxRetries + 1)
    expect(log.ends).toHaveLength(1)
    expect(log.ends[0]).toMatchObject({ cause: "max-retries", error: { code: "CONNECT_FAILED" } })
    await expect(opened).rejects.toBe(log.ends[0]?.error)
    await expect(client.closed).resolves.toBe(log.ends[0])
  })

  it("C4 counts retries in a row: a stable connection gives maxRetries back", async () => {
    const { client, clock, network } = await openClient({ maxRetries: 1 })
    for (let i = 0; i < 5; i += 1) {
      await clock.advance(5_000)
      network.last.cut()
      await clock.advance(1_050)
      expect(client.state).toBe("open")
    }
    network.last.cut()
    expect(client.state).toBe("closed")
  })
})

describe("url, protocols and headers", () => {
  it("C5 are asked once per attempt, async or not, with the attempt and the last end", async () => {
    const agent = {}
    const calls: [string, number, number | undefined, boolean][] = []
    const asked = (name: string) => (context: AttemptContext) => {
      calls.push([name, context.attempt, context.lastClose?.code, context.signal.aborted])
      return `${name}-${context.attempt}`
    }
    const { clock, network } = fakeClient({
      url: async (context) => `ws://${asked("url")(context)}/`,
      protocols: async (context) => [asked("protocol")(context)],
      node: { headers: async (context) => ({ "X-Try": asked("header")(context) }), agent },
    })
    network.onDial = (socket) => (network.sockets.length < 3 ? socket.refuse() : socket.accept("protocol-2"))
    await clock.advance(10_000)
    expect(calls).toEqual(
      [0, 1, 2].flatMap((attempt) =>
        ["url", "protocol", "header"].map((name) => [name, attempt, attempt === 0 ? undefined : 1006, false]),
      ),
    )
    expect(network.sockets.map((it) => it.url)).toEqual(["ws://url-0/", "ws://url-1/", "ws://url-2/"])
    expect(network.last.protocols).toEqual(["protocol-2"])
    expect(network.last.options).toEqual({ headers: { "X-Try": "header-2" }, agent })
  })

  it("C5 may be plain values: a URL, one protocol, a list", async () => {
    const { network } = await openClient({ url: new URL("wss://far.example/a?b"), protocols: "v1" })
    expect(network.last.url).toBe("wss://far.example/a?b")
    expect(network.last.protocols).toBe("v1")
    const protocols = Object.freeze(["v2", "v1"])
    const { network: other, client } = await openClient({ protocols })
    expect(other.last.protocols).toEqual(["v2", "v1"])
    expect(other.last.protocols).not.toBe(protocols)
    expect(client.protocol).toBe("")
  })

  it.each(["url", "protocols", "headers"] as const)(
    "C5 a rejection of %s is a failed attempt, an event and a retry",
    async (name) => {
      const cause = new TypeError("no token")
      let calls = 0
      const { client, clock, network, log } = fakeClient(
        askingFor(name, async (value) => {
          calls += 1
          if (calls === 1) throw cause
          return value
        }),
      )
      await clock.advance(1_049)
      expect(network.sockets).toEqual([])
      expect(client.state).toBe("waiting")
      expect(log.errors).toHaveLength(1)
      const [{ error, stage } = { error: undefined, stage: "" }] = log.errors
      expect(stage).toBe("connect")
      expect(hasErrorCode(error, "CONNECT_FAILED") && error.cause).toBe(cause)
      expect(log.changes.at(-1)?.lastClose).toEqual({ code: 1006, reason: "", wasOpen: false, error })
      await clock.advance(1)
      expect(client.state).toBe("open")
    },
  )

  it.each(["url", "protocols", "headers"] as const)(
    "C5 a throw of %s counts as a rejection, even of all three at once",
    async (name) => {
      const { client, clock, log } = fakeClient(
        askingFor(name, () => {
          throw "not even an Error"
        }),
      )
      await clock.advance(0)
      expect(client.state).toBe("waiting")
      expect(log.errors[0]?.error).toBeInstanceOf(ConnectError)
      const all = fakeClient({
        url: () => Promise.reject(new Error("url")),
        protocols: () => Promise.reject(new Error("protocols")),
        node: { headers: () => Promise.reject(new Error("headers")) },
      })
      await all.clock.advance(0)
      expect(all.log.errors).toHaveLength(1)
    },
  )

  it.each(["url", "protocols", "headers"] as const)("C7 StopReconnecting from %s is final", async (name) => {
    const error = new StopReconnecting("logged out")
    const { clock, network, log } = fakeClient(askingFor(name, () => Promise.reject(error)))
    await clock.advance(60_000)
    expect(log.ends).toMatchObject([{ cause: "stopped", error }])
    expect(network.sockets).toEqual([])
  })

  it.each([
    ["url", { url: () => "far.example" }],
    ["protocols", { url: "far.example", protocols: () => "v1" }],
    ["headers", { url: "far.example", node: { headers: () => ({}) } }],
  ])(
    "C5 an address that is none is dialled again where %s may answer differently the next time",
    async (_, options) => {
      const { client, clock, log } = fakeClient(options)
      await clock.advance(0)
      expect(client.state).toBe("waiting")
      expect(log.errors).toMatchObject([{ stage: "connect", error: { code: "CONNECT_FAILED" } }])
    },
  )

  it("C10 a fixed address that is none ends the client with cause config", async () => {
    const { clock, log } = fakeClient({ url: "far.example" })
    await clock.advance(0)
    expect(log.ends).toMatchObject([{ cause: "config", error: { code: "INVALID_ADDRESS" } }])
    expect(String(log.ends[0]?.error)).toContain('"far.example"')
    expect(clock.pending).toBe(0)
  })
})

/** Options under which one of the three is asked for. */
function askingFor(name: "url" | "protocols" | "headers", ask: (value: string) => Promise<string>) {
  if (name === "url") return { url: () => ask("ws://far.example/") }
  if (name === "protocols") return { protocols: () => ask("v1") }
  return { node: { headers: async () => ({ Authorization: await ask("token") }) } }
}

describe("options that cannot be", () => {
  it.each([
    ["a name that is misspelled", { maxRetry: 3 }, /^client\.maxRetry must be one of codec, protocols/],
    ["a list of subprotocols, as WebSocket takes it", ["v1"], /^client\.0 must be one of/],
    ["one subprotocol, as WebSocket takes it", "v1", /^client must be an object, received "v1"/],
    ["null", null, /^client must be an object, received null/],
  ])("are refused at construction, with what was received: %s", (_what, options, message) => {
    expect(() => new ReconnectingClient("ws://127.0.0.1:9", options as object)).toThrow(message)
  })
})
