import { describe, expect, it } from "vitest"
import { byteLength } from "../../../src/wire/utf8.js"
import { fc, runs } from "../../support/properties.js"

const highSurrogate = "\ud83d"
const lowSurrogate = "\ude00"

describe("byteLength", () => {
  it.each([
    ["", 0],
    ["a", 1],
    ["\u007f", 1],
    ["\u0080", 2],
    ["\u07ff", 2],
    ["\u0800", 3],
    ["\uffff", 3],
    ["😀", 4],
    [highSurrogate, 3],
    [lowSurrogate, 3],
    [`${lowSurrogate}${highSurrogate}`, 6],
    [`${highSurrogate}😀`, 7],
    [`😀${lowSurrogate}`, 7],
    [`${highSurrogate}a`, 4],
  ])("of %j is %i", (text, bytes) => {
    expect(byteLength(text)).toBe(bytes)
  })

  it("is what Buffer and TextEncoder say, for any text, lone surrogates included", () => {
    const anyUnit = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(highSurrogate, lowSurrogate, "é", "€", "😀"),
    )
    fc.assert(
      fc.property(fc.array(anyUnit), (parts) => {
        const text = parts.join("")
        expect(byteLength(text)).toBe(Buffer.byteLength(text))
        expect(byteLength(text)).toBe(new TextEncoder().encode(text).length)
      }),
      runs(1_000),
    )
  })

  it("of bytes is their number, not that of the memory behind them", () => {
    expect(byteLength(new Uint8Array(new ArrayBuffer(100), 10, 7))).toBe(7)
    expect(byteLength(Buffer.from("€"))).toBe(3)
  })
})
