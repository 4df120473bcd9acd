import { createServer, type Server } from "node:http"
import { createHub, type Hub } from "holdfast"
import { type AttachOptions, attach, type LimitOptions } from "holdfast/server"
import { describe, expect, it } from "vitest"
import { resolveLimits } from "../../../src/server/limit-options.js"

describe("attach", () => {
  const bad: readonly [option: string, values: readonly unknown[]][] = [
    ["path", ["ws", "", 42, false, [], ["/ws", "ws"], [1], "/:"]],
    [
      "origins",
      [
        "https://app.example",
        true,
        null,
        ["*"],
        ["app.example"],
        ["https://app.example/"],
        ["https://a*.example"],
      ],
    ],
    [
      "origins",
      [
        ["https://"],
        ["https://*"],
        ["https://*."],
        ["https://*.*.example"],
        ["https://a b"],
        [42],
        [undefined],
      ],
    ],
    ["allowMissingOrigin", ["no", 0, null]],
    ["authenticate", [true, "jwt", {}]],
    ["authenticateTimeoutMs", [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "10s", false]],
    ["handshakeTimeoutMs", [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "10s", true, null]],
    ["trustedProxies", ["10.0.0.0/8", true, null, {}, [42], [""], ["localhost"], ["10.0.0.0/33"]]],
    [
      "trustedProxies",
      [["10.0.0.0/"], ["10.0.0.0/8/8"], ["fd00::/129"], ["10.0.0.0/-1"], ["*"], [undefined]],
    ],
    ["proxyHeader", ["x-real-ip", "X-Forwarded-For", false, null]],
    ["limits", [null, true, 100]],
    ["protocols", ["chat", [42], {}, false]],
    // what 32 bits cannot hold would be no limit at all: `ws` cuts it to 0 or less
    ["maxPayloadBytes", [0, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32, "64k", false, null]],
    ["maxFragments", [0, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32, "128", false, null]],
  ]
  const cases = bad.flatMap(([option, values]) => values.map((value) => [option, value] as const))

  it("refuses what is no server, and what is no hub, before anything listens", () => {
    const app = Object.assign(() => {}, { on: () => app, listen: () => createServer() })
    const servers: unknown[] = [
      app,
      { server: createServer(), listen: () => {} },
      createHub(),
      undefined,
      null,
      8080,
    ]
    for (const server of servers)
      expect(() => attach(server as Server, createHub())).toThrow(/^server must be an HTTP server/)
    const server = createServer()
    for (const hub of [undefined, null, {}, server, createHub])
      expect(() => attach(server, hub as Hub)).toThrow(/^hub must be an object with add/)
    expect(server.listenerCount("upgrade")).toBe(0)
  })

  it.each(cases)("S45: refuses %s: %j, and leaves the server as it was", (option, value) => {
    const server = createServer()
    const attachWith = () => attach(server, createHub(), { [option]: value } as AttachOptions)
    expect(attachWith).toThrow(
      expect.objectContaining({ name: "InvalidOptionError", code: "INVALID_OPTION" }),
    )
    expect(attachWith).toThrow(new RegExp(`^${option} must be`))
    expect(server.listenerCount("upgrade")).toBe(0)
  })

  const counts = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "10", true, null]
  const rates = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "10", true, null]
  const badLimits: readonly [limit: string, values: readonly unknown[]][] = [
    ["connections", counts],
    ["perAddress", counts],
    ["perUser", counts],
    ["upgradesPerSecond", rates],
    ["upgradeBurst", [...counts, false]],
    ["messagesPerSecond", rates],
    ["messageBurst", [...counts, false]],
    ["bytesPerSecond", rates],
    ["byteBurst", [...counts, false]],
    ["sharedLimiter", [true, {}, () => {}]],
  ]
  const limitCases = badLimits.flatMap(([limit, values]) => values.map((value) => [limit, value] as const))

  it.each(limitCases)("S43: refuses limits.%s: %j", (limit, value) => {
    const limits = { [limit]: value } as LimitOptions
    expect(() => attach(createServer(), createHub(), { limits })).toThrow(
      expect.objectContaining({ message: expect.stringMatching(new RegExp(`^limits\\.${limit} must be`)) }),
    )
  })

  it("S43: refuses a limit that it does not know: it would not be kept", () => {
    const limits = { perIp: 5 } as LimitOptions
    expect(() => attach(createServer(), createHub(), { limits })).toThrow(/limits\.perIp must be one of/)
  })

  it("S44: lets each client send 5,000 messages and 32 MiB a second, and four seconds' worth at once", () => {
    const MIB = 1_048_576
    expect(resolveLimits({}).inbound).toEqual({
      messages: { perSecond: 5_000, burst: 20_000 },
      bytes: { perSecond: 32 * MIB, burst: 128 * MIB },
    })
  })

  it("S43: takes every limit that is off", () => {
    const off = { connections: false, perAddress: false, perUser: false } as const
    const rates = { upgradesPerSecond: false, messagesPerSecond: false, bytesPerSecond: false } as const
    attach(createServer(), createHub(), { limits: { ...off, ...rates }, handshakeTimeoutMs: false })
  })

  it("refuses an option that it does not know: a misspelt check would not be made", () => {
    const options = { allowMissingOrigins: false } as unknown as AttachOptions
    expect(() => attach(createServer(), createHub(), options)).toThrow(
      /attach\.allowMissingOrigins must be one of/,
    )
    expect(() => attach(createServer(), createHub(), null as unknown as AttachOptions)).toThrow(
      /attach must be an object/,
    )
  })

  it("takes options that are given as undefined for not given", () => {
    const server = createServer()
    const options = {
      path: undefined,
      origins: undefined,
      maxPayloadBytes: undefined,
      limits: undefined,
      logger: undefined,
      clock: undefined,
    }
    attach(server, createHub(), options)
    expect(server.listenerCount("upgrade")).toBe(1)
  })
})
