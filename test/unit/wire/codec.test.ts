import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { CodecError } from "../../../src/core/errors.js"
import { binary, json, text } from "../../../src/wire/codec.js"

function failure(run: () => unknown): CodecError {
  try {
    run()
  } catch (error) {
    if (error instanceof CodecError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

const secret = `${"x".repeat(40)}secret`

describe("json()", () => {
  it("brings back whatever JSON can hold", () => {
    const codec = json()
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(codec.decode(codec.encode(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it("makes text frames", () => {
    expect(json().encode({ a: 1, b: undefined, at: new Date(0) })).toBe(
      '{"a":1,"at":"1970-01-01T00:00:00.000Z"}',
    )
  })

  const cycle: { self?: unknown } = {}
  cycle.self = cycle

  it.each([
    ["a BigInt", 1n, "bigint"],
    ["a cycle", cycle, "object"],
    ["a bare undefined", undefined, "undefined"],
    ["a function", () => {}, "function"],
    ["a symbol", Symbol("s"), "symbol"],
  ])("refuses to encode %s", (_, message, preview) => {
    expect(failure(() => json().encode(message))).toMatchObject({ code: "ENCODE_FAILED", preview })
  })

  it("keeps the reason underneath", () => {
    expect(failure(() => json().encode(1n)).cause).toBeInstanceOf(TypeError)
    expect(failure(() => json().decode("{")).cause).toBeInstanceOf(SyntaxError)
  })

  it.each(["", "{", "ping", "undefined", "{'a':1}", `"${secret}`])("refuses to decode %j", (data) => {
    const error = failure(() => json().decode(data))
    expect(error.code).toBe("DECODE_FAILED")
    expect(error.preview).toBe(data.length > 32 ? `${data.slice(0, 32)}…` : data)
  })

  it("refuses a binary frame", () => {
    const error = failure(() => json().decode(Buffer.from("{}")))
    expect(error).toMatchObject({ code: "DECODE_FAILED", preview: "7b 7d" })
  })

  it("never shows the whole of a long message", () => {
    for (const data of [`{"a": ${secret}`, Buffer.from(secret)]) {
      const error = failure(() => json().decode(data))
      expect(error.message).not.toContain("secret")
      expect(error.preview).not.toContain("secret")
      expect(error.preview.endsWith("…")).toBe(true)
    }
  })

  it("S34 offers ping and pong, which are no JSON", () => {
    const { literalPing } = json()
    expect(literalPing).toEqual({ ping: "ping", pong: "pong" })
    for (const word of Object.values(literalPing ?? {})) expect(() => JSON.parse(word)).toThrow()
  })
})

describe("text()", () => {
  it("passes strings as they are", () => {
    for (const message of ["", "a", "😀", "{"]) {
      expect(text().encode(message)).toBe(message)
      expect(text().decode(message)).toBe(message)
    }
  })

  it("refuses a binary frame, and shows its first bytes only", () => {
    const error = failure(() => text().decode(new Uint8Array(100).fill(255)))
    expect(error).toMatchObject({ code: "DECODE_FAILED", preview: `${Array(32).fill("ff").join(" ")}…` })
    expect(error.message).toContain("100 bytes")
  })

  it("S34 has no literal ping: any word may be a message", () => {
    expect(text().literalPing).toBe(undefined)
  })
})

describe("binary()", () => {
  it("passes bytes as they are", () => {
    const bytes = new Uint8Array([1, 2, 3])
    expect(binary().encode(bytes)).toBe(bytes)
    expect(binary().decode(bytes)).toBe(bytes)
  })

  it("refuses a text frame, and shows its beginning only", () => {
    const error = failure(() => binary().decode(secret))
    expect(error).toMatchObject({ code: "DECODE_FAILED", preview: `${"x".repeat(32)}…` })
    expect(error.message).not.toContain("secret")
  })

  it("S34 has no literal ping", () => {
    expect(binary().literalPing).toBe(undefined)
  })
})
