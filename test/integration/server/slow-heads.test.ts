import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:http"
import { connect as connectTcp } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createHub } from "holdfast"
import { attach } from "holdfast/server"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it, onTestFinished } from "vitest"
import { inTime, until } from "../../support/deadline.js"
import { startAttached } from "../../support/server-attached.js"
import { startHttp, startHttps } from "../../support/server-http.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { connect } from "../../support/ws-server.js"

const request = upgradeRequest()

describe("S45: the head of a first request", () => {
  it.each([
    ["nothing at all", startHttp, ""],
    ["half a request line", startHttp, "GET / HT"],
    ["all but the end", startHttp, request.slice(0, -2)],
    ["half a head over TLS", startHttps, request.slice(0, 40)],
  ])("R3: has 10 s: %s is a 408, and then the end", async (_, startTarget, bytes) => {
    const clock = new VirtualClock()
    const server = await startAttached({ clock }, { target: await startTarget() })
    const raw = await RawClient.open(server)
    raw.socket.write(bytes)
    await until(() => server.streams.size === 1, "the server to have the socket")
    await clock.advance(9_999)
    expect(raw.socket.destroyed).toBe(false)
    await clock.advance(1)
    expect(await raw.ended()).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/)
    await server.idle()
    expect(clock.pending).toBe(0)
  })

  it("R3: is not waited for any longer because it comes byte by byte", async () => {
    const clock = new VirtualClock()
    const server = await startAttached({ clock })
    const raw = await RawClient.open(server)
    await until(() => server.streams.size === 1, "the server to have the socket")
    for (const byte of request.slice(0, 100)) {
      raw.socket.write(byte)
      await clock.advance(100)
    }
    expect(await raw.ended()).toMatch(/^HTTP\/1.1 408 /)
  })

  it("ends a TLS handshake that never ends, without a word", async () => {
    const clock = new VirtualClock()
    const server = await startAttached({ clock }, { target: await startHttps() })
    const socket = connectTcp(server.port, "127.0.0.1")
    onTestFinished(() => void socket.destroy())
    // bytes that nobody has read make a reset of it
    socket.on("error", () => {})
    const ended = new Promise((resolve) => socket.once("close", resolve))
    socket.write(Buffer.from([0x16, 0x03, 0x01]))
    await until(() => clock.pending === 1, "the server to have the socket")
    await clock.advance(10_000)
    await inTime(ended, "the end of the socket")
  })

  it("has as long as the option says, and the shortest of several counts", async () => {
    const clock = new VirtualClock()
    const target = await startHttp()
    await startAttached({ clock, path: "/slow", handshakeTimeoutMs: false }, { target })
    await startAttached({ clock, path: "/quick", handshakeTimeoutMs: 700 }, { target })
    const server = await startAttached({ clock, path: "/other", handshakeTimeoutMs: 800 }, { target })
    const raw = await RawClient.open(server)
    await until(() => clock.pending === 1, "the server to have the socket")
    await clock.advance(700)
    expect(await raw.ended()).toMatch(/^HTTP\/1.1 408 /)
  })

  // each time an attachment came or went, whoever was waited for was waited for no more
  it.each([
    ["over HTTP", startHttp],
    ["over TLS", startHttps],
  ])("R3: is awaited no longer because another attachment comes or goes, %s", async (_, startTarget) => {
    const clock = new VirtualClock()
    const target = await startTarget()
    const server = await startAttached({ clock, path: "/one" }, { target })
    const raws = [await RawClient.open(server)]
    await until(() => server.streams.size === 1, "the server to have the first socket")
    await clock.advance(5_000)
    const other = await startAttached({ clock, path: "/two", handshakeTimeoutMs: 9_000 }, { target })
    raws.push(await RawClient.open(server))
    await until(() => server.streams.size === 2, "the server to have the second socket")
    expect(clock.pending).toBe(1)
    await clock.advance(3_999)
    expect(raws.map((it) => it.socket.destroyed)).toEqual([false, false])
    await clock.advance(1)
    expect(await raws[0]?.ended()).toMatch(/^HTTP\/1.1 408 /)
    other.attachment.close()
    await clock.advance(5_999)
    expect(raws[1]?.socket.destroyed).toBe(false)
    await clock.advance(1)
    expect(await raws[1]?.ended()).toMatch(/^HTTP\/1.1 408 /)
    await server.idle()
    expect(clock.pending).toBe(0)
  })

  it("R3: is over at once for whoever has taken longer than a new attachment allows", async () => {
    const clock = new VirtualClock()
    const server = await startAttached({ clock, path: "/one" })
    const raw = await RawClient.open(server)
    await until(() => server.streams.size === 1, "the server to have the socket")
    await clock.advance(5_000)
    await startAttached({ clock, path: "/two", handshakeTimeoutMs: 3_000 }, { target: server })
    await clock.advance(0)
    expect(await raw.ended()).toMatch(/^HTTP\/1.1 408 /)
    expect(clock.pending).toBe(0)
  })

  it("is Node's business where the option is false, and once the attachment is closed", async () => {
    const clock = new VirtualClock()
    const target = await startHttp()
    const server = await startAttached({ clock, handshakeTimeoutMs: false }, { target })
    await RawClient.open(server)
    await until(() => server.streams.size === 1, "the server to have the socket")
    expect(clock.pending).toBe(0)
    const closing = await startAttached({ clock, path: "/other" }, { target })
    await RawClient.open(server)
    await until(() => clock.pending === 1, "a deadline")
    closing.attachment.close()
    expect(clock.pending).toBe(0)
    expect(target.server.listenerCount("connection")).toBe(2)
  })

  it("R3: is awaited of each for as long, whoever came before, by one timer", async () => {
    const clock = new VirtualClock()
    const server = await startAttached({ clock })
    const raws: RawClient[] = []
    for (const waitMs of [0, 4_000, 3_000]) {
      await clock.advance(waitMs)
      raws.push(await RawClient.open(server))
      await until(() => server.streams.size === raws.length, "the server to have the socket")
    }
    const [first, gone, last] = raws as [RawClient, RawClient, RawClient]
    gone.socket.destroy()
    await until(() => server.streams.size === 2, "the server to have lost the second")
    expect(clock.pending).toBe(1)
    await clock.advance(3_000)
    expect(await first.ended()).toMatch(/^HTTP\/1.1 408 /)
    await clock.advance(6_999)
    expect([last.socket.destroyed, clock.pending]).toEqual([false, 1])
    await clock.advance(1)
    expect(await last.ended()).toMatch(/^HTTP\/1.1 408 /)
    expect(clock.pending).toBe(0)
  })

  it("R3: is awaited on a Unix socket as well", async () => {
    const clock = new VirtualClock()
    const folder = await mkdtemp(join(tmpdir(), "holdfast-"))
    onTestFinished(() => rm(folder, { recursive: true }))
    const http = createServer()
    const hub = createHub({ logger: false })
    onTestFinished(() => void http.close())
    onTestFinished(() => hub.close())
    attach(http, hub, { clock })
    await once(http.listen(join(folder, "s")), "listening")
    const connected = once(http, "connection")
    const socket = connectTcp(join(folder, "s"))
    const answer = inTime(once(socket, "data"), "the answer")
    await connected
    await clock.advance(10_000)
    expect(String(await answer)).toMatch(/^HTTP\/1.1 408 /)
  })

  it("is over with once it has come: neither a WebSocket nor a waiting request is ended", async () => {
    const clock = new VirtualClock()
    const server = await startAttached({ clock })
    const client = await connect(server.url)
    const raw = await RawClient.open(server)
    raw.socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await raw.until(() => raw.received.endsWith("hello"), "the answer")
    await clock.advance(60_000)
    expect([client.socket.readyState, raw.socket.destroyed]).toEqual([1, false])
    expect(clock.pending).toBe(0)
  })
})
