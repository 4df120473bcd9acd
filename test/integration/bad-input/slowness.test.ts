import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { enter, startEcho, watchFamily } from "../../support/bad-input.js"
import { binary, close, deflated, more, ping, Reserved, text } from "../../support/client-frames.js"
import { until } from "../../support/deadline.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"

/** With every default of time, on a clock that the test moves. */
async function startSlow() {
  const clock = new VirtualClock()
  const server = await startEcho({ clock }, { clock, heartbeat: {}, compression: "shared" })
  return { server, clock }
}

const request = upgradeRequest()

describe("R3: a handshake that is never finished", () => {
  watchFamily()

  it.each([
    ["not begun", ""],
    ["one byte", "G"],
    ["half its first line", "GET / HT"],
    ["a first line", "GET / HTTP/1.1\r\n"],
    ["half a header's name", "GET / HTTP/1.1\r\nHo"],
    ["half a header's value", "GET / HTTP/1.1\r\nHost: 127."],
    ["all but the last byte", request.slice(0, -1)],
    ["empty lines only", "\r\n\r\n\r\n"],
    ["15 KiB of a header", `${request.slice(0, -2)}X-Any: ${"x".repeat(15_000)}`],
  ])("R3: %s: 408 after 10 s", async (_what, bytes) => {
    const { server, clock } = await startSlow()
    const raw = await RawClient.open(server)
    raw.socket.write(bytes)
    await until(() => server.streams.size === 1, "the server to have the socket")
    await clock.advance(9_999)
    expect(raw.socket.destroyed).toBe(false)
    await clock.advance(1)
    expect(await raw.ended()).toMatch(/^HTTP\/1.1 408 /)
    await server.empty()
    expect(clock.pending).toBe(0)
  })
})

const rsv1 = { fin: false, reserved: Reserved.RSV1 }
const long = text("x".repeat(60_000))

/** What a client may stop in the middle of, and then not answer any more. */
const HALVES: readonly (readonly [what: string, bytes: Uint8Array])[] = [
  ["nothing at all", Buffer.alloc(0)],
  ["one byte of a header", text("hello").subarray(0, 1)],
  ["a header without its mask", text("hello").subarray(0, 2)],
  ["half a mask", text("hello").subarray(0, 4)],
  ["a header without its payload", text("hello").subarray(0, 6)],
  ["half a payload", text("hello").subarray(0, 8)],
  ["half a length of 16 bits", long.subarray(0, 3)],
  ["half a length of 64 bits", binary("", { length: 1_000, lengthBits: 64 }).subarray(0, 6)],
  ["60,000 bytes of 60,001", long.subarray(0, -1)],
  ["half a ping", ping("hello").subarray(0, 8)],
  ["half a close", close(1000).subarray(0, 7)],
  ["the first fragment of a message", text("a", { fin: false })],
  ["half a second fragment", Buffer.concat([text("a", { fin: false }), more("bcd").subarray(0, 7)])],
  ["half a compressed message", text(deflated("hello").subarray(0, 3), rsv1)],
]

const DEFLATED = { headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } }

describe("R3: a client that falls silent", () => {
  watchFamily()

  it.each(HALVES)("R3: after %s: cut within 26 s", async (_what, bytes) => {
    const { server, clock } = await startSlow()
    const { raw, conversation } = await enter(server, DEFLATED)
    raw.socket.write(bytes)
    await until(() => server.hub.size === 1, "the connection")
    // it has been asked, and has not answered
    await clock.advance(16_000)
    await until(() => conversation.frames().length > 0, "the ping")
    expect(conversation.frames().map(({ type }) => type)).toEqual(["ping"])
    await clock.advance(10_000)
    expect(await conversation.outcome()).toBe("cut")
    await server.empty()
    expect(clock.pending).toBe(0)
  })

  it("R3: and drips one byte of a frame each second: cut within 26 s all the same", async () => {
    const { server, clock } = await startSlow()
    const { raw, conversation } = await enter(server)
    for (let second = 0; second < 26; second += 1) {
      raw.socket.write(long.subarray(second, second + 1))
      await clock.advance(1_000)
    }
    expect(await conversation.outcome()).toBe("cut")
    await server.empty()
  })

  it("R3: and drips 20,000 bytes of a frame one by one: cut, and they have cost little", async () => {
    const { server, clock } = await startSlow()
    const { raw, conversation } = await enter(server)
    raw.socket.setNoDelay()
    for (let at = 0; at < 20_000; at += 1) {
      raw.socket.write(long.subarray(at, at + 1))
      if (at % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await clock.advance(26_000)
    expect(await conversation.outcome()).toBe("cut")
    await server.empty()
  })

  it.each([
    ["text", text("hi")],
    ["pongs that nobody asked for", Buffer.from([0x8a, 0x80, 0, 0, 0, 0])],
  ])("but whoever sends %s now and then stays, for as long as he likes", async (_what, bytes) => {
    const { server, clock } = await startSlow()
    const { raw } = await enter(server)
    const [connection] = server.hub.connections.values()
    for (let round = 0; round < 6; round += 1) {
      const [stream] = server.streams
      const before = Number(stream?.bytesRead)
      raw.socket.write(bytes)
      await until(() => Number(stream?.bytesRead) === before + bytes.length, "the bytes to arrive")
      await clock.advance(14_000)
    }
    expect(connection?.state).toBe("open")
  })
})

describe("R3: an end that is not answered", () => {
  watchFamily()

  it.each([
    ["a breach of the protocol", text("x", { mask: false }), { close: 1002 }],
    ["text that is no UTF-8", text([0xff]), { close: 1007 }],
    ["a message that is too big", text("x".repeat(65_537)), { close: 1009 }],
  ])(
    "R3: %s by a client that keeps its side open: told why, and cut within 26 s",
    async (_what, bytes, said) => {
      const { server, clock } = await startSlow()
      const { raw, conversation } = await enter(server)
      raw.socket.write(bytes)
      await until(() => conversation.closeCode !== undefined, "the close frame")
      expect({ close: conversation.closeCode }).toEqual(said)
      await clock.advance(26_000)
      await raw.ended()
      await server.empty()
      expect(clock.pending).toBe(0)
    },
  )

  it("R3: a close that the client does not answer: cut after 5 s", async () => {
    const { server, clock } = await startSlow()
    const { raw } = await enter(server)
    const [connection] = server.hub.connections.values()
    const closed = connection?.close(4000)
    await clock.advance(4_999)
    expect(raw.socket.destroyed).toBe(false)
    await clock.advance(1)
    expect(await closed).toMatchObject({ cause: "local" })
    await raw.ended()
    await server.empty()
  })

  it("R3: a refusal that the client does not take: cut after 5 s", async () => {
    const { server, clock } = await startSlow()
    const raw = await RawClient.open(server, { allowHalfOpen: true })
    raw.socket.write(upgradeRequest({ target: "/other" }))
    expect(await raw.status()).toBe(404)
    await clock.advance(5_000)
    await server.empty()
    expect(clock.pending).toBe(0)
  })
})
