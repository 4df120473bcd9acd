import { CodecError } from "holdfast"
import { msgpack } from "holdfast/codecs/msgpack"
import { Packr } from "msgpackr"
import { describe, expect, it } from "vitest"
import { fc, runs } from "../../support/properties.js"

const hex = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString("hex")
const bytes = (hexadecimal: string) => new Uint8Array(Buffer.from(hexadecimal.replaceAll(" ", ""), "hex"))
const ascii = (word: string) => Buffer.from(word).toString("hex")

function failure(run: () => unknown): CodecError {
  try {
    run()
  } catch (error) {
    if (error instanceof CodecError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

const reason = (frame: string, options = {}) =>
  (failure(() => msgpack(options).decode(bytes(frame))).cause as Error).message

describe("T1: msgpack()", () => {
  it("brings back whatever JSON can hold", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!/"(__proto__|constructor)":/.test(JSON.stringify(value)))
        const codec = msgpack()
        expect(codec.decode(codec.encode(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it.each([
    [null, "c0"],
    [true, "c3"],
    [7, "07"],
    [-1, "ff"],
    [300, "cd012c"],
    [1.5, "cb3ff8000000000000"],
    ["hé", "a368c3a9"],
    [[1, [2]], "920191 02"],
    [{ a: 1 }, "de0001a16101"],
    [new Uint8Array([1, 2]), "c4020102"],
    [undefined, "c0"],
    [new Date(1_000), "d6ff00000001"],
    [2n ** 60n, "d31000000000000000"],
  ])("writes %s as any other implementation reads it", (value, encoded) => {
    expect(hex(msgpack().encode(value))).toBe(encoded.replaceAll(" ", ""))
  })

  it.each([
    ["cf1000000000000000", 2n ** 60n],
    ["d3ffffffffffffffff", -1],
    ["d6ff00000001", new Date(1_000)],
    ["d7ff0000000100000000", new Date(4_294_967_296_000)],
    ["c70cff000000000000000000000001", new Date(1_000)],
    ["ca3fc00000", 1.5],
    ["d9026869", "hi"],
    ["da00026869", "hi"],
    ["db000000026869", "hi"],
    ["dc000101", [1]],
    ["dd0000000101", [1]],
    ["81a16101", { a: 1 }],
    ["df00000001a16101", { a: 1 }],
    ["80", {}],
    ["90", []],
    ["d1fffe", -2],
  ])("reads %s as any other implementation writes it", (encoded, value) => {
    const read = msgpack().decode(bytes(encoded))
    expect(typeof value === "number" ? Number(read) : read).toEqual(value)
  })

  it("carries bytes, in the memory of the frame", () => {
    const codec = msgpack<{ data: Uint8Array }, { data: Uint8Array }>()
    const frame = codec.encode({ data: bytes("010203") }) as Uint8Array
    const { data } = codec.decode(frame)
    expect(hex(data)).toBe("010203")
    expect(data.buffer).toBe(frame.buffer)
  })

  it("gives out frames that later messages do not change", () => {
    const codec = msgpack()
    const frames = Array.from({ length: 500 }, (_, n) => codec.encode({ n, text: "x".repeat(n) }))
    frames.forEach((frame, n) => {
      expect(codec.decode(frame)).toEqual({ n, text: "x".repeat(n) })
    })
  })

  it("refuses to encode what MessagePack cannot hold", () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    for (const message of [2n ** 70n, cycle]) {
      expect(failure(() => msgpack().encode(message))).toMatchObject({ code: "ENCODE_FAILED" })
    }
  })

  it("refuses a text frame", () => {
    expect(failure(() => msgpack().decode("{}"))).toMatchObject({ code: "DECODE_FAILED", preview: "{}" })
  })

  it("has no literal ping: a text frame is no message, but nobody has agreed on one", () => {
    expect(msgpack().literalPing).toBe(undefined)
  })

  it("never shows the whole of a long message", () => {
    const error = failure(() =>
      msgpack().decode(bytes(`92d928${ascii("x".repeat(33))}${ascii("secret!")}c1`)),
    )
    expect(error.message).not.toContain(ascii("secret"))
    expect(error.preview.endsWith("…")).toBe(true)
  })
})

describe("T2: msgpack() refuses", () => {
  const name = (word: string) => (word.length < 32 ? (0xa0 + word.length).toString(16) : "") + ascii(word)

  it.each([
    ["", "it is cut off"],
    ["a2 68", "it is cut off"],
    ["92 01", "it is cut off"],
    ["cd 01", "it is cut off"],
    ["d9", "it is cut off"],
    ["01 02", "there is more than one value"],
    ["c1", "it has the byte c1, which is never used"],
    [`81 ${name("__proto__")} 81 a161 01`, "it has a key __proto__"],
    [`91 81 ${name("__proto__")} 01`, "it has a key __proto__"],
    [`81 d909 ${ascii("__proto__")} 01`, "it has a key __proto__"],
    [`81 ${name("constructor")} 81 ${name("prototype")} c0`, "it has a key prototype"],
    [`82 a161 01 ${name("constructor")} 82 a161 01 ${name("prototype")} c0`, "it has a key prototype"],
    ["d4 05 00", "it has the extension 5"],
    ["d4 72 40 91 a161 01", "it has the extension 114"], // a record, of which code is made
    ["c7 03 78 92 a0 a0", "it has the extension 120"], // a regular expression
    ["d4 00 00", "it has the extension 0"],
  ])("%s: %s", (frame, message) => {
    expect(reason(frame)).toBe(message)
  })

  it.each([
    ["30 million in an array", "dd01ffffff"],
    ["4 billion in an array", "ddffffffff"],
    ["4 billion in a map", "dfffffffff"],
    ["4 billion bytes", "c6ffffffff00"],
    ["4 billion characters", "dbffffffff00"],
    ["4 billion bytes of an extension", "c9ffffffffff00"],
    ["a row of such arrays", "ddffffffff".repeat(60)],
  ])("%s that are announced and not there, at no cost", (_, frame) => {
    const before = process.memoryUsage()
    for (let i = 0; i < 100; i += 1) expect(reason(frame)).toBe("it is cut off")
    const after = process.memoryUsage()
    expect(after.rss - before.rss).toBeLessThan(50_000_000)
  })

  it("what is too deep, without overflowing the stack", () => {
    expect(msgpack().decode(bytes(`${"91".repeat(63)}90`))).toBeInstanceOf(Array)
    expect(reason(`${"91".repeat(64)}90`)).toBe("it is too deep")
    expect(reason("91".repeat(1_000_000))).toBe("it is too deep")
    expect(reason("8191".repeat(40))).toBe("it is too deep") // in a key as well
    expect(msgpack({ maxDepth: 1 }).decode(bytes("9101"))).toEqual([1])
    expect(reason("919101", { maxDepth: 1 })).toBe("it is too deep")
  })

  it("nothing that only looks like a danger", () => {
    for (const value of [
      { proto: 1, prototype: { a: 1 }, constructor: "Ford" },
      { constructor: { name: "Ford" } },
      ["__proto__", "constructor"],
      { a: "__proto__", b: ["constructor", { prototype: 1 }] },
    ]) {
      expect(msgpack().decode(msgpack().encode(value))).toEqual(value)
    }
  })

  it("random bytes with a CodecError, and nothing else", () => {
    const codec = msgpack()
    const whole = fc.anything({ maxDepth: 3 }).map((value) => {
      try {
        return codec.encode(value) as Uint8Array
      } catch {
        return new Uint8Array([0xc0])
      }
    })
    const cut = fc.tuple(whole, fc.nat(40), fc.uint8Array({ maxLength: 4 })).map(([frame, at, noise]) => {
      const bent = new Uint8Array(frame)
      bent.set(noise.subarray(0, Math.max(0, bent.length - at)), Math.min(at, bent.length))
      return bent
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), cut), (frame) => {
        try {
          codec.decode(frame)
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError)
          expect((error as CodecError).code).toBe("DECODE_FAILED")
        }
      }),
      runs(3_000),
    )
  })

  it("nothing that it has written itself", () => {
    const value = fc.jsonValue({ maxDepth: 8 })
    fc.assert(
      fc.property(value, (it) => {
        fc.pre(!/"(__proto__|constructor)":/.test(JSON.stringify(it)))
        expect(() => msgpack().decode(msgpack().encode(it))).not.toThrow()
      }),
    )
  })
})

describe("T1: msgpack() with options", () => {
  it("lets extensions through that were named", () => {
    const codec = msgpack({ extensions: [0] })
    expect(codec.decode(bytes("92 01 d40000"))).toEqual([1, undefined])
    expect(codec.decode(bytes("d6ff00000001"))).toEqual(new Date(1_000))
    expect(reason("d47200", { extensions: [0] })).toBe("it has the extension 114")
  })

  it("leaves everything to a packer of one's own", () => {
    const structures: object[] = []
    const codec = msgpack({ packer: new Packr({ structures: structures as never }) })
    const frames = [1, 2, 3].map((n) => codec.encode({ name: "a long field name", n }))
    expect(frames.map((it) => codec.decode(it))).toEqual(
      [1, 2, 3].map((n) => ({ name: "a long field name", n })),
    )
    expect(structures.length).toBe(1)
    expect(failure(() => codec.decode(bytes("a2"))).code).toBe("DECODE_FAILED")
  })

  it.each([
    [{ maxDepth: 0 }, "msgpack.maxDepth must be a whole number ≥ 1, received 0"],
    [{ extensions: [1.5] }, "msgpack.extensions must be a list of extension types, received [object Array]"],
    [{ extensions: 5 }, "msgpack.extensions must be a list of extension types, received 5"],
    [{ packer: {} }, "msgpack.packer must be an object with pack, unpack, received [object Object]"],
    [{ packr: {} }, 'msgpack.packr must be one of maxDepth, extensions, packer, received "packr"'],
  ])("refuses what cannot be: %j", (options, message) => {
    expect(() => msgpack(options as never)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message }),
    )
  })
})
