import { randomBytes } from "node:crypto"
import { describe, expect, it, vi } from "vitest"
import { type CompressionOptions, resolveCompression, type Zlib } from "../../../src/wire/compression.js"
import { Deflater } from "../../../src/wire/deflater.js"
import { Frame } from "../../../src/wire/frame.js"
import { until } from "../../support/deadline.js"
import { parseDeflated } from "../../support/frame-parser.js"
import { fc } from "../../support/properties.js"

function setUp(options: CompressionOptions = {}) {
  const counters = { framesEncoded: 0, framesDeflated: 0 }
  const settings = resolveCompression("compression", options)
  if (!settings) throw new Error("it is on")
  const windowBits = settings.maxWindowBits
  return {
    counters,
    deflater: new Deflater(settings),
    frame: (payload: string | Uint8Array) => new Frame(payload, counters),
    parse: (frame: Frame) => parseDeflated({ windowBits }, frame.bytes)[0],
  }
}

/** What looks like a message and repeats itself. */
const prose = (length: number) =>
  "to be or not to be, that is the question. ".repeat(length / 20).slice(0, length)

describe("Deflater", () => {
  it("S13 compresses a message once, into a frame that an independent parser inflates", () => {
    const { counters, deflater, frame, parse } = setUp()
    const it = frame(prose(2_000))
    const variant = deflater.variantOf(it)
    expect(deflater.variantOf(it)).toBe(variant)
    expect(parse(variant)).toMatchObject({ type: "text", payload: Buffer.from(prose(2_000)) })
    expect(variant.bytes.length).toBeLessThan(200)
    expect(variant.byteLength).toBe(variant.bytes.length)
    expect(counters).toEqual({ framesEncoded: 1, framesDeflated: 1 })
  })

  it("S13 leaves a message alone that is below the threshold, counted in bytes", () => {
    const { counters, deflater, frame } = setUp()
    for (const payload of [prose(1_023), new Uint8Array(1_023), ""]) {
      const it = frame(payload)
      expect(deflater.variantOf(it)).toBe(it)
    }
    expect(counters.framesDeflated).toBe(0)
    for (const payload of [prose(1_024), new Uint8Array(1_024), "€".repeat(342)]) {
      const it = frame(payload)
      expect(deflater.variantOf(it)).not.toBe(it)
    }
    expect(counters.framesDeflated).toBe(3)
  })

  it("takes the frame itself where compressing gains nothing, and does not try again", () => {
    const { counters, deflater, frame } = setUp()
    const it = frame(randomBytes(2_000))
    expect(deflater.variantOf(it)).toBe(it)
    expect(deflater.variantOf(it)).toBe(it)
    expect(counters.framesDeflated).toBe(1)
  })

  it("keeps the key, and whoever waits for the message", () => {
    const { counters, deflater } = setUp()
    const settled = vi.fn()
    const variant = deflater.variantOf(new Frame(prose(2_000), counters, { key: "k", settled }))
    expect([variant.key, variant.isAwaited]).toEqual(["k", true])
    variant.settle()
    expect(settled).toHaveBeenCalledOnce()
  })

  it("stays within its window", () => {
    // the second half repeats the first, too far back for a window of 512 bytes
    const far = randomBytes(1_000).toString("hex").repeat(2)
    const [wide, narrow] = [setUp(), setUp({ maxWindowBits: 9 })]
    const [long, short] = [wide, narrow].map((it) => it.deflater.variantOf(it.frame(far)))
    expect(narrow.parse(short as Frame)?.payload.toString()).toBe(far)
    expect(() => narrow.parse(long as Frame)).toThrow(/too far back/)
    expect(wide.parse(long as Frame)?.payload.toString()).toBe(far)
  })

  it("makes smaller frames of a higher level", () => {
    const text = Array.from({ length: 3_000 }, (_, i) => (i * i).toString(36)).join(" ")
    const [fast, small] = [1, 9].map((level) => {
      const { deflater, frame } = setUp({ level, offloadBytes: 1_000_000 })
      return deflater.variantOf(frame(text)).bytes.length
    })
    expect(small).toBeLessThan(fast as number)
  })

  it("S13 is read back whatever the payload is", () => {
    const { deflater, frame, parse } = setUp({ thresholdBytes: 1 })
    const payload = fc.oneof(
      fc.string({ unit: "binary", maxLength: 2_000 }),
      fc.uint8Array({ maxLength: 2_000 }),
      fc
        .array(fc.constantFrom("abc", "abd", "€", "😀", "\ud83d"), { maxLength: 500 })
        .map((it) => it.join("")),
    )
    fc.assert(
      fc.property(payload, (it) => {
        const parsed = parse(deflater.variantOf(frame(it)))
        expect(parsed).toMatchObject({
          type: typeof it === "string" ? "text" : "binary",
          payload: Buffer.from(it as string),
        })
      }),
    )
  }, 20_000)
})

describe("S13 Deflater above offloadBytes", () => {
  it("compresses in another thread, and counts for the whole message all the time", async () => {
    const { counters, deflater, frame, parse } = setUp()
    const variant = deflater.variantOf(frame(prose(20_000)))
    expect([variant.isReady, counters.framesDeflated]).toEqual([false, 0])
    expect(variant.byteLength).toBe(20_004)
    const ready = vi.fn()
    variant.whenReady({ ready })
    await until(() => variant.isReady, "the thread")
    expect(ready).toHaveBeenCalledOnce()
    expect(variant.byteLength).toBe(20_004)
    expect(variant.written.byteLength).toBeLessThan(500)
    expect(parse(variant)).toMatchObject({ type: "text", payload: Buffer.from(prose(20_000)) })
    expect(counters).toEqual({ framesEncoded: 1, framesDeflated: 1 })
  })

  it("is exactly so from one byte above it", () => {
    const { deflater, frame } = setUp()
    expect(deflater.variantOf(frame(prose(16_384))).isReady).toBe(true)
    expect(deflater.variantOf(frame(prose(16_385))).isReady).toBe(false)
  })

  it("offers the message as it is to whoever cannot wait", async () => {
    const { deflater, frame } = setUp()
    const plain = frame(prose(20_000))
    const variant = deflater.variantOf(plain)
    expect(variant.written).toBe(plain)
    expect(variant.bytes).toBe(plain.bytes)
    await until(() => variant.isReady, "the thread")
    expect(variant.written).not.toBe(plain)
  })

  it("is not touched by what the sender does to its bytes", async () => {
    const { deflater, frame, parse } = setUp()
    const bytes = Buffer.from(prose(20_000))
    const variant = deflater.variantOf(frame(bytes))
    bytes.fill(0)
    expect(parse(variant)?.payload.toString()).toBe(prose(20_000))
    await until(() => variant.isReady, "the thread")
    expect(parse(variant)?.payload.toString()).toBe(prose(20_000))
  })

  it("settles on the message as it is where compressing gains nothing", async () => {
    const { deflater, frame } = setUp()
    const plain = frame(randomBytes(20_000))
    const variant = deflater.variantOf(plain)
    await until(() => variant.isReady, "the thread")
    expect(variant.written).toBe(plain)
  })

  it("settles on the message as it is where zlib fails", async () => {
    const zlib = process.getBuiltinModule("node:zlib") as unknown as Zlib
    vi.spyOn(zlib, "deflateRaw").mockImplementation((_bytes, _options, done) => {
      queueMicrotask(() => done(new Error("out of memory"), new Uint8Array()))
    })
    const { deflater, frame } = setUp()
    const plain = frame(prose(20_000))
    const variant = deflater.variantOf(plain)
    await until(() => variant.isReady, "the failure")
    expect(variant.written).toBe(plain)
  })

  it("works at two messages at a time, keeps 64 waiting, and leaves the rest as they are", async () => {
    const zlib = process.getBuiltinModule("node:zlib") as unknown as Zlib
    const original = zlib.deflateRaw
    let [running, most] = [0, 0]
    vi.spyOn(zlib, "deflateRaw").mockImplementation((bytes, options, done) => {
      running += 1
      most = Math.max(most, running)
      original(bytes, options, (...result) => {
        running -= 1
        done(...result)
      })
    })
    const { counters, deflater, frame } = setUp()
    const variants = Array.from({ length: 100 }, (_, i) => deflater.variantOf(frame(`${i} ${prose(20_000)}`)))
    expect(variants.map((it) => it.isReady)).toEqual(variants.map((_, i) => i >= 66))
    await until(() => variants.every((it) => it.isReady), "the threads")
    expect(most).toBe(2)
    expect(counters.framesDeflated).toBe(66)
    expect(variants.slice(66).every((it) => it === it.written)).toBe(true)
    expect(deflater.variantOf(frame(prose(20_000))).isReady).toBe(false)
  })
})
