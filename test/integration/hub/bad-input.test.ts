import { createConnection, type Socket } from "node:net"
import { type Given, type HubOptions, json, text } from "holdfast"
import { describe, expect, it, onTestFinished } from "vitest"
import type { ServerOptions } from "ws"
import { inTime, until } from "../../support/deadline.js"
import { startHub } from "../../support/hub-server.js"

/** A hub with a sender of nonsense and somebody who must not notice. */
async function startWitnessed(
  options: Given<HubOptions<unknown, unknown>> = {},
  serverOptions: ServerOptions = {},
) {
  const server = await startHub(options, serverOptions)
  const errors: { stage: string; error: unknown; id: string | undefined }[] = []
  const closes: { id: string; code: number; cause: string }[] = []
  const heard: unknown[] = []
  const { hub } = server
  hub.on("error", ({ stage, error, connection }) => errors.push({ stage, error, id: connection?.id }))
  hub.on("close", ({ connection, code, cause }) => closes.push({ id: connection.id, code, cause }))
  hub.on("message", ({ data }) => heard.push(data))
  const sender = await server.connect()
  const witness = await server.connect()
  return {
    hub,
    errors,
    closes,
    heard,
    sender,
    port: server.port,
    /** Proves that the hub and the witness go on as if nothing had happened. */
    async expectUnnoticed() {
      const before = heard.length
      witness.client.send('"still here"')
      await until(() => heard.length > before, "the witness to be heard")
      expect(heard.at(-1)).toBe("still here")
      hub.broadcast("to all")
      expect(await witness.client.next()).toBe('"to all"')
      expect(witness.client.waiting).toBe(0)
      expect(witness.connection.state).toBe("open")
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

describe("S6: frames that cannot be decoded", () => {
  it.each<[string, string | Uint8Array, RegExp]>([
    ["text that is no JSON", "{no", /^frame is not JSON: \{no$/],
    ["empty text", "", /^frame is not JSON/],
    ["a binary frame where text is expected", Buffer.from("{}"), /^expected a text frame, got 2 bytes$/],
    ["an empty binary frame", Buffer.alloc(0), /^expected a text frame, got 0 bytes$/],
  ])("%s is an error event, and the sender stays", async (_what, frame, message) => {
    await using it = await startWitnessed()
    it.sender.client.send(frame)
    await until(() => it.errors.length > 0, "the error")
    const error = expect.objectContaining({ name: "CodecError", message: expect.stringMatching(message) })
    expect(it.errors).toEqual([{ stage: "decode", error, id: it.sender.connection.id }])
    it.sender.client.send('"fine"')
    await until(() => it.heard.includes("fine"), "the next message")
    expect(it.closes).toEqual([])
    await it.expectUnnoticed()
  })

  it("get the reply that onDecodeError makes, in order with the others", async () => {
    await using it = await startWitnessed({ onDecodeError: ({ code, preview }) => ({ code, preview }) })
    it.sender.client.send("nonsense")
    expect(JSON.parse(String(await it.sender.client.next()))).toEqual({
      code: "DECODE_FAILED",
      preview: "nonsense",
    })
    await it.expectUnnoticed()
  })

  it("and a codec that throws anything at all, do no more harm than that", async () => {
    const codec = {
      ...json<unknown, unknown>(),
      decode(data: string | Uint8Array): unknown {
        if (data === '"boom"') throw "not even an Error"
        return JSON.parse(String(data))
      },
    }
    await using it = await startWitnessed({ codec })
    it.sender.client.send('"boom"')
    await until(() => it.errors.length > 0, "the error")
    expect(it.errors[0]?.error).toMatchObject({ code: "DECODE_FAILED", cause: "not even an Error" })
    await it.expectUnnoticed()
  })
})

describe("frames that break the protocol end their sender, and nobody else", () => {
  it("a message above the server's maxPayload: 1009", async () => {
    await using it = await startWitnessed({}, { maxPayload: 1_024 })
    it.sender.client.send("x".repeat(1_025))
    expect((await it.sender.client.closed()).code).toBe(1009)
    await until(() => it.closes.length > 0, "the hub to see the end")
    expect(it.errors.map(({ stage, id }) => [stage, id])).toEqual([["socket", it.sender.connection.id]])
    expect(it.closes.map(({ id, cause }) => [id, cause])).toEqual([[it.sender.connection.id, "peer"]])
    await it.expectUnnoticed()
  })

  it("many messages just below maxPayload are all taken", async () => {
    await using it = await startWitnessed({}, { maxPayload: 1_024 })
    for (let i = 0; i < 100; i += 1) it.sender.client.send(JSON.stringify("x".repeat(1_022)))
    await until(() => it.heard.length === 100, "100 messages")
    expect(it.closes).toEqual([])
  })

  it.each<[string, number[], number]>([
    ["text that is not UTF-8", masked(0x81, [0xff, 0xfe, 0xfd]), 1007],
    ["text cut off within a character", masked(0x81, [0xe2, 0x82]), 1007],
    ["a frame without a mask", [0x81, 0x02, 0x7b, 0x7d], 1002],
    ["a reserved opcode", masked(0x83, []), 1002],
    ["a reserved bit", masked(0xc1, [0x7b, 0x7d]), 1002],
    ["a continuation of nothing", masked(0x80, [0x7b, 0x7d]), 1002],
    ["a fragmented ping", masked(0x09, []), 1002],
    ["a close frame with a reserved code", masked(0x88, [0x03, 0xed]), 1002],
  ])("%s", async (_what, frame, code) => {
    await using it = await startWitnessed()
    const raw = await upgrade(it.port)
    await until(() => it.hub.size === 3, "the raw client")
    raw.socket.write(Uint8Array.from(frame))
    expect(await raw.closeCode()).toBe(code)
    await until(() => it.hub.size === 2, "the hub to see the end")
    expect(it.errors.map(({ stage }) => stage)).toEqual(["socket"])
    await it.expectUnnoticed()
  })

  it("half a frame and a reset", async () => {
    await using it = await startWitnessed()
    const raw = await upgrade(it.port)
    await until(() => it.hub.size === 3, "the raw client")
    raw.socket.write(Uint8Array.from([0x81, 0xfe, 0x10]))
    raw.socket.resetAndDestroy()
    await until(() => it.hub.size === 2, "the hub to see the end")
    expect(it.closes[0]).toMatchObject({ code: 1006, cause: "peer" })
    await it.expectUnnoticed()
  })

  it("nor does a hub without any listener for errors mind", async () => {
    await using server = await startHub({ codec: text() }, { maxPayload: 10 })
    const { client } = await server.connect()
    client.send("longer than ten bytes")
    expect((await client.closed()).code).toBe(1009)
    const raw = await upgrade(server.port)
    raw.socket.write(Uint8Array.from(masked(0x81, [0xff])))
    expect(await raw.closeCode()).toBe(1007)
    await until(() => server.hub.size === 0, "the hub to see both ends")
  })
})

/** A client's frame of at most 125 bytes, masked with zeros (RFC 6455, section 5.3). */
function masked(first: number, payload: number[]): number[] {
  return [first, 0x80 | payload.length, 0, 0, 0, 0, ...payload]
}

/** Performs the opening handshake by hand and leaves the rest to the test. */
async function upgrade(port: number): Promise<{ socket: Socket; closeCode(): Promise<number> }> {
  const socket = createConnection(port, "127.0.0.1")
  onTestFinished(() => void socket.destroy())
  socket.on("error", () => {})
  let received = Buffer.alloc(0)
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk])
  })
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()))
  socket.write(
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  )
  await until(() => received.includes("\r\n\r\n"), "the handshake")
  const headEnd = received.indexOf("\r\n\r\n") + 4
  return {
    socket,
    /** The code in the close frame, once the server has ended the socket. */
    async closeCode() {
      await until(() => received.length >= headEnd + 4, "a close frame")
      // the server waits for the other half of the closing handshake
      socket.end()
      await inTime(ended, "the end of the socket")
      expect(received[headEnd]).toBe(0x88)
      return received.readUInt16BE(headEnd + 2)
    },
  }
}
