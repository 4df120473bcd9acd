import { describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { startAttached } from "../../support/server-attached.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { connect, type TestClient } from "../../support/ws-server.js"

/** Sends one message in so many fragments of one byte. */
function sendFragments({ socket }: TestClient, count: number): void {
  for (let index = 1; index <= count; index += 1) socket.send("x", { fin: index === count })
}

async function startEcho(options: Parameters<typeof startAttached>[0] = {}) {
  const server = await startAttached(options)
  server.hub.on("message", ({ connection, data }) => void connection.send(String(data.length)))
  return server
}

describe("S45: the largest message", () => {
  it.each([
    ["64 KiB by default", undefined, 65_536],
    ["what the option says", 1_000, 1_000],
  ])("has %s; one byte more is 1009", async (_, maxPayloadBytes, limit) => {
    const { url, added, hub } = await startEcho({ maxPayloadBytes })
    const client = await connect(url)
    const connection = await added.next()
    client.send("x".repeat(limit))
    expect(await client.next()).toBe(String(limit))
    client.send("x".repeat(limit + 1))
    expect(await client.closed()).toMatchObject({ code: 1009 })
    await connection.closed
    expect({ messagesIn: connection.messagesIn, size: hub.size }).toEqual({ messagesIn: 1, size: 0 })
  })

  it("counts fragments together", async () => {
    const { url } = await startEcho({ maxPayloadBytes: 10 })
    const client = await connect(url)
    sendFragments(client, 10)
    expect(await client.next()).toBe("10")
    sendFragments(client, 11)
    expect(await client.closed()).toMatchObject({ code: 1009 })
  })
})

describe("S45: the fragments of a message", () => {
  it.each([
    ["128 by default", undefined, 128],
    ["as many as the option says", 3, 3],
  ])("are %s; one more is 1008", async (_, maxFragments, limit) => {
    const { url } = await startEcho({ maxFragments })
    const client = await connect(url)
    sendFragments(client, limit)
    expect(await client.next()).toBe(String(limit))
    sendFragments(client, limit + 1)
    expect(await client.closed()).toMatchObject({ code: 1008 })
  })
})

describe("S45: compression", () => {
  it("is not agreed to, whatever the client offers", async () => {
    const { url } = await startEcho()
    const client = await connect(url, { perMessageDeflate: true })
    expect(client.socket.extensions).toBe("")
    const text = "x".repeat(60_000)
    client.send(text)
    expect(await client.next()).toBe("60000")
  })

  it("is a breach of the protocol where a client compresses nevertheless", async () => {
    const server = await startEcho()
    const raw = await RawClient.open(server)
    raw.socket.write(upgradeRequest({ headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } }))
    expect(await raw.status()).toBe(101)
    const connection = await server.added.next()
    // a final text frame with RSV1 set, masked with zeros (RFC 7692, section 6)
    raw.socket.write(Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0x78]))
    expect(await connection.closed).toMatchObject({ code: 1006 })
    // the server says why before it ends
    const frame = Buffer.from((await raw.ended()).split("\r\n\r\n")[1] as string, "latin1")
    expect([frame[0], frame.readUInt16BE(2)]).toEqual([0x88, 1002])
  })
})

describe("S45: a breach of a limit", () => {
  it("is told as an error of the hub and ends one connection, not its neighbours", async () => {
    const { url, hub } = await startEcho({ maxPayloadBytes: 10 })
    const errors: unknown[] = []
    hub.on("error", ({ error, stage }) => errors.push([stage, (error as { code?: string }).code]))
    const [greedy, modest] = [await connect(url), await connect(url)]
    greedy.send("x".repeat(11))
    expect(await greedy.closed()).toMatchObject({ code: 1009 })
    expect(errors).toEqual([["socket", "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"]])
    modest.send("x".repeat(10))
    expect(await modest.next()).toBe("10")
    expect(modest.socket.readyState).toBe(WebSocket.OPEN)
  })
})
