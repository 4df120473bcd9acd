import { describe, expect, it } from "vitest"
import { CodecError, InvalidOptionError } from "../../../src/core/errors.js"
import { binary, json, text } from "../../../src/wire/codec.js"
import { fc } from "../../support/properties.js"

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
  it("T1 brings back whatever JSON can hold", () => {
    const codec = json()
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!/"(__proto__|constructor)":/.test(JSON.stringify(value)))
        expect(codec.decode(codec.encode(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it("makes text frames", () => {
    expect(json().encode({ a: 1, b: undefined, at: new Date(0) })).toBe(
      '{"a":1,"at":"1970-01-01T00:00:00.000Z"}',
    )
  })

  const throwing = (error: unknown) => {
    throw error
  }
  const cycle: { self?: unknown } = {}
  cycle.self = cycle

  it.each([
    ["a BigInt", 1n, "bigint"],
    ["a cycle", cycle, "object"],
    ["a bare undefined", undefined, "undefined"],
    ["a function", () => {}, "function"],
    ["a symbol", Symbol("s"), "symbol"],
    ["what throws something without words", { toJSON: () => throwing(Object.create(null)) }, "object"],
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

  it("T1 never shows the whole of a long message", () => {
    for (const data of [`{"a": ${secret}`, Buffer.from(secret)]) {
      const error = failure(() => json().decode(data))
      expect(error.message).not.toContain("secret")
      expect(error.preview).not.toContain("secret")
      expect(error.preview.endsWith("…")).toBe(true)
    }
  })

  it("T2 leaves out what JSON has no word for, and lets dates be strings", () => {
    const message = { a: undefined, b: () => {}, c: [undefined, 1], at: new Date(0), n: Number.NaN }
    expect(json().decode(json().encode(message))).toEqual({
      c: [null, 1],
      at: "1970-01-01T00:00:00.000Z",
      n: null,
    })
  })

  it("T2 takes a reviver and a replacer, so that dates and BigInts can make the way", () => {
    const codec = json({
      replacer: (_, value) => (typeof value === "bigint" ? { $bigint: String(value) } : value),
      reviver: (_, value) =>
        typeof (value as { $bigint?: unknown } | null)?.$bigint === "string"
          ? BigInt((value as { $bigint: string }).$bigint)
          : value,
    })
    expect(codec.encode({ n: 2n ** 70n })).toBe('{"n":{"$bigint":"1180591620717411303424"}}')
    expect(codec.decode(codec.encode({ n: 2n ** 70n }))).toEqual({ n: 2n ** 70n })
  })

  it("T2 reports a reviver that throws as a frame that cannot be read", () => {
    const codec = json({
      reviver: () => {
        throw new Error("no")
      },
    })
    expect(failure(() => codec.decode("[1]"))).toMatchObject({ code: "DECODE_FAILED", cause: Error("no") })
  })

  it.each([
    ['{"__proto__":{"isAdmin":true}}'],
    ['{"__proto__":1}'],
    ['{"\\u005f_proto__":{"isAdmin":true}}'],
    ['{"\\u005f\\u005f\\u0070roto\\u005f\\u005f":1}'],
    ['[{"a":[{"__proto__":[]}]}]'],
    ['{"constructor":{"prototype":{"isAdmin":true}}}'],
    ['{"a":{"constructor":{"prototype":null}}}'],
    ['{"constructor":{"\\u0070rototype":1}}'],
  ])("T2 refuses keys that reach a prototype: %s", (frame) => {
    const seen: string[] = []
    const reviver = (key: string, value: unknown) => {
      seen.push(key)
      return value
    }
    const error = failure(() => json({ reviver }).decode(frame))
    expect(error.code).toBe("DECODE_FAILED")
    expect(error.cause).toMatchObject({
      message: expect.stringMatching(/^it has a key (__proto__|constructor)$/),
    })
    expect(seen, "the reviver saw nothing of it").toEqual([])
  })

  it.each([
    ['{"proto":{"a":1},"prototype":2}'],
    ['{"constructor":"Ford"}'],
    ['{"constructor":null,"a":"__proto__"}'],
    ['{"constructor":{"name":"Ford"}}'],
    ['{"constructor":[{"a":1}]}'],
  ])("T2 takes keys that only look like it: %s", (frame) => {
    expect(json().decode(frame)).toEqual(JSON.parse(frame))
  })

  const nested = (depth: number, [open, close]: readonly [string, string]) =>
    open.repeat(depth) + close.repeat(depth)
  const brackets = [
    ["arrays", ["[", "]"]],
    ["objects", ['{"a":', "}"]],
  ] as const

  it.each(brackets)("T2 takes 64 %s in one another, and no more", (_, pair) => {
    const inner = pair[0] === "[" ? "" : "1"
    const frame = (depth: number) => nested(depth, [pair[0], pair[1]]).replace(/(?<=:)(?=})/, inner)
    expect(json().decode(frame(64))).toEqual(JSON.parse(frame(64)))
    expect(failure(() => json().decode(frame(65))).cause).toMatchObject({ message: "it is too deep" })
  })

  it("T2 refuses a million brackets without overflowing the stack, and does not count those in strings", () => {
    const deep = nested(1_000_000, ["[", "]"])
    const error = failure(() => json().decode(deep))
    expect(error.code).toBe("DECODE_FAILED")
    expect(error.preview).toBe(`${"[".repeat(32)}…`)
    expect(json({ maxDepth: 1 }).decode(JSON.stringify([deep]))).toEqual([deep])
    // even for whoever allows it
    expect(failure(() => json({ maxDepth: 10_000_000 }).decode(deep)).code).toBe("DECODE_FAILED")
  })

  it("T2 has its own depth for each codec", () => {
    expect(json({ maxDepth: 1 }).decode('{"a":1}')).toEqual({ a: 1 })
    expect(failure(() => json({ maxDepth: 1 }).decode('{"a":[]}')).code).toBe("DECODE_FAILED")
  })

  it.each([
    [{ maxDepth: 0 }, "json.maxDepth must be a whole number ≥ 1, received 0"],
    [{ maxDepth: "9" }, 'json.maxDepth must be a whole number ≥ 1, received "9"'],
    [{ depth: 3 }, 'json.depth must be one of maxDepth, reviver, replacer, received "depth"'],
    [null, "json must be an object, received null"],
    [{ reviver: 1 }, "json.reviver must be a function, received 1"],
    [{ replacer: ["a"] }, "json.replacer must be a function, received [object Array]"],
  ])("T2 refuses options that cannot be: %j", (options, message) => {
    expect(() => json(options as never)).toThrow(new InvalidOptionError(message))
  })

  it("S34 offers ping and pong, which are no JSON", () => {
    const { literalPing } = json()
    expect(literalPing).toEqual({ ping: "ping", pong: "pong" })
    for (const word of Object.values(literalPing ?? {})) expect(() => JSON.parse(word)).toThrow()
  })
})

describe("text()", () => {
  it("T1 passes strings as they are", () => {
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
  it("T1 passes bytes as they are, in the memory they came in", () => {
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

it("T2: json looks at what came in, not at what somebody has given to all objects", () => {
  const endless: Record<string, unknown> = {}
  endless.again = endless
  Object.defineProperty(Object.prototype, "given", {
    value: endless,
    enumerable: true,
    configurable: true,
    writable: true,
  })
  try {
    expect(json().decode('{"a":{"b":[1,{"c":2}]}}')).toEqual({ a: { b: [1, { c: 2 }] } })
    expect(() => json().decode('{"a":{"__proto__":1}}')).toThrow("refused")
  } finally {
    delete (Object.prototype as { given?: unknown }).given
  }
})
