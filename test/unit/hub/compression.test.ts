import { binary, createHub, type Given, type HubOptions, text } from "holdfast"
import { describe, expect, it } from "vitest"
import { systemClock } from "../../../src/core/timer.js"
import { canInflate } from "../../../src/hub/raw-stream.js"
import { until } from "../../support/deadline.js"
import { parseDeflated } from "../../support/frame-parser.js"
import { StubSocket, StubStream } from "../../support/stub-socket.js"

const LONG = "the same words once more, ".repeat(100)
const LARGE = LONG.repeat(10)
/** On it no flush takes so long that it is sliced: a crowd stays in step, however slow the machine. */
const UNHURRIED = { ...systemClock, now: () => 0 }

/** A hub that compresses, and the way to add somebody who has agreed to that, or has not. */
function compressingHub(options: Given<HubOptions<string, string>> = {}) {
  const hub = createHub<string, string>({
    codec: text(),
    compression: "shared",
    logger: false,
    heartbeat: false,
    ...options,
  })
  const add = (extensions = "permessage-deflate", room = "r") => {
    const [socket, stream] = [new StubSocket(), new StubStream()]
    socket.extensions = extensions
    const connection = hub.add(socket, { stream })
    void connection.join(room)
    const received = () => parseDeflated({ windowBits: 15 }, ...stream.writes)
    return {
      connection,
      stream,
      received,
      texts: () => received().map(({ payload }) => String(payload)),
      isCompressed: () => received().map((it) => it.compressedBytes !== undefined),
    }
  }
  return { hub, add, flush: () => new Promise((resolve) => setImmediate(resolve)) }
}

describe("S13: a broadcast is compressed once", () => {
  it.each([
    ["at once", LONG],
    ["in another thread", LARGE],
  ])("for 5,000 receivers, who all get the very same buffer: %s", async (_, message) => {
    const { hub, add } = compressingHub()
    const peers = Array.from({ length: 5_000 }, () => add())
    hub.broadcast(message)
    await until(() => peers.every(({ stream }) => stream.writes.length > 0), "all writes")
    expect([hub.framesEncoded, hub.framesDeflated]).toEqual([1, 1])
    expect(new Set(peers.flatMap(({ stream }) => stream.writes)).size).toBe(1)
    expect(peers[4_999]?.texts()).toEqual([message])
    expect(peers[4_999]?.stream.writes[0]?.length).toBeLessThan(message.length / 20)
  })

  it("and framed once more for those who take no compressed messages", async () => {
    const { hub, add } = compressingHub({ clock: UNHURRIED })
    const peers = Array.from({ length: 100 }, (_, i) => add(i % 2 === 0 ? "permessage-deflate" : ""))
    for (const message of [LONG, "short", LARGE, "short too"]) hub.broadcast(message)
    await until(() => hub.framesDeflated === 2, "the thread")
    await until(() => peers.every(({ received }) => received().length === 4), "all messages")
    expect(hub.framesEncoded).toBe(6)
    for (const [i, { texts, isCompressed }] of peers.entries()) {
      expect(texts()).toEqual([LONG, "short", LARGE, "short too"])
      expect(isCompressed()).toEqual(i % 2 === 0 ? [true, false, true, false] : [false, false, false, false])
    }
    // one piece for those who take them as they are, two for those who waited for the thread
    expect(new Set(peers.flatMap(({ stream }) => stream.writes)).size).toBe(3)
  })

  it("also when it is a direct message, with a notice of loss between", async () => {
    const { add, flush } = compressingHub({
      maxBufferedBytes: 200,
      overflow: "drop-newest",
      onLag: ({ count }) => `lost ${count}`,
    })
    const { connection, stream, texts, isCompressed } = add()
    stream.writableHighWaterMark = 1
    stream.stall()
    for (const message of [LONG, LONG, LONG, LONG, LONG]) {
      connection.send(message)
      await flush()
    }
    stream.unstall()
    await flush()
    expect(texts()).toEqual([LONG, LONG, LONG, "lost 2"])
    expect(isCompressed()).toEqual([true, true, true, false])
  })

  it("S15 and overtakes nothing, whichever way it is sent", async () => {
    const { hub, add } = compressingHub()
    const { connection, texts } = add()
    const sent: string[] = []
    for (let i = 0; i < 100; i += 1) {
      const message = `${i} ${i % 5 === 0 ? LARGE : i % 2 === 0 ? LONG : ""}`
      if (i % 3 === 0) connection.send(message)
      else if (i % 3 === 1) hub.to("r").send(message)
      else hub.broadcast(message)
      sent.push(message)
      if (i % 7 === 0) await connection.drained()
    }
    await until(() => texts().length === 100, "all messages")
    expect(texts()).toEqual(sent)
  })

  it("S15 and what was sent before a close goes before it", async () => {
    const { hub, add } = compressingHub()
    const { connection, texts } = add()
    hub.broadcast(LARGE)
    connection.send("last words")
    void connection.close()
    expect(texts()).toEqual([LARGE, "last words"])
    await connection.closed
  })

  it("counts its bytes as they are on the wire", async () => {
    const { hub, add, flush } = compressingHub()
    const { connection, stream } = add()
    hub.broadcast(LONG)
    await flush()
    expect(connection.bytesOut).toBe(stream.writes[0]?.length)
    expect(connection.bytesOut).toBeLessThan(100)
  })

  it("with binary messages as well", async () => {
    const hub = createHub<Uint8Array, Uint8Array>({ codec: binary(), compression: { thresholdBytes: 100 } })
    const [socket, stream] = [new StubSocket(), new StubStream()]
    socket.extensions = "permessage-deflate"
    hub.add(socket, { stream }).send(new Uint8Array(100))
    await new Promise((resolve) => setImmediate(resolve))
    expect(parseDeflated({ windowBits: 15 }, ...stream.writes)).toMatchObject([
      { type: "binary", payload: Buffer.alloc(100), compressedBytes: expect.any(Number) },
    ])
  })

  it("never where it is off, whatever was agreed on", async () => {
    const { hub, add, flush } = compressingHub({ compression: false })
    const { isCompressed } = add()
    hub.broadcast(LONG)
    await flush()
    expect([isCompressed(), hub.framesDeflated, hub.compression]).toEqual([[false], 0, false])
  })

  it("and holds nothing of the last one", async () => {
    const { hub, add } = compressingHub()
    const peers = [add(), add()]
    hub.broadcast(LARGE)
    await until(() => peers.every(({ stream }) => stream.writes.length > 0), "all writes")
    expect(peers.map(({ connection }) => connection.bufferedBytes)).toEqual([0, 0])
    expect(peers.map(({ connection }) => connection.writable)).toEqual([true, true])
  })
})

describe("who takes compressed messages", () => {
  const socket = (extensions: string | undefined) => Object.assign(new StubSocket(), { extensions })
  const offer = (header: string | string[] | undefined) => ({
    headers: { "sec-websocket-extensions": header },
  })

  it.each([
    ["permessage-deflate", true],
    ["permessage-deflate; client_max_window_bits=15", true],
    ["x-foo, permessage-deflate;server_no_context_takeover", true],
    ["", false],
    [undefined, false],
    ["x-permessage-deflate", false],
    ["permessage-deflate-frame", false],
  ])("is told by what was agreed on: %s", (extensions, expected) => {
    expect(canInflate(socket(extensions), undefined, 15)).toBe(expected)
  })

  it.each([
    ["permessage-deflate; client_max_window_bits", 15, true],
    ["permessage-deflate; server_max_window_bits=15", 15, true],
    ["permessage-deflate; server_max_window_bits=12", 15, false],
    ["permessage-deflate; server_max_window_bits=12", 12, true],
    ['permessage-deflate; server_max_window_bits="10"', 12, false],
    ["permessage-deflate; Server_Max_Window_Bits = 10, permessage-deflate", 12, false],
    [["permessage-deflate", "permessage-deflate; server_max_window_bits=8"], 9, false],
    [undefined, 15, true],
  ])("and by the window the client asked for: %s, with %i bits", (header, windowBits, expected) => {
    expect(canInflate(socket("permessage-deflate"), offer(header), windowBits)).toBe(expected)
  })

  it("may be said by whoever adds the socket", async () => {
    const { hub, flush } = compressingHub()
    const streams = [true, false].map((canInflate) => {
      const stream = new StubStream()
      hub.add(socket(canInflate ? "" : "permessage-deflate"), { stream, canInflate })
      return stream
    })
    hub.broadcast(LONG)
    await flush()
    expect(streams.map(({ writes }) => (writes[0]?.length ?? 0) < LONG.length)).toEqual([true, false])
  })
})
