import { describe, expect, it } from "vitest"
import { Batch } from "../../../src/wire/batch.js"
import type { Frame } from "../../../src/wire/frame.js"
import { parseFrames } from "../../support/frame-parser.js"
import { frame, payloads } from "../../support/frames.js"
import { fc } from "../../support/properties.js"

const append = (root: Batch, ...frames: Frame[]) => frames.reduce((batch, it) => batch.append(it), root)
const texts = (batch: Batch) => parseFrames(batch.bytes).map((it) => it.payload.toString())

describe("Batch", () => {
  it("is empty where a tree begins", () => {
    const root = Batch.empty()
    expect(root).toMatchObject({ length: 0, byteLength: 0, isAwaited: false })
    expect(root.frames()).toEqual([])
    expect(root.bytes).toHaveLength(0)
  })

  it("keeps frames in the order they were appended", () => {
    const batch = append(Batch.empty(), frame("a"), frame("b"), frame("c"))
    expect(payloads(batch)).toEqual(["a", "b", "c"])
    expect(texts(batch)).toEqual(["a", "b", "c"])
    expect(batch).toMatchObject({ length: 3, byteLength: 9 })
  })

  it("S11 is the same object, with the same bytes, for the same frames in the same order", () => {
    const root = Batch.empty()
    const [a, b] = [frame("a"), frame("b")]
    const [one, other] = [append(root, a, b), append(root, a, b)]
    expect(one).toBe(other)
    expect(one.bytes).toBe(other.bytes)
  })

  it("S11 shares step by step while outboxes are in step", () => {
    const root = Batch.empty()
    const [a, b] = [frame("a"), frame("b")]
    const outboxes = [root, root, root].map((it) => append(it, a))
    expect(new Set(outboxes.map((it) => append(it, b))).size).toBe(1)
  })

  it("is different for different orders", () => {
    const root = Batch.empty()
    const [a, b] = [frame("a"), frame("b")]
    expect(texts(append(root, a, b))).toEqual(["a", "b"])
    expect(texts(append(root, b, a))).toEqual(["b", "a"])
  })

  it("is not changed by what is appended to it", () => {
    const [a, b, c] = [frame("a"), frame("b"), frame("c")]
    const first = append(Batch.empty(), a)
    const { bytes } = first
    append(first, b)
    append(first, c)
    expect(first.bytes).toBe(bytes)
    expect(payloads(first)).toEqual(["a"])
  })

  it("tells frames apart by identity, not by what they say", () => {
    const root = Batch.empty()
    expect(append(root, frame("a"))).not.toBe(append(root, frame("a")))
  })

  it("with one frame has that frame's bytes, not a copy", () => {
    const a = frame("a")
    expect(append(Batch.empty(), a).bytes).toBe(a.bytes)
  })

  it("knows whether somebody waits for one of its frames", () => {
    const awaited = frame("b", { settled: () => {} })
    const batch = append(Batch.empty(), frame("a"), awaited)
    expect(batch.isAwaited).toBe(true)
    expect(append(batch, frame("c")).isAwaited).toBe(true)
    expect(append(Batch.empty(), frame("a")).isAwaited).toBe(false)
  })

  it("holds exactly what was appended, on any number of interleaved branches", () => {
    const frames = Array.from({ length: 5 }, (_, i) => frame(`frame ${i}`))
    const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(4)), { maxLength: 40 })
    fc.assert(
      fc.property(steps, (appends) => {
        const root = Batch.empty()
        const batches = [root, root, root, root]
        const expected: Frame[][] = [[], [], [], []]
        for (const [branch, index] of appends) {
          const next = frames[index] as Frame
          batches[branch] = append(batches[branch] as Batch, next)
          expected[branch]?.push(next)
        }
        for (const [i, batch] of batches.entries()) {
          expect(batch.frames()).toEqual(expected[i])
          expect(batch.byteLength).toBe(batch.bytes.byteLength)
          expect(texts(batch)).toEqual(payloads(expected[i] ?? []))
        }
      }),
    )
  })
})
