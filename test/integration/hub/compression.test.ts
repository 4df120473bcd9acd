import { randomBytes } from "node:crypto"
import type { Transform } from "node:stream"
import { constants, deflateRawSync } from "node:zlib"
import { type CompressionOptions, type Payload, text } from "holdfast"
import { describe, expect, it, vi } from "vitest"
import { inTime, until } from "../../support/deadline.js"
import { FrameParser, type ParsedFrame } from "../../support/frame-parser.js"
import { startHub } from "../../support/hub-server.js"
import { fc, runs } from "../../support/properties.js"
import { startAttached } from "../../support/server-attached.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { connect, type TestClient } from "../../support/ws-server.js"

const PROSE = "all work and no play makes a dull boy. "
const LONG = PROSE.repeat(50)
const LARGE = PROSE.repeat(2_000)
const MIXED = [LONG, "short", LARGE, "short too", LONG, randomBytes(3_000).toString("latin1"), LARGE, ""]

const attached = (compression: "shared" | CompressionOptions = "shared") =>
  startAttached({ maxPayloadBytes: 65_536 }, { hub: { compression, maxBufferedBytes: 16_000_000 } })

async function read(client: TestClient, count: number): Promise<string[]> {
  return (await client.take(count)) as string[]
}

describe("S13 T8: a hub that compresses, attached to a server", () => {
  it("agrees on permessage-deflate without context takeover, on both sides", async () => {
    const server = await attached()
    const raw = await RawClient.open(server)
    raw.socket.write(
      upgradeRequest({
        headers: { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" },
      }),
    )
    await raw.until(() => raw.received.includes("\r\n\r\n"), "the answer")
    const [, agreed] = /sec-websocket-extensions: (.*)\r\n/i.exec(raw.received) ?? []
    expect(agreed?.split(/;\s*/).sort()).toEqual([
      "client_no_context_takeover",
      "permessage-deflate",
      "server_no_context_takeover",
    ])
  })

  it("is understood by the ws client, and compresses once for all of them", async () => {
    const server = await attached()
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(server.url)))
    const plain = await connect(server.url, { perMessageDeflate: false })
    await until(() => server.hub.size === 21, "all connections")
    expect([clients[0]?.socket.extensions, plain.socket.extensions]).toEqual(["permessage-deflate", ""])
    for (const message of MIXED) server.hub.broadcast(message)
    for (const client of [...clients, plain]) expect(await read(client, MIXED.length)).toEqual(MIXED)
    expect(server.hub.framesDeflated).toBe(5)
    const bytes = [...server.hub.connections.values()].map((it) => it.bytesOut).sort((a, b) => a - b)
    expect(bytes[19]).toBeLessThan(10_000)
    expect(bytes[20]).toBeGreaterThan(LARGE.length * 2)
  })

  it("reads what clients compress, and answers it", async () => {
    const server = await attached()
    server.hub.on("message", ({ connection, data }) => connection.send(data))
    const client = await connect(server.url, { perMessageDeflate: { threshold: 0 } })
    for (const message of [LONG, "short", LONG]) client.send(message)
    expect(await read(client, 3)).toEqual([LONG, "short", LONG])
  })

  it("keeps no context of a connection to compress with, and none to inflate with once it is silent", async () => {
    const zlib = process.getBuiltinModule("node:zlib")
    const [deflating, inflating] = [vi.spyOn(zlib, "createDeflateRaw"), vi.spyOn(zlib, "createInflateRaw")]
    const server = await startAttached(
      { maxPayloadBytes: 65_536 },
      { hub: { compression: "shared", heartbeat: { intervalMs: 100 } } },
    )
    server.hub.on("message", ({ connection, data }) => connection.send(String(data.length)))
    const clients = await Promise.all(Array.from({ length: 10 }, () => connect(server.url)))
    for (let round = 1; round <= 2; round += 1) {
      for (const client of clients) {
        writeCompressed(client, deflated(LONG), false)
        writeCompressed(client, deflated("x".repeat(65_536)), true)
      }
      for (const client of clients) expect(await read(client, 2)).toEqual([String(LONG.length), "65536"])
      const contexts = inflating.mock.results.map(({ value }) => value as Transform)
      expect(contexts.length).toBeGreaterThanOrEqual(10 * round)
      await until(() => contexts.every((it) => it.destroyed), "the contexts to be closed")
    }
    expect(deflating).not.toHaveBeenCalled()
  })

  it("reads what clients compress, whole and in fragments, whenever it pings them", async () => {
    const server = await attached()
    const client = await connect(server.url)
    const connection = await server.added.next()
    const received: string[] = []
    connection.on("message", ({ data }) => received.push(data))
    const sent = Array.from({ length: 200 }, (_, i) => `${i} ${LONG}`)
    for (const [i, message] of sent.entries()) {
      for (const frame of compressedFrames(deflated(message), i % 2 === 0)) {
        streamUnder(client).write(frame)
        for (let turns = (i % 7) * 4; turns > 0; turns -= 1) {
          await new Promise((resolve) => setImmediate(resolve))
          connection.ping()
        }
      }
    }
    await until(() => received.length >= sent.length, "all messages")
    expect(received).toEqual(sent)
  })

  it("agrees on the window it was given, and stays within it", async () => {
    const server = await attached({ maxWindowBits: 9 })
    const client = await connect(server.url)
    const far = randomBytes(1_000).toString("hex").repeat(3)
    for (const message of [far, LONG]) server.hub.broadcast(message)
    expect(await read(client, 2)).toEqual([far, LONG])
    expect(server.hub.framesDeflated).toBe(2)
  })

  it("sends uncompressed messages to a client that wants a smaller window", async () => {
    const server = await attached()
    const client = await connect(server.url, { perMessageDeflate: { serverMaxWindowBits: 10 } })
    server.hub.broadcast(LONG)
    expect(await client.next()).toBe(LONG)
    expect(server.hub.framesDeflated).toBe(0)
  })

  it("agrees on nothing where it does not compress", async () => {
    const server = await startAttached()
    expect((await connect(server.url)).socket.extensions).toBe("")
  })

  it.each([false, true])(
    "S45: cuts a zip bomb at maxPayloadBytes, with 1009 (in fragments: %s)",
    async (isCut) => {
      const server = await attached()
      const client = await connect(server.url)
      const connection = await server.added.next()
      const bomb = deflateRawSync(Buffer.alloc(50_000_000), { finishFlush: constants.Z_SYNC_FLUSH })
      expect(bomb.length).toBeLessThan(65_000)
      const before = process.memoryUsage.rss()
      writeCompressed(client, bomb.subarray(0, -4), isCut)
      expect((await client.closed()).code).toBe(1009)
      expect(await connection.closed).toMatchObject({ code: 1006, cause: "peer" })
      expect([connection.messagesIn, connection.bytesIn]).toEqual([0, 0])
      expect(process.memoryUsage.rss() - before).toBeLessThan(40_000_000)
    },
  )

  it("takes a compressed message of exactly maxPayloadBytes, and none above it", async () => {
    const server = await attached()
    const client = await connect(server.url, { perMessageDeflate: { threshold: 0 } })
    const connection = await server.added.next()
    connection.on("message", ({ data }) => connection.send(String(data.length)))
    client.send("x".repeat(65_536))
    expect(await client.next()).toBe("65536")
    client.send("x".repeat(65_537))
    expect((await client.closed()).code).toBe(1009)
  })
})

describe("S13: a hub that compresses, beside a ws server that agreed on permessage-deflate itself", () => {
  it.each([
    ["with context takeover", {}],
    ["without", { serverNoContextTakeover: true, clientNoContextTakeover: true }],
  ])("is understood by the ws client: %s", async (_, perMessageDeflate) => {
    await using server = await startHub({ codec: text(), compression: "shared" }, { perMessageDeflate })
    server.hub.on("message", ({ connection, data }) => connection.send(data))
    const { client, connection } = await server.connect({ perMessageDeflate: { threshold: 0 } })
    for (const message of [...MIXED, ...MIXED]) {
      server.hub.broadcast(message)
      await connection.drained()
    }
    expect(await read(client, 2 * MIXED.length)).toEqual([...MIXED, ...MIXED])
    for (const message of [LONG, "short", LONG]) client.send(message)
    expect(await read(client, 3)).toEqual([LONG, "short", LONG])
    expect(server.hub.framesDeflated).toBeGreaterThan(10)
  })

  it("stays within the window that was set there, when it is told", async () => {
    await using server = await startHub(
      { codec: text(), compression: { maxWindowBits: 9 } },
      { perMessageDeflate: { serverMaxWindowBits: 9 } },
    )
    const { client } = await server.connect()
    const far = randomBytes(1_000).toString("hex").repeat(3)
    server.hub.broadcast(far)
    expect(await client.next()).toBe(far)
    expect(server.hub.framesDeflated).toBe(1)
  })
})

describe("S13, S15: the bytes of a hub that compresses", () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ words: fc.constantFrom(0, 2, 40, 600, 3_000), isDirect: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ noise: fc.constantFrom(10, 2_000, 30_000) }) },
    { weight: 4, arbitrary: fc.constantFrom("turn", "ping", "drained") },
  )
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

  it("are whole frames in the order of the calls, however plain, compressed and large ones are mixed", async () => {
    const server = await attached()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, takesDeflate) =>
        play(server, steps, takesDeflate),
      ),
      runs(40),
    )
  })

  async function play(
    server: Awaited<ReturnType<typeof attached>>,
    steps: readonly Step[],
    takesDeflate: boolean,
  ) {
    const raw = await RawClient.open(server)
    const headers = takesDeflate ? { "Sec-WebSocket-Extensions": "permessage-deflate" } : {}
    raw.socket.write(upgradeRequest({ headers }))
    const connection = await server.added.next()
    const sent: Payload[] = []
    let pings = 0
    for (const [i, it] of steps.entries()) {
      if (it === "turn") await new Promise((resolve) => setImmediate(resolve))
      else if (it === "drained") await connection.drained()
      else if (it === "ping") {
        connection.ping(String(i))
        pings += 1
      } else {
        const message =
          "noise" in it ? randomBytes(it.noise).toString("latin1") : `${i} ${PROSE.repeat(it.words)}`
        if ("isDirect" in it && it.isDirect) connection.send(message)
        else server.hub.broadcast(message)
        sent.push(message)
      }
    }
    void connection.close(4000)
    const bytes = () => Buffer.from(raw.received.slice(raw.received.indexOf("\r\n\r\n") + 4), "latin1")
    await inTime(connectionEnd(raw, bytes), "the close frame", 5_000)
    raw.socket.destroy()
    await connection.closed
    const parser = takesDeflate ? new FrameParser({ windowBits: 15 }) : new FrameParser()
    const frames = parser.push(bytes())
    expect(parser.isAtBoundary).toBe(true)
    const of = (type: ParsedFrame["type"]) => frames.filter((it) => it.type === type)
    expect(of("text").map(({ payload }) => String(payload))).toEqual(sent)
    expect(of("ping")).toHaveLength(pings)
    expect(frames.at(-1)?.type).toBe("close")
    if (!takesDeflate) expect(frames.some((it) => it.compressedBytes !== undefined)).toBe(false)
  }

  /** The close frame is the last: 4000 in two bytes. */
  async function connectionEnd(raw: RawClient, bytes: () => Buffer): Promise<void> {
    const close = Buffer.from([0x88, 2, 0x0f, 0xa0])
    while (!bytes().subarray(-4).equals(close)) {
      if (raw.socket.destroyed) throw new Error("it ended without a close frame")
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
})

/** A message as a client compresses it (RFC 7692, section 7.2.1). */
function deflated(message: string): Buffer {
  return deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
}

/** Writes a compressed text message as a client does, masked with zeros, whole or in two fragments. */
function writeCompressed(client: TestClient, payload: Buffer, isCut: boolean): void {
  streamUnder(client).write(Buffer.concat(compressedFrames(payload, isCut)))
}

/** The stream under a `ws` client is nobody's business but a test's. */
function streamUnder({ socket }: TestClient): NodeJS.WritableStream {
  return (socket as unknown as { _socket: NodeJS.WritableStream })._socket
}

function compressedFrames(payload: Buffer, isCut: boolean): Buffer[] {
  const half = isCut ? Math.floor(payload.length / 2) : payload.length
  const frame = (first: number, part: Buffer) => {
    const header = Buffer.alloc(8)
    header[0] = first
    header[1] = 0x80 | 126
    header.writeUInt16BE(part.length, 2)
    return Buffer.concat([header, part])
  }
  if (!isCut) return [frame(0xc1, payload)]
  return [frame(0x41, payload.subarray(0, half)), frame(0x80, payload.subarray(half))]
}
