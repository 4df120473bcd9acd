import { describe, expect, it } from "vitest"
import { decodeEnvelope, encodeEnvelope, isProbe, type Part } from "../../../src/relay/envelope.js"
import { fc, runs } from "../../support/properties.js"

const name = fc.string({ unit: "grapheme", maxLength: 40 })
const bytes = fc.uint8Array({ maxLength: 200 })
const count = fc.nat(Number.MAX_SAFE_INTEGER)
const position = { stream: count, sequence: count }

const anyPart: fc.Arbitrary<Part> = fc.oneof(
  fc.record({
    kind: fc.constant("payload" as const),
    ...position,
    exceptIds: fc.array(name, { maxLength: 5 }),
    exceptChannels: fc.array(name, { maxLength: 5 }),
    payload: fc.oneof(name, bytes),
  }),
  fc.record({ kind: fc.constant("operation" as const), ...position, operation: name, bytes }),
  fc.record({ kind: fc.constant("mark" as const), ...position, ageMs: fc.nat() }),
  fc.constant({ kind: "probe" as const }),
  fc.constant({ kind: "hello" as const }),
)

const RUNS = runs(1_000)

describe("R4: an envelope between nodes", () => {
  it("R4: brings back whatever it was made of", () => {
    const property = fc.property(
      name,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      anyPart,
      (nodeId, sentAt, part) => {
        const written = encodeEnvelope(nodeId, sentAt, part)
        expect(decodeEnvelope(written)).toEqual({ nodeId, sentAt, part })
        expect(isProbe(written)).toBe(part.kind === "probe")
      },
    )
    fc.assert(property, RUNS)
  })

  it("R4: is refused where its moment is no number: it would make everything of that node late", () => {
    for (const moment of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const written = encodeEnvelope("node", moment, { kind: "hello" })
      expect(() => decodeEnvelope(written)).toThrow(RangeError)
    }
  })

  it("R4: stands in memory of its own, whatever is written next, and however long its texts are", () => {
    const make = (length: number) => {
      const text = "ä🦀\ud800x".repeat(length)
      const part = {
        kind: "payload",
        stream: 1,
        sequence: 2 ** 53 - 1,
        exceptIds: [text],
        exceptChannels: [],
      } as const
      return { text, bytes: encodeEnvelope(text, 1.5, { ...part, payload: text }) }
    }
    const written = [0, 1, 8, 9, 10, 11, 200, 1_024, 5_000, 20_000, 3].map(make)
    for (const { text, bytes } of written) {
      const whole = text.replaceAll("\ud800", "\ufffd")
      expect(decodeEnvelope(bytes)).toMatchObject({
        nodeId: whole,
        part: { exceptIds: [whole], payload: whole },
      })
    }
  })

  it("R4: is read, ignored, or refused with a RangeError or TypeError, whatever the bytes", () => {
    const mutated = fc
      .tuple(
        name,
        anyPart,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
        fc.nat(),
      )
      .map(([nodeId, part, changes, length]) => {
        const written = encodeEnvelope(nodeId, 0, part)
        for (const [at, byte] of changes) written[at % written.length] = byte
        return written.subarray(0, length % 3 === 0 ? length % (written.length + 1) : written.length)
      })
    const property = fc.property(fc.oneof(mutated, bytes), (input) => {
      try {
        const envelope = decodeEnvelope(input)
        // what was announced and is not there makes nothing
        if (envelope) expect(JSON.stringify(envelope).length).toBeLessThan(40 * input.length + 400)
      } catch (error) {
        expect(error).toSatisfy((it) => it instanceof RangeError || it instanceof TypeError)
      }
    })
    fc.assert(property, runs(5_000))
  })
})
