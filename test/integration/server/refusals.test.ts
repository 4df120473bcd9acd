import { ConnectError, ReconnectingClient } from "holdfast"
import type { Refusal } from "holdfast/server"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { WebSocket } from "ws"
import { inTime, until } from "../../support/deadline.js"
import { Mailbox } from "../../support/mailbox.js"
import { startAttached } from "../../support/server-attached.js"
import { startHttp, startHttps } from "../../support/server-http.js"
import { RawClient, textFrame, upgradeRequest } from "../../support/server-raw.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

const refusing = (refusal: Refusal, target?: Parameters<typeof startAttached>[1]) =>
  startAttached({ authenticate: async () => refusal }, target)

describe("S41: a refusal over HTTP", () => {
  it("brings its status, headers and body to a bare client, and is an event", async () => {
    const headers = { "WWW-Authenticate": "Bearer", "Retry-After": "7" }
    const { url, hub, refused, errors } = await refusing({ status: 401, headers, body: "log in first, Zoë" })
    const answer = await refusedBy(url)
    expect(answer).toMatchObject({ status: 401, body: "log in first, Zoë" })
    expect(answer.headers).toMatchObject({
      "www-authenticate": "Bearer",
      "retry-after": "7",
      connection: "close",
      "content-type": "text/plain; charset=utf-8",
      "content-length": "18",
    })
    expect(await refused.next()).toEqual({
      status: 401,
      check: "authenticate",
      reason: "authenticate",
      remoteAddress: "127.0.0.1",
      correlationId: expect.any(String),
    })
    expect([hub.size, errors.size]).toEqual([0, 0])
  })

  it.each([
    [401, "Unauthorized"],
    [429, "Too Many Requests"],
    [499, ""],
    [503, "Service Unavailable"],
  ])("says its status %d in words where it has no body", async (status, body) => {
    const { url } = await refusing({ status })
    expect(await refusedBy(url)).toMatchObject({ status, body })
  })

  it("may have an empty body", async () => {
    const { url } = await refusing({ status: 403, body: "" })
    expect(await refusedBy(url)).toMatchObject({ status: 403, body: "", headers: { "content-length": "0" } })
  })

  it("leaves no timer behind", async () => {
    const clock = new VirtualClock()
    const server = await startAttached({ authenticate: () => ({ status: 401 }), clock })
    expect(await refusedBy(server.url)).toMatchObject({ status: 401 })
    await server.idle()
    await until(() => clock.pending === 0, "the last timer to be stopped")
  })

  it("has each header once, however its name is written", async () => {
    const headers = { "content-type": "application/json", CONNECTION: "Close", "content-length": "1000" }
    const server = await refusing({ status: 401, headers, body: "{}" })
    const raw = await RawClient.open(server)
    raw.socket.write(upgradeRequest())
    const [head, body] = (await raw.ended()).split("\r\n\r\n") as [string, string]
    const lines = ["CONNECTION: Close", "Content-Length: 2", "content-type: application/json"]
    expect(head.split("\r\n").slice(1).sort()).toEqual(lines)
    expect(body).toBe("{}")
  })

  it("reaches a ReconnectingClient as an error with the status, and the wait that the server asks for", async () => {
    const { url } = await refusing({ status: 401, headers: { "Retry-After": "7" } })
    const client = new ReconnectingClient(url, { maxRetries: 0, logger: false })
    const errors = new Mailbox<unknown>("error")
    client.on("error", ({ error }) => errors.put(error))
    const error = (await errors.next()) as ConnectError
    expect(error).toBeInstanceOf(ConnectError)
    expect({ status: error.status, retryAfterMs: error.retryAfterMs }).toEqual({
      status: 401,
      retryAfterMs: 7_000,
    })
    expect(await inTime(client.closed, "the client's end")).toMatchObject({ cause: "max-retries" })
  })
})

describe("S41: a refusal leaves before its socket ends", () => {
  const body = "0123456789".repeat(500_000)

  it.each([
    ["HTTP", startHttp],
    ["HTTPS", startHttps],
  ])(
    "over %s, to a slow reader, with bytes of the client unread, and whatever its size",
    async (_, startTarget) => {
      const server = await refusing({ status: 403, body }, { target: await startTarget() })
      const raw = await RawClient.open(server)
      raw.socket.pause()
      raw.socket.write(upgradeRequest() + "x".repeat(3_000_000))
      await server.refused.next()
      raw.socket.resume()
      const answer = await raw.ended()
      expect(answer.length - answer.indexOf("\r\n\r\n") - 4).toBe(body.length)
      expect(answer.endsWith(body)).toBe(true)
      await server.idle()
    },
  )

  it.each([
    ["reads nothing", (it: RawClient) => it.socket.pause()],
    ["never ends its own side", (it: RawClient) => it.socket.resume()],
  ])("but no later than after 5 s, to a client that %s", async (_, behave) => {
    const clock = new VirtualClock()
    const target = await startHttp()
    const server = await startAttached({ authenticate: () => ({ status: 403, body }), clock }, { target })
    const raw = await RawClient.open(server, { allowHalfOpen: true })
    behave(raw)
    raw.socket.write(upgradeRequest())
    await server.refused.next()
    await clock.advance(4_999)
    expect(server.streams.size).toBe(1)
    await clock.advance(1)
    await server.idle()
    expect(clock.pending).toBe(0)
  })
})

describe("S41: a refusal with a close code", () => {
  it.each([
    [4401, "log in first"],
    [1008, ""],
    [1013, "later"],
  ])("is read by a page as %d %j, which sees no status", async (closeCode, closeReason) => {
    const { url, hub, added, refused } = await refusing({ status: 401, closeCode, closeReason })
    const socket = new WebSocket(url)
    onTestFinished(() => socket.terminate())
    const closed = new Promise<WebSocket.CloseEvent>((resolve) => {
      socket.onclose = resolve
    })
    const { code, reason, wasClean } = await inTime(closed, "the close event")
    expect({ code, reason, wasClean }).toEqual({ code: closeCode, reason: closeReason, wasClean: true })
    expect(await refused.next()).toEqual({
      status: 401,
      check: "authenticate",
      reason: "authenticate",
      remoteAddress: "127.0.0.1",
      correlationId: expect.any(String),
    })
    expect([hub.size, added.size]).toEqual([0, 0])
  })

  it("agrees on a subprotocol first, or the page's browser would fail the handshake", async () => {
    const { url } = await refusing({ status: 401, closeCode: 4401 })
    const client = await connect(url, { protocols: ["v1.chat"] })
    expect(await client.closed()).toMatchObject({ code: 4401 })
  })

  it("cuts a reason that is too long for a close frame", async () => {
    const { url } = await refusing({ status: 401, closeCode: 4401, closeReason: "é".repeat(100) })
    const client = await connect(url)
    expect(await client.closed()).toEqual({ code: 4401, reason: "é".repeat(61) })
  })

  it("ends a ReconnectingClient for good where the code says so", async () => {
    const { url } = await refusing({ status: 401, closeCode: 4401, closeReason: "log in first" })
    const client = new ReconnectingClient(url, { logger: false })
    const lastClose = { code: 4401, reason: "log in first" }
    expect(await inTime(client.closed, "the client's end")).toMatchObject({ cause: "auth", lastClose })
  })

  it("makes nothing of what the client sends, well-formed or not", async () => {
    const server = await refusing({ status: 401, closeCode: 4401 })
    const heard = new Mailbox<string>("message")
    const logged = vi.spyOn(console, "error").mockReturnValue()
    server.hub.on("message", ({ data }) => heard.put(data))
    const raw = await RawClient.open(server)
    raw.socket.write(
      Buffer.concat([Buffer.from(upgradeRequest()), textFrame("let me in"), Buffer.alloc(100, 0xff)]),
    )
    await raw.ended()
    await server.idle()
    expect([heard.size, server.errors.size, logged.mock.calls]).toEqual([0, 0, []])
  })

  it("waits 5 s for the client's closing handshake, and no longer", async () => {
    const clock = new VirtualClock()
    const server = await startAttached({ authenticate: () => ({ status: 401, closeCode: 4401 }), clock })
    const raw = await RawClient.open(server)
    raw.socket.write(upgradeRequest())
    await until(() => raw.received.endsWith("\x88\x02\x11\x31"), "the close frame")
    await clock.advance(4_999)
    expect(server.streams.size).toBe(1)
    await clock.advance(1)
    await server.idle()
  })

  it("is an HTTP refusal to what is no WebSocket handshake", async () => {
    const server = await refusing({ status: 401, closeCode: 4401 })
    const raw = await RawClient.open(server)
    raw.socket.write(upgradeRequest({ headers: { "Sec-WebSocket-Key": undefined } }))
    expect(await raw.ended()).toMatch(/^HTTP\/1.1 400 /)
    await server.idle()
  })
})
