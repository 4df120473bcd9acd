import { setImmediate as turn } from "node:timers/promises"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { enter, startEcho, watchFamily } from "../../support/bad-input.js"
import {
  binary,
  deflated,
  fragments,
  ping,
  pong,
  Reserved,
  text,
  times,
} from "../../support/client-frames.js"
import { until } from "../../support/deadline.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"

type Server = Awaited<ReturnType<typeof startEcho>>

const DEFLATED = { headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } }

type Flood = [what: string, bytes: Uint8Array, request?: typeof DEFLATED]

/** What small things there are to flood a server with, so many that they come to 500 messages or 500 kB. */
const FLOODS: Flood[] = [
  ["pings", times(40, ping())],
  ["pings of 125 bytes", times(40, ping("x".repeat(125)))],
  ["pongs that nobody asked for", times(500, pong())],
  ["pongs of 125 bytes", times(500, pong("x".repeat(125)))],
  ["empty text", times(500, text())],
  ["empty bytes", times(500, binary())],
  ["text of one byte", times(500, text("x"))],
  ["bytes of one byte", times(500, binary("x"))],
  ["messages of two empty fragments", times(500, fragments(2, 0))],
  ["messages of 128 fragments", times(500, fragments(128, 1))],
  ["compressed messages", times(500, text(deflated("x"), { reserved: Reserved.RSV1 })), DEFLATED],
  ["compressed messages without a byte", times(500, text([0], { reserved: Reserved.RSV1 })), DEFLATED],
  ["messages of 64 KiB", times(8, binary(Buffer.alloc(65_536)))],
]

/** A flooder that goes on for ten seconds of its server's time, and what became of it. */
async function flood(bytes: Uint8Array, request = {}) {
  const clock = new VirtualClock()
  const limits = { messagesPerSecond: 20, messageBurst: 20, bytesPerSecond: 50_000, byteBurst: 100_000 }
  const server = await startEcho({ limits, clock }, { clock, compression: "shared" })
  const { raw, conversation } = await enter(server, request)
  const [connection] = server.hub.connections.values()
  if (!connection) throw new Error("nobody is in")
  const isOver = () => connection.state !== "open" || raw.socket.destroyed
  for (let tick = 0; tick < 600 && !isOver(); tick += 1) {
    if (!connection.isReadingPaused) raw.socket.write(bytes)
    await until(() => connection.isReadingPaused || isOver(), "reading to pause")
    await clock.advance(100)
  }
  return { server, clock, raw, conversation, connection }
}

/** A client that behaves is served meanwhile. */
async function expectServed(server: Server, clock: VirtualClock): Promise<void> {
  const { raw, conversation } = await enter(server)
  raw.socket.write(text("hi"))
  await until(() => [...server.hub.connections.values()].some((it) => it.messagesIn === 1), "the message")
  await clock.advance(0)
  await until(() => conversation.frames().length === 1, "the echo")
  expect(conversation.frames()[0]?.payload.toString()).toBe("hi")
  raw.socket.destroy()
}

describe("R3: floods of frames", () => {
  watchFamily()

  it.each<Flood>(FLOODS)(
    "%s: reading pauses, and then it is over with 1008",
    async (_what, bytes, request) => {
      const { server, clock, raw, conversation, connection } = await flood(bytes, request)
      await expectServed(server, clock)
      // its half of the closing handshake stands behind what is not read any more
      await clock.advance(5_000)
      expect(await conversation.outcome()).toEqual({ close: 1008 })
      expect(await connection.closed).toMatchObject({ cause: "rate-limit" })
      expect(raw.socket.destroyed).toBe(true)
      await server.empty()
      expect(clock.pending).toBe(0)
    },
  )

  it("more than 60 pings in one piece, which is more than anybody means: the socket is cut", async () => {
    const server = await startEcho()
    const { raw, conversation } = await enter(server)
    raw.socket.write(times(5_000, ping("x")))
    expect(await conversation.outcome()).toBe("cut")
    await server.empty()
  })

  it("pings of a client that reads no pong: the socket is cut, and nothing has piled up", async () => {
    const server = await startEcho({ limits: { messagesPerSecond: false, bytesPerSecond: false } })
    const { raw } = await enter(server)
    const [connection] = server.hub.connections.values()
    raw.socket.pause()
    let pings = 0
    while (connection?.state === "open") {
      expect(pings).toBeLessThan(500_000)
      raw.socket.write(times(50, ping("x".repeat(125))))
      pings += 50
      await turn()
    }
    expect(await connection?.closed).toMatchObject({ code: 1006 })
    raw.socket.resume()
    await raw.ended()
    await server.empty()
  })

  it("frames without an end from a client that reads no echo: it is told 1013 and cut", async () => {
    const clock = new VirtualClock()
    const server = await startEcho({}, { clock, maxBufferedBytes: 1_000_000 })
    const { raw } = await enter(server)
    const [connection] = server.hub.connections.values()
    raw.socket.pause()
    for (let sent = 0; connection?.state === "open"; sent += 1) {
      expect(sent).toBeLessThan(1_000)
      raw.socket.write(binary(Buffer.alloc(65_536)))
      await turn()
      await clock.advance(1)
    }
    await clock.advance(5_000)
    expect(await connection?.closed).toMatchObject({ cause: "overflow" })
    raw.socket.resume()
    await raw.ended()
    await server.empty()
  })
})

describe("R3: floods of connections", () => {
  watchFamily()

  /** Asks so many times at once, and counts the answers. */
  async function ask(server: Server, count: number): Promise<Map<number, number>> {
    const clients = await Promise.all(Array.from({ length: count }, () => RawClient.open(server)))
    for (const { socket } of clients) socket.write(upgradeRequest())
    const statuses = await Promise.all(clients.map((it) => it.status()))
    const counts = new Map<number, number>()
    for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1)
    for (const { socket } of clients) socket.destroy()
    return counts
  }

  it("above connections: 503, and room again once they are gone", async () => {
    const server = await startEcho({ limits: { connections: 50 } })
    for (let round = 0; round < 2; round += 1) {
      expect(await ask(server, 300)).toEqual(
        new Map([
          [101, 50],
          [503, 250],
        ]),
      )
      await server.empty()
    }
  })

  it("above perAddress: 429", async () => {
    const server = await startEcho({ limits: { perAddress: 10 } })
    expect(Object.fromEntries(await ask(server, 200))).toEqual({ 101: 10, 429: 190 })
    await server.empty()
  })

  it("above upgradesPerSecond: 503", async () => {
    const clock = new VirtualClock()
    const server = await startEcho({ limits: { upgradesPerSecond: 10, upgradeBurst: 20 }, clock })
    expect(Object.fromEntries(await ask(server, 200))).toEqual({ 101: 20, 503: 180 })
    await clock.advance(1_000)
    expect(Object.fromEntries(await ask(server, 200))).toEqual({ 101: 10, 503: 190 })
    await server.empty()
  })

  it("that ask for nothing: 408 after 10 s, all of them", async () => {
    const clock = new VirtualClock()
    const server = await startEcho({ clock })
    const clients = await Promise.all(Array.from({ length: 300 }, () => RawClient.open(server)))
    await until(() => server.streams.size === 300, "the server to have them")
    await clock.advance(10_000)
    for (const raw of clients) expect(await raw.ended()).toMatch(/^HTTP\/1.1 408 /)
    await server.empty()
    expect(clock.pending).toBe(0)
  })
})
