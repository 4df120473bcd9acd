import { createServer } from "node:http"
import { createHub } from "holdfast"
import { type AttachOptions, attach } from "holdfast/server"
import { describe, expect, it } from "vitest"

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
    ["protocols", ["chat", [42], {}, false]],
    // what 32 bits cannot hold would be no limit at all: `ws` cuts it to 0 or less
    ["maxPayloadBytes", [0, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32, "64k", false, null]],
    ["maxFragments", [0, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32, "128", false, null]],
  ]
  const cases = bad.flatMap(([option, values]) => values.map((value) => [option, value] as const))

  it.each(cases)("S45: refuses %s: %j, and leaves the server as it was", (option, value) => {
    const server = createServer()
    const attachWith = () => attach(server, createHub(), { [option]: value } as AttachOptions)
    expect(attachWith).toThrow(
      expect.objectContaining({ name: "InvalidOptionError", code: "INVALID_OPTION" }),
    )
    expect(attachWith).toThrow(new RegExp(`^${option} must be`))
    expect(server.listenerCount("upgrade")).toBe(0)
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
      logger: undefined,
      clock: undefined,
    }
    attach(server, createHub(), options)
    expect(server.listenerCount("upgrade")).toBe(1)
  })
})
