import {
  type BatchOptions,
  type BatchSender,
  batch,
  binary,
  type Codec,
  json,
  lengthPrefixed,
  type MessageBatch,
  type Payload,
  text,
} from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it, vi } from "vitest"
import { byteLength } from "../../../src/wire/utf8.js"
import { connectedPair } from "../../support/connected-pair.js"
import { PLACES, place } from "../../support/messages-place.js"
import { fc, runs } from "../../support/properties.js"
import vectors from "../../vectors/batch.json" with { type: "json" }

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const bytes = (hexadecimal: string) => new Uint8Array(Buffer.from(hexadecimal, "hex"))

/** A sender to nowhere, and the frames it sends. */
function sending<Message>(codec: Codec<Message, Message>, options: BatchOptions = {}) {
  const clock = new VirtualClock()
  const batches = batch(codec, { clock, ...options })
  const frames: Payload[] = []
  const sent: (readonly Message[])[] = []
  const send = vi.fn((message: MessageBatch<Message>) => {
    frames.push(batches.encode(message))
    sent.push(message.messages)
    return "sent" as const
  })
  return { clock, batches, frames, sent, sender: batches.sender({ send }) }
}

/** What a new reader makes of frames. */
function read<Message>(codec: Codec<Message, never>, frames: readonly Payload[]) {
  const reader = codec.reader?.()
  const messages: Message[] = []
  const errors: unknown[] = []
  const fail = (error: unknown) => errors.push((error as { code: string }).code)
  for (const frame of frames) {
    try {
      reader?.read(frame, (message) => messages.push(message), fail)
    } catch (error) {
      fail(error)
    }
  }
  reader?.end()
  return { messages, errors }
}

describe("T7: the vectors of batch()", () => {
  it.each(vectors.cases)("$name", ({ text: frame, bytes: hexadecimal, messages, error }) => {
    const isText = frame !== undefined
    const found = isText
      ? read(batch(text()), [frame])
      : read(batch(binary()), [bytes(hexadecimal as string)])
    const shown = found.messages.map((it) => (typeof it === "string" ? it : hex(it)))
    expect([shown, found.errors]).toEqual([messages ?? [], error === undefined ? [] : [error]])
    if (!messages?.length) return
    if (isText) {
      const { sender, frames } = sending(text())
      for (const message of messages) sender.send(message)
      sender.flush()
      expect(frames).toEqual([frame])
    } else {
      const { sender, frames } = sending(binary())
      for (const message of messages) sender.send(bytes(message))
      sender.flush()
      expect(frames.map((it) => hex(it as Uint8Array))).toEqual([hexadecimal])
    }
  })
})

describe("T7: a batch", () => {
  it("is sent when it has waited long enough, counted from its first message", async () => {
    const { clock, frames, sender } = sending(text(), { maxDelayMs: 10 })
    expect(sender.send("a")).toBe("waiting")
    await clock.advance(9)
    sender.send("b")
    expect([sender.size, sender.bytes, frames]).toEqual([2, 3, []])
    await clock.advance(1)
    expect([sender.size, sender.bytes, frames]).toEqual([0, 0, ["a\nb"]])
    await clock.advance(100)
    expect([frames.length, clock.pending]).toEqual([1, 0])
    sender.send("c")
    await clock.advance(10)
    expect(frames).toEqual(["a\nb", "c"])
  })

  it("holds 16 KiB and 100 messages, and waits for 10 ms, unless told otherwise", async () => {
    const { clock, frames, sender } = sending(text())
    expect(sender.send("x".repeat(16_383))).toBe("waiting")
    expect(sender.send("y")).toBe("waiting") // with a line feed between them it would be one byte too many
    expect(frames.map((it) => it.length)).toEqual([16_383])
    await clock.advance(9)
    expect(frames).toHaveLength(1)
    await clock.advance(1)
    expect(frames.splice(0)).toHaveLength(2)
    expect(sender.send("x".repeat(16_384))).toBe("sent")
    const said = Array.from({ length: 100 }, (_, i) => sender.send(String(i)))
    expect(said).toEqual([...Array(99).fill("waiting"), "sent"])
    expect(frames.map((it) => String(it).split("\n").length)).toEqual([1, 100])
  })

  it("is sent when it has as many messages as it may, and says what became of it", async () => {
    const { clock, frames, sender } = sending(text(), { maxMessages: 3 })
    expect(["a", "b", "c", "d"].map((it) => sender.send(it))).toEqual([
      "waiting",
      "waiting",
      "sent",
      "waiting",
    ])
    expect(frames).toEqual(["a\nb\nc"])
    await clock.advance(10)
    expect(frames).toEqual(["a\nb\nc", "d"])
  })

  it("is exactly as large as it may be, and no larger", () => {
    const { frames, sender } = sending(text(), { maxBytes: 10 })
    expect(sender.send("aaaa")).toBe("waiting") // 4
    expect(sender.send("bbbb")).toBe("waiting") // 4 + 1 + 4
    expect(sender.send("c")).toBe("waiting") // 11 would be too many
    expect(frames).toEqual(["aaaa\nbbbb"])
    expect(sender.send("dddddddd")).toBe("sent") // 1 + 1 + 8: exactly full
    expect(frames).toEqual(["aaaa\nbbbb", "c\ndddddddd"])
  })

  it("counts bytes, not characters", () => {
    const { frames, sender } = sending(text(), { maxBytes: 9, separator: "€" })
    for (const message of ["éé", "é", "😀"]) sender.send(message)
    expect(sender.bytes).toBe(4)
    expect(frames).toEqual(["éé€é"])
    expect(byteLength(frames[0] as string)).toBe(9)
  })

  it("counts the lengths of binary messages", () => {
    const { frames, sender } = sending(binary(), { maxBytes: 12 })
    sender.send(bytes("61"))
    sender.send(bytes("62"))
    expect(sender.bytes).toBe(10)
    sender.send(bytes("63"))
    expect(frames.map((it) => it.length)).toEqual([10])
  })

  it("of a message that is too large, or just large enough, is that message alone, in its place", () => {
    const { frames, sender } = sending(text(), { maxBytes: 5 })
    sender.send("a")
    expect(sender.send("too large")).toBe("sent")
    expect(sender.send("exact")).toBe("sent")
    sender.send("b")
    sender.flush()
    expect(frames).toEqual(["a", "too large", "exact", "b"])
  })

  it("is one of text or of bytes", () => {
    const either: Codec<Payload, Payload> = { encode: (it) => it, decode: (it) => it }
    const { frames, sender } = sending(either)
    for (const message of ["a", "b", bytes("61"), "c"]) sender.send(message)
    sender.flush()
    expect(frames).toEqual(["a\nb", bytes("0000000161"), "c"])
  })

  it("is flushed by hand, and there is nothing to flush in an empty one", () => {
    const { clock, frames, sender } = sending(text())
    expect(sender.flush()).toBe(undefined)
    sender.send("a")
    expect(sender.flush()).toBe("sent")
    expect([frames, clock.pending]).toEqual([["a"], 0])
  })

  it("is flushed on close, after which nothing is taken", () => {
    const { clock, frames, sender } = sending(text())
    {
      using scoped = sender
      scoped.send("a")
    }
    expect(sender.send("b")).toBe("closed")
    sender.close()
    expect([frames, sender.size, clock.pending]).toEqual([["a"], 0, 0])
  })

  it("has its messages, for whoever hears that it was not sent", () => {
    const { sender, sent } = sending(json<unknown, unknown>())
    sender.send({ a: 1 })
    sender.send(2)
    sender.flush()
    expect(sent).toEqual([[{ a: 1 }, 2]])
  })

  it("is not changed by whoever reuses their bytes", () => {
    const { frames, sender } = sending(binary())
    const scratch = bytes("6161")
    sender.send(scratch)
    scratch.fill(0)
    sender.flush()
    expect(frames.map((it) => hex(it as Uint8Array))).toEqual(["000000026161"])
  })

  it.each([
    ["a message that cannot be encoded", json<unknown, unknown>(), 1n],
    ["a message with the separator in it", text(), "a\nb"],
  ])("is as it was after %s", (_, codec, message) => {
    const { sender } = sending(codec as Codec<unknown, unknown>)
    sender.send("fine")
    const before = [sender.size, sender.bytes]
    expect(() => sender.send(message)).toThrow(expect.objectContaining({ code: "ENCODE_FAILED" }))
    expect([sender.size, sender.bytes]).toEqual(before)
  })

  it("is read as it was sent, whatever the separator, but for messages that it refuses", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 5 })
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 6 }), letters, (messages, end) => {
        const separator = `${end}a`
        const { frames, sender } = sending(text(), { separator })
        const taken = messages.filter((message) => {
          try {
            return sender.send(message) === "waiting"
          } catch (error) {
            // what can be sent by itself is refused only where it would be cut at the wrong place
            expect(error).toMatchObject({ code: "ENCODE_FAILED" })
            expect(`${message}${separator}`.indexOf(separator)).toBeLessThan(message.length)
            return false
          }
        })
        sender.flush()
        const seen: unknown[] = []
        const reader = batch(text(), { separator }).reader?.()
        for (const frame of frames)
          reader?.read(
            frame,
            (it) => seen.push(it),
            (error) => seen.push(error),
          )
        expect(seen).toEqual(taken)
      }),
      runs(100),
    )
  })

  it("keeps order and limits whatever is sent, however time passes", async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ send: fc.string({ maxLength: 30, unit: "binary" }) }) },
      { weight: 1, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 20 }) }) },
      { weight: 1, arbitrary: fc.constant({ flush: true }) },
    )
    const limits = fc.record({
      maxBytes: fc.integer({ min: 1, max: 60 }),
      maxMessages: fc.integer({ min: 1, max: 6 }),
      maxDelayMs: fc.integer({ min: 0, max: 15 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), limits, async (steps, options) => {
        const { batches, clock, frames, sent, sender } = sending(json<unknown, unknown>(), options)
        const given: string[] = []
        const sentAt = new Map<number, number>()
        for (const it of steps) {
          if ("send" in it) {
            sentAt.set(given.length, clock.now())
            given.push(it.send)
            sender.send(it.send)
          } else if ("wait" in it) await clock.advance(it.wait)
          else sender.flush()
          const waiting = given.length - sent.flat().length
          expect(waiting).toBe(sender.size)
          if (waiting > 0) {
            const since = sentAt.get(given.length - waiting) as number
            expect(clock.now() - since).toBeLessThanOrEqual(options.maxDelayMs)
          }
        }
        sender.close()
        expect(sent.flat()).toEqual(given)
        expect(read(batches, frames)).toEqual({ messages: given, errors: [] })
        frames.forEach((frame, index) => {
          const count = sent[index]?.length ?? 0
          expect(count).toBeLessThanOrEqual(options.maxMessages)
          if (count > 1) expect(byteLength(frame)).toBeLessThanOrEqual(options.maxBytes)
        })
        expect(clock.pending).toBe(0)
      }),
    )
  })
})

describe("T7: a codec of batches", () => {
  it("sends what goes past the sender alone, and reads what comes without batches", () => {
    const codec = batch(json<unknown, unknown>())
    expect(codec.encode({ a: 1 })).toBe('{"a":1}')
    expect(codec.decode('{"a":1}')).toEqual({ a: 1 })
    expect(() => codec.decode("1\n2")).toThrow("expected one message, got 2")
    expect(codec.literalPing).toEqual({ ping: "ping", pong: "pong" })
    expect(batch(text()).literalPing).toBe(undefined)
  })

  it("reports each message that cannot be decoded by itself", () => {
    expect(read(batch(json()), ['1\n{no}\n3\n{"__proto__":1}\n"five"'])).toEqual({
      messages: [1, 3, "five"],
      errors: ["DECODE_FAILED", "DECODE_FAILED"],
    })
  })

  it("refuses a flood of messages in one frame, whole, and reads on", () => {
    const codec = batch(json(), { maxIncoming: 3 })
    expect(read(codec, ["1\n2\n3", "1\n2\n3\n4", "\n".repeat(65_535), "5"])).toEqual({
      messages: [1, 2, 3, 5],
      errors: ["DECODE_FAILED", "DECODE_FAILED"],
    })
    const four = bytes("00000000".repeat(4))
    expect(read(batch(binary(), { maxIncoming: 3 }), [four]).errors).toEqual(["DECODE_FAILED"])
  })

  it("takes what it decodes from the frame without copying", () => {
    const frame = bytes("00000001610000000162")
    const { messages } = read(batch(binary()), [frame])
    expect(messages.map((it) => [it.buffer === frame.buffer, it.byteOffset])).toEqual([
      [true, 4],
      [true, 9],
    ])
  })

  it("may be around a codec that reads with a state of its own", () => {
    const { frames, sender, batches } = sending(lengthPrefixed() as never)
    for (const type of [1, 2]) sender.send({ type, payload: bytes("61") } as never)
    sender.flush()
    expect(read(batches, frames).messages).toMatchObject([{ type: 1 }, { type: 2 }])
  })

  it.each([
    [{ maxBytes: 0 }, "batch.maxBytes must be a whole number ≥ 1, received 0"],
    [{ maxMessages: 0.5 }, "batch.maxMessages must be a whole number ≥ 1, received 0.5"],
    [{ maxDelayMs: -1 }, "batch.maxDelayMs must be a number from 0 to 2147483647, received -1"],
    [{ maxIncoming: 0 }, "batch.maxIncoming must be a whole number ≥ 1, received 0"],
    [{ separator: "" }, 'batch.separator must be a string that is not empty, received ""'],
    [
      { delay: 1 },
      'batch.delay must be one of maxBytes, maxMessages, maxDelayMs, maxIncoming, separator, clock, received "delay"',
    ],
  ])("refuses options that cannot be: %j", (options, message) => {
    expect(() => batch(json(), options as never)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message }),
    )
    expect(() => batch({} as never)).toThrow("batch.codec must be a codec with encode and decode")
  })

  // what it was given was called by a timer, where the error ended the process
  it.each([undefined, null, {}, { send: "x" }])("sends to nothing that cannot be sent to: %j", (target) => {
    expect(() => batch(json()).sender(target as never)).toThrow(
      "batch.sender target must be an object with send",
    )
  })

  it("takes 1,024 messages in a frame, and no more, unless told otherwise", () => {
    const count = (parts: number) => {
      const taken: unknown[] = []
      const reader = batch(json()).reader?.()
      reader?.read(Array(parts).fill("1").join("\n"), (message) => taken.push(message), vi.fn())
      return taken.length
    }
    expect(count(1_024)).toBe(1_024)
    expect(() => count(1_025)).toThrow("frame of more than 1024 messages")
  })

  // text and bytes were joined in one frame, which nobody could read
  it("keeps what a target sends back to it apart from what did not fit", () => {
    const plain: Codec<Payload, Payload> = { encode: (message) => message, decode: (data) => data }
    const codec = batch(plain)
    const frames: Payload[] = []
    const target = {
      send(message: MessageBatch<Payload>) {
        frames.push(codec.encode(message))
        if (frames.length === 1) sender.send("c")
      },
    }
    const sender: BatchSender<Payload, unknown> = codec.sender(target)
    sender.send("a")
    sender.send("b")
    sender.send(Uint8Array.of(1, 2))
    sender.flush()
    expect(frames).toEqual(["a\nb", "c", Uint8Array.of(0, 0, 0, 2, 1, 2)])
  })

  it("takes nothing any more while it flushes its last", () => {
    const results: unknown[] = []
    const target = { send: (): unknown => results.push(sender.send(2)) }
    const sender: BatchSender<unknown, unknown> = batch(json()).sender(target)
    sender.send(1)
    sender.close()
    expect([results, sender.size]).toEqual([["closed"], 0])
  })
})

describe.each(PLACES)("T7: batches over a %s", (kind) => {
  it("go out in one frame, and come in as their messages, each an event", async () => {
    const clock = new VirtualClock()
    const codec = batch(json<unknown, unknown>(), { clock })
    const { target, peer, receiveRaw, toldRaw, errors } = await place(kind, { codec })
    const heard: unknown[] = []
    target.on("message", ({ data }) => heard.push(data))
    await receiveRaw("1\n2", "3", "4\n{no}\n5")
    expect([heard, errors.length]).toEqual([[1, 2, 3, 4, 5], 1])
    const sender = codec.sender(peer)
    sender.send("a")
    sender.send("b")
    await receiveRaw("6")
    expect(toldRaw()).toEqual([])
    expect(sender.flush()).toBe("sent")
    await receiveRaw("7")
    expect(toldRaw()).toEqual(['"a"\n"b"'])
  })
})

describe("T7: a batch that was flushed before the close", () => {
  it("arrives", async () => {
    const codec = batch(json<unknown, unknown>())
    const { connection, received, turn } = connectedPair({ codec })
    const sender = codec.sender(connection)
    sender.send(1)
    sender.send(2)
    sender.close()
    void connection.close()
    await turn()
    expect(received).toEqual(["1\n2"])
    expect(connection.messagesOut).toBe(1)
  })
})
