import {
  batch,
  binary,
  type Codec,
  createHub,
  json,
  lengthPrefixed,
  type MessageBatch,
  type Packet,
  type Payload,
  ReconnectingClient,
  type SendReport,
  text,
} from "holdfast"
import { describe, expectTypeOf, it } from "vitest"

describe("the codecs", () => {
  it("of the library have the types of their messages", () => {
    expectTypeOf(json()).toEqualTypeOf<Codec<unknown, unknown>>()
    expectTypeOf(json<{ a: 1 }, { b: 2 }>()).toEqualTypeOf<Codec<{ a: 1 }, { b: 2 }>>()
    expectTypeOf(text()).toEqualTypeOf<Codec<string, string>>()
    expectTypeOf(binary()).toEqualTypeOf<Codec<Uint8Array, Uint8Array>>()
  })

  it("encode what goes out and decode what comes in", () => {
    const codec = json<{ a: 1 }, { b: 2 }>()
    expectTypeOf(codec.encode({ b: 2 })).toEqualTypeOf<Payload>()
    expectTypeOf(codec.decode("{}")).toEqualTypeOf<{ a: 1 }>()
    // @ts-expect-error that comes in
    codec.encode({ a: 1 })
    // @ts-expect-error a frame is text or bytes
    codec.decode({ a: 1 })
    // @ts-expect-error text() takes strings
    text().encode(1)
    // @ts-expect-error binary() takes bytes
    binary().encode("text")
  })

  it("T2 T10 of JSON take a reviver and a replacer", () => {
    json({ maxDepth: 8, reviver: (key, value) => (key === "at" ? new Date(String(value)) : value) })
    // @ts-expect-error a depth is a number
    json({ maxDepth: "8" })
    // @ts-expect-error a list of keys is no function
    json({ replacer: ["a"] })
    // @ts-expect-error there is no such option
    json({ maxKeys: 8 })
  })

  it("T3 T10 of packets have numbers or names for types", () => {
    const numbers = lengthPrefixed()
    expectTypeOf(numbers.decode(new Uint8Array())).toEqualTypeOf<Packet<number>>()
    const names = lengthPrefixed({ types: { hello: 1, samples: 2 } })
    expectTypeOf(names.decode(new Uint8Array())).toEqualTypeOf<Packet<"hello" | "samples">>()
    const payload = new Uint8Array()
    expectTypeOf(names.encode([{ type: "hello", payload }])).toEqualTypeOf<Payload>()
    createHub({ codec: names }).on("message", ({ data }) => {
      expectTypeOf(data.type).toEqualTypeOf<"hello" | "samples">()
    })
    // @ts-expect-error no such name
    names.encode({ type: "bye", payload })
    // @ts-expect-error names, not numbers
    names.encode({ type: 1, payload })
    // @ts-expect-error numbers, not names
    numbers.encode({ type: "hello", payload })
    // @ts-expect-error a payload is bytes
    numbers.encode({ type: 1, payload: "text" })
    // @ts-expect-error no header is that wide
    lengthPrefixed({ lengthBytes: 3 })
  })

  it("T7 T10 of batches send messages or batches of them", () => {
    const codec = batch(json<{ a: 1 }, { b: 2 }>(), { maxDelayMs: 5 })
    expectTypeOf(codec).toExtend<Codec<{ a: 1 }, { b: 2 } | MessageBatch<{ b: 2 }>>>()
    const client = new ReconnectingClient("ws://x", { codec })
    const sender = codec.sender(client)
    expectTypeOf(sender.send({ b: 2 })).toEqualTypeOf<"sent" | "queued" | "dropped" | "waiting" | "closed">()
    expectTypeOf(codec.sender(createHub({ codec }).to("room")).flush()).toEqualTypeOf<
      SendReport | undefined
    >()
    client.send({ b: 2 })
    // @ts-expect-error that comes in
    sender.send({ a: 1 })
    // @ts-expect-error a client of another codec does not know batches
    codec.sender(new ReconnectingClient<{ a: 1 }, { b: 2 }>("ws://x"))
    // @ts-expect-error there is no such option
    batch(json(), { maxDelay: 5 })
  })

  it("T3 T10 may read a connection with a state of their own", () => {
    const lines: Codec<string, string> = {
      ...text(),
      reader: () => ({ read: (data, take) => take(String(data)), end() {} }),
    }
    expectTypeOf(lines).toExtend<Codec<string, string>>()
    const odd: Codec<string, string> = {
      ...text(),
      // @ts-expect-error what it takes are messages
      reader: () => ({ read: (_data, take) => take(1), end() {} }),
    }
    expectTypeOf(odd).not.toBeAny()
  })

  it("may be anybody's own", () => {
    const numbers: Codec<number, number> = { encode: String, decode: Number }
    expectTypeOf(numbers).toExtend<Codec<number, number>>()
    // @ts-expect-error a codec goes both ways
    const oneWay: Codec<number, number> = { encode: String }
    expectTypeOf(oneWay).not.toBeAny()
    // @ts-expect-error a frame is text or bytes
    const odd: Codec<number, number> = { encode: (n) => n, decode: Number }
    expectTypeOf(odd).not.toBeAny()
  })
})
