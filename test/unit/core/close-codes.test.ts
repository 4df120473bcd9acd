import { describe, expect, it } from "vitest"
import { CloseCode, isSendableCloseCode, retryAdvice, truncateReason } from "../../../src/core/close-codes.js"
import { fc } from "../../support/properties.js"

const bytesOf = (text: string) => Buffer.byteLength(text)

describe("retryAdvice", () => {
  it.each([
    [1000, "now"],
    [1001, "now"],
    [1002, "never"],
    [1003, "never"],
    [1005, "now"],
    [1006, "now"],
    [1007, "never"],
    [1008, "never"],
    [1009, "never"],
    [1010, "never"],
    [1011, "now"],
    [1012, "later"],
    [1013, "later"],
    [1014, "now"],
    [1015, "now"],
    [3000, "now"],
    [4000, "now"],
    [4399, "now"],
    [4400, "never"],
    [CloseCode.EXPIRED, "never"],
    [CloseCode.REVOKED, "never"],
    [4499, "never"],
    [4500, "now"],
    [4999, "now"],
  ] as const)("S51 says about %i: retry %s", (code, advice) => {
    expect(retryAdvice(code)).toBe(advice)
  })
})

describe("isSendableCloseCode", () => {
  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4401, 4999])(
    "lets %i stand in a close frame",
    (code) => {
      expect(isSendableCloseCode(code)).toBe(true)
    },
  )

  it.each([
    0,
    -1,
    999,
    1004,
    1005,
    1006,
    1015,
    1016,
    2000,
    2999,
    5000,
    1000.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ])("keeps %d out of close frames", (code) => {
    expect(isSendableCloseCode(code)).toBe(false)
  })
})

describe("truncateReason", () => {
  it("leaves a reason alone that fits exactly", () => {
    const reason = "x".repeat(123)
    expect(truncateReason(reason)).toBe(reason)
    expect(truncateReason("")).toBe("")
  })

  it.each([
    ["one byte", "x", 123],
    ["two bytes", "é", 122],
    ["three bytes", "€", 123],
    ["four bytes", "😀", 120],
  ])("S4 cuts characters of %s at their boundary", (_, character, bytes) => {
    const cut = truncateReason(character.repeat(124))
    expect(bytesOf(cut)).toBe(bytes)
    expect(cut).toBe(character.repeat(bytes / bytesOf(character)))
  })

  it.each([0, 1, 2, 3])(
    "S4 never cuts through a 4-byte character that begins %i bytes before the end",
    (before) => {
      const start = "x".repeat(123 - before)
      expect(truncateReason(`${start}😀😀`)).toBe(start)
    },
  )

  it("S4 gives the longest prefix of whole characters that fits, for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (reason) => {
        const cut = truncateReason(reason)
        expect(bytesOf(cut)).toBeLessThanOrEqual(123)
        expect(reason.startsWith(cut)).toBe(true)
        const [next = ""] = reason.slice(cut.length)
        if (next) expect(bytesOf(cut) + bytesOf(next)).toBeGreaterThan(123)
      }),
    )
  })
})
