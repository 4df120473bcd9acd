import { once } from "node:events"
import { describe, expect, it, onTestFinished } from "vitest"
import { WebSocket } from "ws"
import { Crowd } from "../../../bench/load/crowd.js"
import { FrameReader } from "../../../bench/load/frame-reader.js"
import { RawServer } from "../../../bench/load/raw-server.js"
import { JSON_TEXT, SERVER, TEXT } from "../../../bench/message.js"
import { startServer } from "../../support/ws-server.js"

const message = (publisher: number, serial: number) => TEXT.make(publisher, serial)

describe("the bench's crowd", () => {
  it("takes what every connection gets in full and in order", async () => {
    const { crowd, send } = await setUp(3)
    const received = crowd.receive(3)
    for (const serial of [0, 1, 2]) send(message(SERVER, serial))
    await received
  })

  it("publishes each further message when the last one has come back", async () => {
    const { crowd, server, sockets } = await setUp(3)
    for (const socket of sockets) {
      socket.on("message", (data) => {
        for (const it of server.wss.clients) it.send(String(data))
      })
    }
    const received = crowd.receive(2 * 5)
    crowd.publish(2, 5)
    await received
  })

  it.each([
    ["lost", [0, 2], "publisher 0: message 2 came where 1 was due"],
    ["repeated", [0, 0], "publisher 0: message 0 came where 1 was due"],
    ["out of order", [1, 0], "publisher 0: message 1 came where 0 was due"],
  ])("finds a message that is %s", async (_, serials, complaint) => {
    const { crowd, sockets } = await setUp(2)
    const received = crowd.receive(serials.length)
    for (const serial of serials) sockets[1]?.send(message(SERVER, serial))
    await expect(received).rejects.toThrow(complaint)
  })

  it("finds the last message missing, on one connection of many", async () => {
    const { crowd, sockets, send } = await setUp(3)
    const received = crowd.receive(2, 200)
    send(message(SERVER, 0))
    for (const socket of sockets.slice(1)) socket.send(message(SERVER, 1))
    await expect(received).rejects.toThrow("after 200 ms 1 of 3 connections")
  })

  it("is not deceived by one message too many that makes up for a missing one", async () => {
    const { crowd, sockets } = await setUp(2)
    const received = crowd.receive(1)
    for (const serial of [0, 1]) sockets[0]?.send(message(SERVER, serial))
    await expect(received).rejects.toThrow("2 of 2 connections")
  })

  it("finds an altered message and one of another length", async () => {
    for (const wrong of [message(SERVER, 0).replace("a", "b"), `${message(SERVER, 0)}!`]) {
      const { crowd, send } = await setUp(1)
      const received = crowd.receive(1)
      send(wrong)
      await expect(received).rejects.toThrow(/altered|of 65 bytes/)
    }
  })

  it("fails when a connection ends", async () => {
    const { crowd, sockets } = await setUp(2)
    const received = crowd.receive(1)
    sockets[0]?.terminate()
    await expect(received).rejects.toThrow("ended")
    await expect(crowd.receive(1)).rejects.toThrow("ended")
  })

  it("answers pings, so that no server takes it for dead", async () => {
    const { sockets } = await setUp(1)
    const answered = new Promise<string>((resolve) => {
      sockets[0]?.once("pong", (payload) => resolve(String(payload)))
    })
    sockets[0]?.ping("are you there")
    expect(await answered).toBe("are you there")
  })

  it("refuses a port that speaks no WebSocket", async () => {
    const server = await startServer({ verifyClient: () => false })
    await expect(Crowd.open({ port: server.port, size: 1 })).rejects.toThrow("no WebSocket: HTTP/1.1 401")
  })
})

describe("the bench's frame reader", () => {
  const lengths = [0, 125, 126, 65_535, 65_536]

  it.each([1, 3, 1_000, 1_000_000])("finds every frame in chunks of %d bytes", (size) => {
    const bytes = Buffer.concat(lengths.slice(0, size === 1 ? 3 : 5).map(textFrame))
    const found: number[] = []
    const reader = new FrameReader({
      message: (_, start, end) => found.push(end - start),
      ping: () => {},
    })
    for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size))
    expect(found).toEqual(lengths.slice(0, size === 1 ? 3 : 5))
  })

  it("finds masked frames, and unmasks them", () => {
    const found: string[] = []
    const reader = new FrameReader({
      message: (bytes, start, end) => found.push(bytes.toString("latin1", start, end)),
      ping: () => {},
    })
    const masked = Buffer.from("hello").map((byte, i) => byte ^ ((i % 4) + 1))
    const bytes = Buffer.concat([Buffer.from([0x81, 0x85, 1, 2, 3, 4]), masked])
    reader.read(bytes.subarray(0, 4))
    reader.read(bytes.subarray(4))
    expect(found).toEqual(["hello"])
  })

  it("refuses fragments, compressed and binary messages and the end", () => {
    for (const head of [0x01, 0x80, 0x82, 0x88, 0xc1]) {
      const reader = new FrameReader({ message: () => {}, ping: () => {} })
      expect(() => reader.read(Buffer.from([head, 0]))).toThrow(/a frame that starts|closed/)
    }
  })
})

describe("the bench's own server", () => {
  it("sends and takes messages in order", async () => {
    const { peer, socket, heard } = await connectTo("json")
    const came = peer.receive(3)
    for (const serial of [0, 1, 2]) socket.send(JSON_TEXT.make(SERVER, serial))
    await came
    peer.push(3)
    await expect.poll(() => heard).toEqual([0, 1, 2].map((it) => JSON_TEXT.make(SERVER, it)))
  })

  it("notices what is out of order", async () => {
    const { peer, socket } = await connectTo("text")
    const came = peer.receive(2)
    socket.send(TEXT.make(SERVER, 1))
    await expect(came).rejects.toThrow("publisher 0: message 1 came where 0 was due")
  })
})

async function connectTo(format: "text" | "json") {
  const server = await RawServer.listen()
  onTestFinished(() => server.close())
  const socket = new WebSocket(server.urlOf(format))
  onTestFinished(() => socket.terminate())
  const heard: string[] = []
  socket.on("message", (data) => heard.push(String(data)))
  await once(socket, "open")
  return { peer: server.peer(format), socket, heard }
}

async function setUp(size: number) {
  const server = await startServer()
  const crowd = await Crowd.open({ port: server.port, size })
  onTestFinished(() => crowd.close())
  const accepted = await Promise.all(Array.from({ length: size }, () => server.accepted()))
  const sockets = accepted.map((it) => it.socket)
  const send = (text: string) => {
    for (const socket of sockets) socket.send(text)
  }
  return { server, crowd, sockets, send }
}

function textFrame(length: number): Buffer {
  const header =
    length < 126
      ? Buffer.from([0x81, length])
      : length < 65_536
        ? Buffer.from([0x81, 126, length >> 8, length & 0xff])
        : Buffer.from([0x81, 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff])
  return Buffer.concat([header, Buffer.alloc(length)])
}
