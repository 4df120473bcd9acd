import { createServer } from "node:http"
import { setImmediate as turn } from "node:timers/promises"
import {
  binary as bytesCodec,
  type Codec,
  CodecError,
  createHub,
  json,
  lengthPrefixed,
  type Payload,
  text as textCodec,
} from "holdfast"
import { attach } from "holdfast/server"
import { describe, expect, it } from "vitest"
import { WebSocketServer } from "ws"
import { startEcho, watchFamily } from "../../support/bad-input.js"
import {
  binary,
  close,
  deflated,
  fragments,
  frame,
  more,
  ping,
  pong,
  Reserved,
  text,
} from "../../support/client-frames.js"
import { until } from "../../support/deadline.js"
import { parseFrames } from "../../support/frame-parser.js"
import { MemoryStream, upgradeInMemory } from "../../support/memory-upgrade.js"
import { Chance } from "../../support/mutations.js"
import { fc, runs } from "../../support/properties.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"

/** 100,000 inputs in all. */
const CONVERSATIONS = 12_000
const GENERATED = 2_000
const PAYLOADS = 84_000
const OVER_TCP = 2_000

const rsv1 = { reserved: Reserved.RSV1 }
const packet = Buffer.from([0, 0, 0, 5, 1, 104, 101, 108, 108, 111])

/** What good clients say. */
const GOOD: readonly Buffer[] = [
  text("hello"),
  text('{"type":"say","text":"hi","to":["a",1,null,true]}'),
  text("ping"),
  text("€uro 😀".repeat(20)),
  text("x".repeat(300)),
  binary(packet),
  binary(Buffer.concat([packet, packet])),
  fragments(5, 10),
  Buffer.concat([text("a", { fin: false }), ping("x"), more("b")]),
  Buffer.concat([ping("hi"), pong("hi"), text("a"), close(1000, "bye")]),
  text(deflated("hello hello hello"), rsv1),
  Buffer.concat([
    text(deflated("a".repeat(500)).subarray(0, 4), { fin: false, ...rsv1 }),
    more(deflated("a".repeat(500)).subarray(4)),
  ]),
  close(4000, "done"),
]

const asIs: Codec<Payload, Payload> = { encode: (message) => message, decode: (data) => data }
const CODECS: readonly Codec<never, never>[] = [
  json(),
  textCodec(),
  bytesCodec(),
  lengthPrefixed(),
  asIs,
] as never

/** A server in memory for each codec; it echoes what it can. */
function startInMemory() {
  const hubs = CODECS.map((codec) => {
    const hub = createHub<never, never>({ codec, compression: "shared", heartbeat: false, logger: false })
    const server = createServer()
    hub.on("message", ({ connection, data }) => void connection.send(data))
    attach(server, hub, { logger: false })
    return { hub, server }
  })
  return { hubs, size: () => hubs.reduce((sum, { hub }) => sum + hub.size, 0) }
}

describe("R4: bytes gone wrong", () => {
  watchFamily(100)

  // found by the conversations below: ws read on behind a breach, and threw where nobody could catch it
  describe.each([
    ["a close code that may not be sent", Buffer.from([0x88, 0x82, 1, 1, 1, 1, 1, 2])],
    ["a reason that is no UTF-8", close(1000, [0xff])],
    ["too many fragments", fragments(129, 0)],
  ])("R4: %s is a breach like any other", (_what, breach) => {
    /** All but its end comes behind a message that the reader waits for, its end and more before that has been handled. */
    const receive = async (stream: MemoryStream, message: Buffer) => {
      await turn()
      stream.receive(Buffer.concat([message, breach.subarray(0, -1)]))
      stream.receive(breach.subarray(-1))
      for (let count = 0; count < 3; count += 1) stream.receive(Buffer.alloc(50, "more"))
      await until(() => stream.writableFinished || stream.written.length > 1, "the close frame")
      stream.receiveEnd()
    }

    it("when it ends while a message is being inflated", async () => {
      const { hubs, size } = startInMemory()
      for (const { server } of hubs) {
        const stream = new MemoryStream()
        upgradeInMemory(server, stream, { "sec-websocket-extensions": "permessage-deflate" })
        await receive(stream, text(deflated("hello"), rsv1))
      }
      await until(() => size() === 0, "everybody to be gone")
    })

    it("when it ends while a message waits for its turn, beside a ws server that lets them wait", async () => {
      const wss = new WebSocketServer({ noServer: true, allowSynchronousEvents: false, maxFragments: 128 })
      const hub = createHub<Payload, Payload>({ codec: asIs, heartbeat: false, logger: false })
      const server = createServer().on("upgrade", (request, socket, head) =>
        wss.handleUpgrade(request, socket, head, (webSocket) => hub.add(webSocket, { request })),
      )
      const stream = new MemoryStream()
      upgradeInMemory(server, stream)
      await receive(stream, text("hello"))
      await until(() => hub.size === 0, "everybody to be gone")
    })
  })

  it(`R4: ${CONVERSATIONS} conversations in memory: every one ends, and nothing is left`, async () => {
    const { hubs, size } = startInMemory()
    const chance = new Chance(4)
    const deflate = { "sec-websocket-extensions": "permessage-deflate" }
    for (let index = 0; index < CONVERSATIONS; index += 1) {
      const stream = new MemoryStream({ isForgetful: true })
      upgradeInMemory(chance.pick(hubs).server, stream, chance.oneIn(10) ? deflate : {})
      const good = Buffer.concat([chance.pick(GOOD), chance.pick(GOOD)])
      const bytes = chance.oneIn(5) ? chance.noise(200) : chance.mutated(good)
      for (const piece of chance.pieces(bytes)) stream.receive(piece)
      stream.receiveEnd()
      if (index % 100 === 99) await turn()
    }
    await until(() => size() === 0, "everybody to be gone", 5_000)
  }, 120_000)

  it(`R4: ${GENERATED} conversations of any frames: whatever comes, the server sends nothing but good frames`, async () => {
    const { hubs, size } = startInMemory()
    const server = hubs.at(-1)?.server
    if (!server) throw new Error("no server")
    const anyFrame = fc
      .record({
        opcode: fc.oneof(fc.constantFrom(0, 1, 2, 8, 9, 10), fc.nat(15)),
        payload: fc.oneof(fc.string({ maxLength: 140, unit: "binary" }), fc.uint8Array({ maxLength: 140 })),
        fin: fc.boolean(),
        reserved: fc.constantFrom(0, 0, 0, Reserved.RSV1, Reserved.RSV2, Reserved.RSV3),
        isMasked: fc.integer({ min: 0, max: 9 }).map((it) => it > 0),
      })
      .map(({ opcode, payload, isMasked, ...parts }) =>
        frame(opcode, payload, isMasked ? parts : { ...parts, mask: false }),
      )
    const check = async (frames: readonly Buffer[], cut: number) => {
      const stream = new MemoryStream()
      upgradeInMemory(server, stream)
      await null
      const bytes = Buffer.concat(frames)
      stream.receive(bytes.subarray(0, cut))
      await turn()
      stream.receive(bytes.subarray(cut))
      stream.receiveEnd()
      await turn()
      const written = Buffer.concat(stream.written)
      const said = parseFrames(written.subarray(written.indexOf("\r\n\r\n") + 4)).map(({ type }) => type)
      expect(said.indexOf("close")).toBe(said.includes("close") ? said.length - 1 : -1)
    }
    const anyFrames = fc.array(anyFrame, { minLength: 1, maxLength: 8 })
    await fc.assert(fc.asyncProperty(anyFrames, fc.nat(300), check), runs(GENERATED))
    await until(() => size() === 0, "everybody to be gone")
  }, 120_000)

  it(`R4: ${PAYLOADS} payloads straight into the codecs: a message, or a CodecError`, () => {
    const chance = new Chance(5)
    const payloads = [...GOOD, packet, Buffer.from('{"a":[1,{"b":"c"}]}'), Buffer.from("[".repeat(100))]
    const readers = CODECS.map((codec) => codec.reader?.())
    let decoded = 0
    for (let index = 0; index < PAYLOADS; index += 1) {
      const bytes = chance.mutated(chance.pick(payloads))
      const which = chance.below(CODECS.length)
      const reader = readers[which]
      const data = chance.oneIn(2) ? bytes : bytes.toString()
      try {
        if (reader && chance.oneIn(2))
          reader.read(
            data,
            () => {},
            () => {},
          )
        else CODECS[which]?.decode(data)
        decoded += 1
      } catch (error) {
        if (!(error instanceof CodecError)) throw error
      }
    }
    expect(decoded).toBeGreaterThan(PAYLOADS / 10)
  }, 120_000)

  it(`R4: ${OVER_TCP} clients over TCP, half of them wrong from the first line on`, async () => {
    const server = await startEcho({}, { compression: "shared" })
    const chance = new Chance(6)
    const good = Buffer.from(
      upgradeRequest({
        headers: { Origin: "http://127.0.0.1", "Sec-WebSocket-Extensions": "permessage-deflate" },
      }),
    )
    let left = OVER_TCP
    const walk = async () => {
      while (left > 0) {
        left -= 1
        const raw = await RawClient.open(server)
        if (chance.oneIn(2)) raw.socket.write(chance.mutated(good))
        else
          for (const piece of [good, ...chance.pieces(chance.mutated(chance.pick(GOOD)))])
            raw.socket.write(piece)
        for (let turns = chance.below(4); turns > 0; turns -= 1) await turn()
        if (chance.oneIn(3)) raw.socket.resetAndDestroy()
        else raw.socket.end()
        await raw.ended(5_000)
      }
    }
    await Promise.all(Array.from({ length: 30 }, walk))
    await server.empty()
    const { raw } = { raw: await RawClient.open(server) }
    raw.socket.write(good)
    expect(await raw.status()).toBe(101)
  }, 120_000)
})
