import { randomBytes } from "node:crypto"
import { deflateRawSync, inflateRawSync } from "node:zlib"
import { CodecError, InvalidOptionError, lengthPrefixed, type PacketOptions } from "holdfast"
import { describe, expect, it } from "vitest"
import { fc } from "../../support/properties.js"
import vectors from "../../vectors/length-prefixed.json" with { type: "json" }

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "hex"))

type Options = PacketOptions & { types?: Record<string, number> }

const unexpected = (value: unknown) => expect.unreachable(String(value))

/** Lets a new reader read these frames and then end. */
function read(frames: readonly (string | Uint8Array)[], options: Options = {}) {
  const reader = lengthPrefixed(options as { types: Record<string, number> }).reader?.()
  const events: object[] = []
  const problem = (error: unknown) => (error as CodecError).code
  for (const frame of frames) {
    try {
      reader?.read(
        frame,
        ({ type, flags, payload }) => events.push({ packet: { type, flags, payload: hex(payload) } }),
        (error) => events.push({ error: problem(error) }),
      )
    } catch (error) {
      events.push({ error: problem(error) })
    }
  }
  try {
    reader?.end()
  } catch (error) {
    events.push({ error: problem(error), atEnd: true })
  }
  return events
}

function failure(run: () => unknown): CodecError {
  try {
    run()
  } catch (error) {
    if (error instanceof CodecError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

describe("T3: the vectors of lengthPrefixed()", () => {
  it.each(vectors.cases)("read: $name", ({ frames, events, options }) => {
    expect(read(frames.map(bytes), options as Options)).toEqual(events)
  })

  it.each(vectors.cases.filter((it) => it.isCanonical))("written: $name", ({ frames, events, options }) => {
    const codec = lengthPrefixed(options as { types: Record<string, number> })
    const packets = events.flatMap((it) => ("packet" in it && it.packet ? [it.packet] : []))
    const written = packets.map((it) =>
      codec.encode({ type: it.type as never, flags: it.flags, payload: bytes(it.payload) }),
    )
    expect(written.map((it) => hex(it as Uint8Array))).toEqual(frames)
  })
})

describe("T3: lengthPrefixed()", () => {
  const packet = fc.record({
    type: fc.integer({ min: 0, max: 255 }),
    flags: fc.integer({ min: 0, max: 255 }),
    payload: fc.uint8Array({ maxLength: 300 }),
  })

  it("reads the same packets however the bytes are cut into frames", () => {
    fc.assert(
      fc.property(fc.array(packet), fc.array(fc.nat(400)), (packets, cuts) => {
        const whole = lengthPrefixed().encode(packets) as Uint8Array
        const frames: Uint8Array[] = []
        let from = 0
        for (const cut of cuts) {
          frames.push(whole.subarray(from, from + cut))
          from += cut
        }
        frames.push(whole.subarray(Math.min(from, whole.length)))
        expect(read(frames)).toEqual(
          packets.map((it) => ({ packet: { type: it.type, flags: it.flags, payload: hex(it.payload) } })),
        )
      }),
    )
  })

  it("makes something of any bytes, and never more than there are", () => {
    const options = { types: { a: 0, b: 1, c: 2 }, maxPayloadBytes: 1_000 }
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.boolean(), (frames, isSplit) => {
        const events = read(frames, { ...options, isSplit })
        expect(events.length).toBeLessThanOrEqual(frames.reduce((sum, it) => sum + it.length, 0))
        expect(JSON.stringify(events)).not.toContain('"error":{}')
      }),
    )
  })

  it("hands on a view of the frame, not a copy, where the packet is whole in it", () => {
    const frame = bytes("0100010061" + "0200020062636400")
    const payloads: Uint8Array[] = []
    lengthPrefixed()
      .reader?.()
      .read(frame, (it) => payloads.push(it.payload), unexpected)
    expect(payloads.map((it) => [it.buffer === frame.buffer, it.byteOffset])).toEqual([
      [true, 4],
      [true, 9],
    ])
  })

  it("hands on memory of its own where it is split, and keeps nothing of it", () => {
    const reader = lengthPrefixed().reader?.()
    const frames = [bytes("0100030061"), bytes("626301000300"), bytes("646566")]
    const payloads: Uint8Array[] = []
    for (const frame of frames) reader?.read(frame, (it) => payloads.push(it.payload), unexpected)
    expect(payloads.map(hex)).toEqual(["616263", "646566"])
    for (const frame of frames) frame.fill(0)
    expect(payloads.map(hex)).toEqual(["616263", "646566"])
    expect(payloads[0]?.buffer).not.toBe(payloads[1]?.buffer)
  })

  it("takes memory for what has arrived, not for what is announced", () => {
    const codec = lengthPrefixed({ lengthBytes: 4, maxPayloadBytes: 0xffff_ffff })
    const readers = Array.from({ length: 100 }, () => codec.reader?.())
    const before = process.memoryUsage().arrayBuffers
    for (const reader of readers) reader?.read(bytes("01ffffffff0061"), unexpected, unexpected)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
  })

  it("puts the largest packet together again", () => {
    const payload = randomBytes(65_535)
    const frame = lengthPrefixed().encode({ type: 1, payload }) as Uint8Array
    const frames = Array.from({ length: 66 }, (_, i) => frame.subarray(i * 1_000, (i + 1) * 1_000))
    expect(read(frames)).toEqual([{ packet: { type: 1, flags: 0, payload: hex(payload) } }])
  })

  it("refuses a text frame, and goes on where it was", () => {
    expect(read([bytes("0100"), "text", bytes("010061")])).toEqual([
      { error: "DECODE_FAILED" },
      { packet: { type: 1, flags: 0, payload: "61" } },
    ])
  })

  it("shows the header of what it refuses, never the payload", () => {
    const codec = lengthPrefixed({ types: { hello: 1 } })
    const error = failure(() => codec.decode(bytes("0900030073656372")))
    expect(error).toMatchObject({ code: "PACKET_TYPE_UNKNOWN", preview: "09 00 03 00" })
    expect(error.message).toBe("packet type 9 is unknown")
  })

  it("decodes one frame with one packet, without a connection", () => {
    const codec = lengthPrefixed()
    expect(codec.decode(bytes("01000161ff"))).toMatchObject({ type: 1, flags: 0x61 })
    expect(failure(() => codec.decode(bytes("0100"))).code).toBe("PACKET_TRUNCATED")
    expect(failure(() => codec.decode(bytes(""))).message).toBe("expected one packet, got 0")
    expect(failure(() => codec.decode(bytes("0100000001000000"))).message).toBe("expected one packet, got 2")
    expect(failure(() => codec.decode("text")).code).toBe("DECODE_FAILED")
  })

  it.each([
    [{ type: 256, payload: bytes("") }, "packet has an impossible type: 256"],
    [{ type: -1, payload: bytes("") }, "packet has an impossible type: -1"],
    [{ type: "hello", payload: bytes("") }, "packet has an impossible type: hello"],
    [{ type: 1, payload: bytes(""), flags: 256 }, "packet has an impossible flags: 256"],
    [{ type: 1, payload: "text" }, "packet has an impossible payload: text"],
    [
      { type: 1, payload: new Uint8Array(65_536) },
      "packet has an impossible payload: 65536 bytes, above 65535",
    ],
  ])("refuses to encode what the header cannot say: %s", (packet, message) => {
    const error = failure(() => lengthPrefixed().encode(packet as never))
    expect(error).toMatchObject({ code: "ENCODE_FAILED", message })
    // not even in part
    expect(() => lengthPrefixed().encode([{ type: 1, payload: bytes("61") }, packet as never])).toThrow(
      message,
    )
  })

  it("refuses to encode a name that is none of its types", () => {
    const codec = lengthPrefixed({ types: { hello: 1 } })
    for (const type of ["bye", "toString", 1])
      expect(failure(() => codec.encode({ type: type as never, payload: bytes("") })).code).toBe(
        "ENCODE_FAILED",
      )
  })

  it.each([
    [{ typeBytes: 3 }, "lengthPrefixed.typeBytes must be one of 1, 2, 4, received 3"],
    [{ lengthBytes: 8 }, "lengthPrefixed.lengthBytes must be one of 1, 2, 4, received 8"],
    [
      { maxPayloadBytes: 65_536 },
      "lengthPrefixed.maxPayloadBytes must be at most 65535, what 2 bytes can say, received 65536",
    ],
    [{ isSplit: 1 }, "lengthPrefixed.isSplit must be one of true, false, received 1"],
    [{ types: { a: 256 } }, "lengthPrefixed.types.a must be at most 255, what 1 bytes can say, received 256"],
    [
      { types: { a: 1, b: 1 } },
      "lengthPrefixed.types must be a different number for each name, received [object Object]",
    ],
    [{ types: 5 }, "lengthPrefixed.types must be an object of numbers by name, received 5"],
    [
      { compression: {} },
      "lengthPrefixed.compression must be an object with compress and decompress, received [object Object]",
    ],
    [
      { endian: "little" },
      'lengthPrefixed.endian must be one of typeBytes, lengthBytes, maxPayloadBytes, isSplit, compression, types, received "endian"',
    ],
  ])("refuses options that cannot be: %j", (options, message) => {
    expect(() => lengthPrefixed(options as never)).toThrow(new InvalidOptionError(message))
  })
})

describe("T3: lengthPrefixed() with compression", () => {
  const compression = {
    compress: (payload: Uint8Array) => deflateRawSync(payload),
    decompress: (payload: Uint8Array, maxBytes: number) =>
      inflateRawSync(payload, { maxOutputLength: maxBytes }),
  }
  const codec = lengthPrefixed({ compression })
  const flagsOf = (frame: unknown) => (frame as Uint8Array)[3]

  it("compresses what is large enough and gets smaller, and says so in bit 0", () => {
    const plain = new Uint8Array(2_000).fill(7)
    const frame = codec.encode({ type: 1, flags: 0x80, payload: plain })
    expect(flagsOf(frame)).toBe(0x81)
    expect((frame as Uint8Array).length).toBeLessThan(100)
    expect(codec.decode(frame)).toMatchObject({ type: 1, flags: 0x80 })
    expect(hex(codec.decode(frame).payload)).toBe(hex(plain))
  })

  it("leaves alone what is small, or does not get smaller", () => {
    expect(flagsOf(codec.encode({ type: 1, payload: new Uint8Array(1_023) }))).toBe(0)
    expect(flagsOf(codec.encode({ type: 1, payload: randomBytes(2_000) }))).toBe(0)
    const eager = lengthPrefixed({ compression: { ...compression, thresholdBytes: 0 } })
    expect(flagsOf(eager.encode({ type: 1, payload: new Uint8Array(100) }))).toBe(1)
  })

  it("has bit 0 to itself", () => {
    expect(failure(() => codec.encode({ type: 1, flags: 1, payload: bytes("") })).code).toBe("ENCODE_FAILED")
    expect(lengthPrefixed().decode(bytes("0100010161"))).toMatchObject({ flags: 1 })
  })

  it("reports what cannot be decompressed, and reads on", () => {
    const good = hex(codec.encode({ type: 2, payload: bytes("61") }) as Uint8Array)
    expect(read([bytes(`01000301ffffff${good}`)], { compression })).toEqual([
      { error: "DECODE_FAILED" },
      { packet: { type: 2, flags: 0, payload: "61" } },
    ])
  })

  it("does not inflate a bomb", () => {
    const bomb = deflateRawSync(new Uint8Array(10_000_000))
    const frame = Buffer.concat([bytes("0100000001").subarray(0, 4), bomb])
    frame.writeUInt16BE(bomb.length, 1)
    frame[3] = 1
    expect(read([frame], { compression })).toEqual([{ error: "DECODE_FAILED" }])
    const careless = { ...compression, decompress: (payload: Uint8Array) => inflateRawSync(payload) }
    expect(read([frame], { compression: careless })).toEqual([{ error: "PACKET_TOO_BIG" }])
  })
})
