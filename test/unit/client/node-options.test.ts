import {
  type AttemptContext,
  type NodeOptions,
  ReconnectingClient,
  type WebSocketConstructor,
} from "holdfast"
import { afterEach, describe, expect, it, vi } from "vitest"
import { openClient } from "../../support/client-fake.js"

afterEach(() => void vi.unstubAllGlobals())

describe("node", () => {
  it("C35 is handed to `ws` as it is, with the headers of the attempt", async () => {
    const given = {
      agent: {},
      ca: "an authority",
      cert: "a certificate",
      key: new Uint8Array([1]),
      perMessageDeflate: { threshold: 100 },
    }
    const { network } = await openClient({ node: { ...given, headers: async () => ({ "X-Token": "t" }) } })
    expect(network.last.options).toEqual({ ...given, headers: { "X-Token": "t" } })
    expect(network.last.options).toMatchObject({ agent: expect.toSatisfy((it) => it === given.agent) })
  })

  it("C35 with unref takes the process's part: `ws` is given a way to let it go", async () => {
    const { network } = await openClient({ node: { unref: true } })
    const { finishRequest, ...rest } = network.last.options as {
      finishRequest: (request: object) => void
      headers?: object
    }
    expect(rest).toEqual({ headers: undefined })
    const unref = vi.fn()
    const end = vi.fn()
    finishRequest({ once: (_: string, listener: (socket: object) => void) => listener({ unref }), end })
    expect([unref.mock.calls.length, end.mock.calls.length]).toEqual([1, 1])
  })

  it.each<[string, NodeOptions<AttemptContext>]>([
    ["headers", { headers: { "X-Token": "t" } }],
    ["agent", { agent: {} }],
    ["ca", { ca: "an authority" }],
    ["cert and key", { cert: "a certificate", key: "a key" }],
    ["perMessageDeflate", { perMessageDeflate: false }],
    ["unref", { unref: true }],
    ["nothing", {}],
  ])("C35 in a browser throws at construction: %s", (_, node) => {
    class Native {}
    vi.stubGlobal("WebSocket", Native)
    const make = () =>
      new ReconnectingClient("ws://far.example/", {
        node,
        WebSocket: Native as unknown as WebSocketConstructor,
      })
    expect(make).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message: expect.stringMatching(
          /^node must be left out: this platform's own WebSocket takes no headers/,
        ),
      }),
    )
  })
})
