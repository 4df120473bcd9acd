import { describe, expect, it, vi } from "vitest"
import { Frame } from "../../../src/wire/frame.js"
import { parseFrames } from "../../support/frame-parser.js"
import { frame } from "../../support/frames.js"
import { fc } from "../../support/properties.js"

const LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]

describe("Frame", () => {
  it.each(LENGTHS)("is read back by an independent parser with %i bytes of text", (length) => {
    const text = "x".repeat(length)
    expect(parseFrames(frame(text).bytes)).toEqual([{ type: "text", payload: Buffer.from(text) }])
  })

  it.each(LENGTHS)("is read back by an independent parser with %i bytes", (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => i)
    expect(parseFrames(frame(bytes).bytes)).toEqual([{ type: "binary", payload: Buffer.from(bytes) }])
  })

  it("counts text in bytes of UTF-8, not in characters", () => {
    const text = "€".repeat(42) // 126 bytes
    expect(parseFrames(frame(text).bytes)).toEqual([{ type: "text", payload: Buffer.from(text) }])
  })

  it("makes valid UTF-8 of a lone surrogate", () => {
    expect(parseFrames(frame("a\ud83d").bytes)[0]?.payload.toString()).toBe("a\ufffd")
  })

  it("is read back whatever the payload is, and has the length that was foretold", () => {
    const payload = fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array({ maxLength: 300 }))
    fc.assert(
      fc.property(payload, (it) => {
        const { bytes } = frame(it)
        const [parsed] = parseFrames(bytes)
        expect(parsed).toEqual({
          type: typeof it === "string" ? "text" : "binary",
          payload: Buffer.from(it as string),
        })
        expect(frame(it).byteLength).toBe(bytes.byteLength)
      }),
    )
  })

  it.each(LENGTHS)("has the length that was foretold, with %i bytes", (length) => {
    expect(frame(Buffer.alloc(length)).byteLength).toBe(frame(Buffer.alloc(length)).bytes.byteLength)
  })

  it("S25 tells the length of text without encoding it", () => {
    const counters = { framesEncoded: 0, framesDeflated: 0 }
    expect(new Frame("€".repeat(100), counters).byteLength).toBe(304)
    expect(counters.framesEncoded).toBe(0)
  })

  it.each([
    ["its length", (it: Frame) => it.byteLength],
    ["its length and its bytes", (it: Frame) => [it.byteLength, it.bytes]],
    ["its bytes and its payload", (it: Frame) => [it.bytes, it.payload]],
  ])("is one copy of the sender's bytes, once somebody has asked for %s", (_, ask) => {
    const bytes = new Uint8Array([1, 2, 3])
    const it = frame(bytes)
    ask(it)
    bytes.fill(9)
    expect([...(it.payload as Uint8Array)]).toEqual([1, 2, 3])
    expect([...(parseFrames(it.bytes)[0]?.payload ?? [])]).toEqual([1, 2, 3])
    expect((it.payload as Uint8Array).buffer).toBe(it.bytes.buffer)
  })

  it("S10 is encoded at most once, and counts it", () => {
    const counters = { framesEncoded: 0, framesDeflated: 0 }
    const it = new Frame("hello", counters)
    expect(counters.framesEncoded).toBe(0)
    expect(it.bytes).toBe(it.bytes)
    expect(it.payload).toBe("hello")
    expect(counters.framesEncoded).toBe(1)
  })

  it.each([
    ["a Uint8Array", new Uint8Array([1, 2, 3])],
    ["a Buffer", Buffer.from([1, 2, 3])],
    ["a part of a larger memory", new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4)],
  ])("does not change with the sender's bytes, once they were asked for: %s", (_, bytes) => {
    const payloadFirst = frame(bytes)
    const bytesFirst = frame(bytes)
    expect([payloadFirst.payload, bytesFirst.bytes]).toBeDefined()
    bytes.fill(9)
    expect([...(payloadFirst.payload as Uint8Array)]).toEqual([1, 2, 3])
    expect([...(parseFrames(bytesFirst.bytes)[0]?.payload ?? [])]).toEqual([1, 2, 3])
  })

  it("tells whoever waits how it ended", () => {
    const settled = vi.fn()
    const awaited = frame("x", { settled })
    expect(awaited.isAwaited).toBe(true)
    const error = new Error("lost")
    awaited.settle(error)
    expect(settled).toHaveBeenCalledExactlyOnceWith(error)
  })

  it("needs nobody to wait, and no key", () => {
    const plain = frame("x")
    expect(plain.isAwaited).toBe(false)
    expect(plain.key).toBe(undefined)
    expect(() => plain.settle()).not.toThrow()
    expect(frame("x", { key: "k" }).key).toBe("k")
  })
})
