import { type Options, ReconnectingWebSocket, type UrlProvider } from "holdfast/compat"
import { describe, expect, it, vi } from "vitest"
import { fakeSocket } from "../../support/compat-fake.js"

/** A socket that never dials. */
const idle = (url: UrlProvider, protocols?: string | string[] | null, options: Options = {}) =>
  new ReconnectingWebSocket(url, protocols, { startClosed: true, ...options })

describe("C39 the address", () => {
  it.each([
    ["ws://far.example", "ws://far.example/"],
    ["WSS://FAR.example:443/a b?c=ü", "wss://far.example/a%20b?c=%C3%BC"],
    ["http://far.example:80/x", "ws://far.example/x"],
    ["https://far.example:8443/x", "wss://far.example:8443/x"],
  ])("C39 %s is dialled as %s", async (given, dialled) => {
    const { socket, network, clock } = fakeSocket({ url: given })
    expect(socket.url).toBe(dialled)
    await clock.advance(0)
    expect(network.last.url).toBe(dialled)
  })

  it("C39 may be a URL", () => {
    expect(idle(new URL("https://far.example/x")).url).toBe("wss://far.example/x")
  })

  it("C39 is relative to the page, where there is one", () => {
    vi.stubGlobal("location", { href: "https://far.example/app/index.html" })
    expect(idle("socket").url).toBe("wss://far.example/app/socket")
    vi.stubGlobal("document", { baseURI: "http://near.example/base/" })
    expect(idle("../socket").url).toBe("ws://near.example/socket")
  })

  it.each([
    "",
    "far.example",
    "/socket",
    "ftp://far.example",
    "ws://",
    "ws://far.example/#",
    "ws://far.example/#a",
  ])("C39 %j throws a SyntaxError at once", (url) => {
    expect(() => idle(url)).toThrow(
      expect.objectContaining({ constructor: DOMException, name: "SyntaxError" }),
    )
  })

  it("C39 is checked at each attempt when a function gives it", async () => {
    const answers = ["ftp://far.example", "ws://far.example/#x", new URL("http://far.example/b")]
    const { socket, network, clock, lines } = fakeSocket({ url: () => answers.shift() as string })
    expect(socket.url).toBe("")
    await clock.advance(2_000)
    expect(lines).toEqual([
      expect.stringMatching(/^error .*scheme must be ws or wss/),
      "close 1006 - unclean @3",
      expect.stringMatching(/^error .*has a fragment/),
      "close 1006 - unclean @3",
      "open @1",
    ])
    expect(network.sockets.map((it) => it.url)).toEqual(["ws://far.example/b"])
    expect(socket.url).toBe("ws://far.example/b")
    socket.close()
  })
})

describe("C39 the subprotocols", () => {
  it.each([
    ["chat", ["chat"]],
    [
      ["v2", "v1", "V1"],
      ["v2", "v1", "V1"],
    ],
    ["", []],
    [[], []],
    [null, []],
    [undefined, []],
  ])("C39 %j are offered as %j", async (protocols, offered) => {
    const { network, clock } = fakeSocket({ protocols })
    await clock.advance(0)
    expect(network.last.protocols).toEqual(offered)
  })

  it.each([[["a", "a"]], [["a", ""]], ["a b"], ["a,b"], ["ä"], ["a\n"], ["(a)"], [[" a"]]])(
    "C39 %j throw a SyntaxError at once",
    (protocols) => {
      expect(() => idle("ws://far.example", protocols)).toThrow(
        expect.objectContaining({ constructor: DOMException, name: "SyntaxError" }),
      )
    },
  )

  it("C39 are asked for and checked at each attempt when a function gives them", async () => {
    const answers: [string[], null, Promise<string>] = [["a", "a"], null, Promise.resolve("chat")]
    const { network, clock, lines, socket } = fakeSocket({ protocols: () => answers.shift() ?? null })
    network.onDial = (it) => (network.sockets.length === 1 ? it.refuse() : it.accept("chat"))
    await clock.advance(2_000)
    expect(lines[0]).toMatch(/^error .*subprotocol "a" is invalid or a duplicate/)
    expect(network.sockets.map((it) => it.protocols)).toEqual([[], ["chat"]])
    expect(socket.protocol).toBe("chat")
    socket.close()
  })
})

describe("C39 the options", () => {
  it("C39 take what the other libraries take: Infinity for no limit, 0 for none, undefined for not given", () => {
    const { POSITIVE_INFINITY: infinity } = Number
    idle("ws://far.example", [], {
      maxReconnectionDelay: infinity,
      minUptime: infinity,
      maxRetries: infinity,
      maxEnqueuedMessages: infinity,
    })
    idle("ws://far.example", [], {
      minReconnectionDelay: 0,
      maxRetries: 0,
      maxEnqueuedMessages: 0,
      minUptime: 0,
    })
    // above the maximum, the minimum is the maximum, as it was
    idle("ws://far.example", [], { minReconnectionDelay: 20_000, maxReconnectionDelay: 5_000 })
  })

  it.each([
    ["minReconnectionDelay", -1],
    ["maxReconnectionDelay", Number.NaN],
    ["connectionTimeout", 0],
    ["minUptime", "5"],
    ["maxRetries", 1.5],
    ["maxEnqueuedMessages", -1],
    ["shouldReconnectOnClose", true],
    ["WebSocket", {}],
  ])("C39 throw a TypeError that names what cannot be: %s %s", (name, value) => {
    expect(() => idle("ws://far.example", [], { [name]: value })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining(name) }),
    )
  })
})

describe("C39 the constants", () => {
  it("C39 are on the class and on its instances, and cannot be changed", () => {
    const expected = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 }
    const socket = idle("ws://far.example")
    for (const [name, value] of Object.entries(expected)) {
      expect(Reflect.get(ReconnectingWebSocket, name)).toBe(value)
      expect(Reflect.get(socket, name)).toBe(value)
      expect(Reflect.set(socket, name, 7)).toBe(false)
    }
  })
})
