import { createHub, type HubOptions, InvalidOptionError } from "holdfast"
import { describe, expect, it } from "vitest"

const BAD: Record<string, readonly unknown[]> = {
  codec: [{}, { encode() {} }, "json", 1, null],
  concurrency: [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "16"],
  closeTimeoutMs: [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2_147_483_648, "5s", null],
  sendTimeoutMs: [0, -1, Number.NaN, 2_147_483_648, null],
  writeTimeoutMs: [0, -1, Number.NaN, 2_147_483_648, null],
  maxBufferedBytes: [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "1 MiB", null],
  overflow: ["drop", "", 1, null],
  flush: ["later", true, null],
  literalPing: [{ ping: "a", pong: "a" }, { ping: "a" }, { ping: 1, pong: 2 }, "ping", true, null],
  onDecodeError: ["reply", 1, {}, null],
  onLag: ["notice", 1, {}, null],
  adapter: [{}, "redis", null, false, { connect() {} }],
  logger: [{}, "pino", true, null, 0, { error() {} }],
  clock: [{}, Date, null, false, { now: () => 0 }],
  heartbeat: [true, 15_000, null, "15s"],
  "heartbeat.intervalMs": [0, -1, Number.NaN, 2_147_483_648, null],
  "heartbeat.timeoutMs": [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "10s"],
}

const cases = Object.entries(BAD).flatMap(([path, values]) => values.map((value) => [path, value] as const))

describe("createHub throws a TypeError that names the option and shows the value", () => {
  it.each(cases)("%s: %o", (path, value) => {
    expect(() => createHub(optionsOf(path, value))).toThrow(TypeError)
    expect(() => createHub(optionsOf(path, value))).toThrow(`${path} must be`)
    expect(() => createHub(optionsOf(path, value))).toThrow(`received ${shown(value)}`)
  })

  it.each([
    ["null", null],
    ["5", 5],
    ["true", true],
  ])("for %s in place of options", (shown, options) => {
    expect(() => createHub(options as never)).toThrow(
      new InvalidOptionError(`hub must be an object, received ${shown}`),
    )
  })

  it("for an option it does not have", () => {
    expect(() => createHub({ hartbeat: false } as never)).toThrow(
      /hub\.hartbeat must be one of .*received "hartbeat"/,
    )
  })
})

describe("createHub takes", () => {
  it("undefined as not given, for every option", () => {
    const keys = ["adapter", "heartbeat", ...Object.keys(BAD).filter((path) => !path.includes("."))]
    expect(() => createHub(Object.fromEntries(keys.map((key) => [key, undefined])))).not.toThrow()
  })

  it("false as off, for what can be off", () => {
    expect(() => createHub({ heartbeat: false, literalPing: false, logger: false })).not.toThrow()
  })
})

function optionsOf(path: string, value: unknown): HubOptions {
  const [key = path, inner] = path.split(".")
  return { [key]: inner ? { [inner]: value } : value }
}

function shown(value: unknown): string {
  if (typeof value === "function") return `function ${value.name}`
  if (typeof value === "string") return JSON.stringify(value)
  return typeof value === "object" && value !== null ? "[object Object]" : String(value)
}
