import { describe, expect, it } from "vitest"
import { InvalidOptionError } from "../../../src/core/errors.js"
import {
  checkCount,
  checkFunction,
  checkMs,
  checkNumber,
  checkOneOf,
  type Given,
  MAX_TIMER_MS,
  resolveOptions,
} from "../../../src/core/options.js"

interface Options {
  readonly waitMs: number
  readonly name: string | false
}

const DEFAULTS: Options = Object.freeze({ waitMs: 5, name: "x" })
const resolve = (given?: unknown) => resolveOptions("thing", DEFAULTS, given as Given<Options>)

describe("resolveOptions", () => {
  it("gives the defaults when nothing is given", () => {
    expect(resolve()).toEqual(DEFAULTS)
    expect(resolve({})).toEqual(DEFAULTS)
  })

  it("takes undefined for not given, and false for off", () => {
    expect(resolve({ waitMs: undefined, name: false })).toEqual({ waitMs: 5, name: false })
  })

  it("changes neither the defaults nor what was given", () => {
    const given = Object.freeze({ waitMs: 7 })
    expect(resolve(given)).toEqual({ waitMs: 7, name: "x" })
    expect(DEFAULTS.waitMs).toBe(5)
  })

  it("names a key it does not know, and those it does", () => {
    expect(() => resolve({ waitMS: 1 })).toThrow(
      new InvalidOptionError('thing.waitMS must be one of waitMs, name, received "waitMS"'),
    )
  })

  it.each(["toString", "constructor", "hasOwnProperty"])(
    "does not know %s, which every object has",
    (key) => {
      expect(() => resolve({ [key]: 1 })).toThrow(InvalidOptionError)
    },
  )

  it.each([null, 5, "x", true, () => {}])("takes %o for no options object", (given) => {
    expect(() => resolve(given)).toThrow(/^thing must be an object, received /)
  })
})

describe("checks", () => {
  it("return the value they let through", () => {
    const call = () => {}
    expect(checkNumber("n", 1.5)).toBe(1.5)
    expect(checkNumber("n", 3, 1, 3)).toBe(3)
    expect(checkCount("n", 1)).toBe(1)
    expect(checkCount("n", 0, 0)).toBe(0)
    expect(checkMs("n", 0)).toBe(0)
    expect(checkMs("n", MAX_TIMER_MS)).toBe(MAX_TIMER_MS)
    expect(checkOneOf("n", "a", ["a", "b"])).toBe("a")
    expect(checkFunction("n", call)).toBe(call)
    expect(checkFunction("n", undefined)).toBe(undefined)
  })

  const bad = [Number.NaN, Number.POSITIVE_INFINITY, -1, "5", null, undefined, true, {}, 5n] as const

  it.each(bad)("a number is not %s", (value) => {
    expect(() => checkNumber("thing.n", value)).toThrow(/^thing\.n must be a finite number ≥ 0, received /)
  })

  it.each([...bad, 0.5, 0, 2 ** 53])("a count is not %s", (value) => {
    expect(() => checkCount("thing.n", value)).toThrow(/^thing\.n must be a whole number ≥ 1, received /)
  })

  it.each([...bad, MAX_TIMER_MS + 1])("a time for a timer is not %s", (value) => {
    expect(() => checkMs("thing.ms", value)).toThrow(
      /^thing\.ms must be a number from 0 to 2147483647, received /,
    )
  })

  it("a word is one of those allowed, as it is written there", () => {
    expect(() => checkOneOf("thing.word", "B", ["a", "b"])).toThrow(
      'thing.word must be one of "a", "b", received "B"',
    )
  })

  it("a function is not an object", () => {
    expect(() => checkFunction("thing.call", {})).toThrow(
      "thing.call must be a function, received [object Object]",
    )
  })

  it("throw TypeErrors with a code", () => {
    expect(() => checkMs("n", -1)).toThrow(TypeError)
    expect(() => checkMs("n", -1)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }))
  })
})

describe("messages about bad options", () => {
  it.each([
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    ["fast", '"fast"'],
    [null, "null"],
    [undefined, "undefined"],
    [5n, "5"],
    [[1], "[object Array]"],
    [Symbol("s"), "Symbol(s)"],
    [function named() {}, "function named"],
    [() => {}, "function (anonymous)"],
  ])("show %o as %s", (value, shown) => {
    expect(() => checkNumber("n", value)).toThrow(`received ${shown}`)
  })

  it("cut a long text", () => {
    expect(() => checkNumber("n", "x".repeat(1_000))).toThrow(/received "x{80}…"$/)
  })
})
