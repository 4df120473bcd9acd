import { describe, expect, it } from "vitest"
import { socketPair } from "../../../src/testing/socket-pair.js"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { text } from "../../../src/wire/codec.js"
import { Connection } from "../../../src/wire/connection.js"
import { connectedPair } from "../../support/connected-pair.js"
import { StubSocket } from "../../support/stub-socket.js"

describe("S1 a connection", () => {
  it("has what it was given", () => {
    const identity = { id: "me", data: { user: "ada" }, params: { room: "1" }, remoteAddress: "::1" }
    const { connection } = connectedPair({ identity, pair: { protocol: "chat.v1" } })
    expect(connection).toMatchObject({ ...identity, protocol: "chat.v1", state: "open" })
    expect(connection.connectedAt).toBe(1_700_000_000_000)
  })

  it("has 128 random bits for a name, and nothing else, when it was given nothing", () => {
    const { connection } = connectedPair()
    expect(connection.id).toMatch(/^[0-9a-f]{32}$/)
    expect(connectedPair().connection.id).not.toBe(connection.id)
    expect(connection).toMatchObject({
      data: undefined,
      params: {},
      remoteAddress: undefined,
      protocol: "",
      rttMs: undefined,
      bufferedBytes: 0,
      writable: true,
    })
  })

  it("counts messages and bytes, both ways", async () => {
    const { connection, peer, turn } = connectedPair<string, string>({ codec: text() })
    connection.on("message", () => {})
    connection.send("€")
    connection.send("abc")
    peer.send("hello")
    await turn()
    expect(connection).toMatchObject({ messagesOut: 2, bytesOut: 5 + 5, messagesIn: 1, bytesIn: 5 })
  })

  it("counts what was accepted only", async () => {
    const { connection } = connectedPair()
    void connection.close()
    connection.send("a")
    expect(connection).toMatchObject({ messagesOut: 0, bytesOut: 0 })
  })

  it("reads text that comes as bytes, as it does in Node", () => {
    const clock = new VirtualClock()
    const socket = new StubSocket()
    const connection = new Connection(socket, {}, { clock })
    const data: unknown[] = []
    connection.on("message", (event) => data.push(event.data))
    socket.emit("message", Buffer.from('{"a":"€"}'), false)
    expect(data).toEqual([{ a: "€" }])
    expect(connection.bytesIn).toBe(11)
  })

  it("pings where the socket can, and only while it is open", async () => {
    const { connection, peer, turn } = connectedPair()
    const pings: string[] = []
    peer.addEventListener("ping", (event) =>
      pings.push(String(Buffer.from((event as { data: ArrayBuffer }).data))),
    )
    connection.ping("x")
    await turn()
    void connection.close()
    connection.ping("y")
    await turn()
    expect(pings).toEqual(["x"])
  })

  it("does without ping, pause and terminate, as in browsers", async () => {
    const clock = new VirtualClock()
    const [full] = socketPair({ clock })
    const bare = {
      readyState: 1,
      bufferedAmount: 0,
      send() {},
      close() {},
      addEventListener: full.addEventListener.bind(full),
      removeEventListener: full.removeEventListener.bind(full),
    }
    const connection = new Connection(bare, {}, { clock })
    connection.ping()
    connection.terminate()
    expect(await connection.closed).toMatchObject({ code: 1006, cause: "local" })
  })

  it("reports errors of its socket, and lives on unless a close follows", async () => {
    const { connection, errors, socket } = connectedPair()
    socket.reset()
    expect(errors).toEqual([{ error: new Error("ECONNRESET"), stage: "socket" }])
    expect(await connection.closed).toMatchObject({ code: 1006, cause: "peer" })
  })

  it("logs an error that nobody listens to", async () => {
    const { logger } = connectedPair()
    const clock = new VirtualClock()
    const [socket] = socketPair({ clock })
    new Connection(socket, {}, { clock, logger })
    socket.reset()
    expect(logger.lines).toMatchObject([{ level: "error", fields: { stage: "socket" } }])
  })
})

describe("S34 the literal ping", () => {
  it("is answered below the codec with json()", async () => {
    const { connection, peer, received, errors, turn } = connectedPair()
    const messages: unknown[] = []
    connection.on("message", ({ data }) => messages.push(data))
    peer.send("ping")
    peer.send('"ping"')
    await turn()
    expect(received).toEqual(["pong"])
    expect(messages).toEqual(["ping"])
    expect(errors).toEqual([])
    expect(connection.messagesIn).toBe(1)
  })

  it("S22 is answered ahead of messages that wait", async () => {
    const { connection, peer, received, socket, clock, turn } = connectedPair()
    socket.stall()
    connection.send("x".repeat(70_000))
    await turn()
    connection.send("waits")
    for (let i = 0; i < 1_000; i += 1) peer.send("ping")
    await turn()
    expect(connection.bufferedBytes).toBeLessThan(80_000)
    socket.unstall()
    await clock.advance(100)
    expect(received.slice(1)).toEqual(["pong", '"waits"'])
  })

  it("is off with text(), where any word may be a message", async () => {
    const { connection, peer, received, turn } = connectedPair({ codec: text() })
    const messages: unknown[] = []
    connection.on("message", ({ data }) => messages.push(data))
    peer.send("ping")
    await turn()
    expect(received).toEqual([])
    expect(messages).toEqual(["ping"])
  })

  it("is what the option says", async () => {
    const literalPing = { ping: "are you there?", pong: "I am" }
    const { peer, received, turn } = connectedPair({ codec: text(), literalPing })
    peer.send("are you there?")
    await turn()
    expect(received).toEqual(["I am"])
  })

  it("is off when false: the word goes to the codec", async () => {
    const { peer, received, errors, turn } = connectedPair({ literalPing: false })
    peer.send("ping")
    await turn()
    expect(received).toEqual([])
    expect(errors).toMatchObject([{ stage: "decode" }])
  })

  it("is a text frame; the same bytes in a binary frame are a message", async () => {
    const { peer, received, turn } = connectedPair()
    peer.send(Buffer.from("ping"))
    await turn()
    expect(received).toEqual([])
  })
})
