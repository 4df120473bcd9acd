import { describe, expect, it, onTestFinished } from "vitest"
import { type Bar, drawChart } from "../../../bench/chart.js"
import { Crowd } from "../../../bench/load/crowd.js"
import { FrameReader } from "../../../bench/load/frame-reader.js"
import { measureRow } from "../../../bench/measure.js"
import { MAX_PUBLISHERS, MESSAGE_BYTES, MessageCheck, message, SERVER } from "../../../bench/message.js"
import { toChart, toJson, toMarkdown } from "../../../bench/report.js"
import type { Cell } from "../../../bench/row.js"
import { fanOut } from "../../../bench/rows/fan-out.js"
import { spread } from "../../../bench/statistics.js"
import { startServer } from "../../support/ws-server.js"

const CLIENTS = 20
const TOY = { clients: CLIENTS, laps: 1, share: 0.01, roundMs: 1 }

describe("the bench", () => {
  it("counts the deliveries of every contender in every cell, and reports them", async () => {
    const result = await measureRow(fanOut, TOY)
    expect(result.cells.map(({ cell }) => cell.name)).toEqual(fanOut.cells.map((it) => it.name))
    for (const { findings } of result.cells) {
      expect(findings.map(({ contender }) => contender.name)).toEqual(["ws", "ws-again", "holdfast"])
      for (const { deliveries, micros, cost } of findings) {
        expect(deliveries).toBeGreaterThanOrEqual(CLIENTS)
        expect(deliveries % CLIENTS).toBe(0)
        expect(micros).toHaveLength(1)
        expect(cost.median).toBeGreaterThan(0)
      }
    }
    expect(toMarkdown(result).split("\n")).toHaveLength(2 + fanOut.cells.length)
    expect(JSON.parse(toJson([result])).rows[0].cells).toHaveLength(fanOut.cells.length)
    const bars = toChart(result).groups.flatMap((group) => group.bars)
    expect(bars.filter((it) => it.isOurs)).toHaveLength(fanOut.cells.length)
  })

  it("measures nothing where a message is missing", async () => {
    const cell: Cell = {
      name: "lossy",
      title: "one more is expected than sent",
      rounds: 1,
      async run({ server, crowd }) {
        const received = crowd.receive(2, 200)
        server.publish(1)
        await received
        return 2 * crowd.size
      },
    }
    await expect(measureRow({ ...fanOut, cells: [cell] }, TOY)).rejects.toThrow("after 200 ms 20 of 20")
  })
})

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
    await expect(Crowd.open(server.port, 1)).rejects.toThrow("no WebSocket: HTTP/1.1 401")
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

  it("refuses fragments, binary messages and the end", () => {
    for (const head of [0x01, 0x80, 0x82, 0x88, 0xc1]) {
      const reader = new FrameReader({ message: () => {}, ping: () => {} })
      expect(() => reader.read(Buffer.from([head, 0]))).toThrow(/a frame that starts|closed/)
    }
  })
})

describe("the bench's messages", () => {
  it("are 64 bytes and tell publishers apart", () => {
    const check = new MessageCheck()
    for (const publisher of [0, 1, MAX_PUBLISHERS - 1]) {
      const bytes = Buffer.from(message(publisher, 0))
      expect(bytes).toHaveLength(MESSAGE_BYTES)
      expect(check.take(bytes, 0, bytes.length)).toBe(publisher)
    }
    expect(check.received).toBe(3)
  })
})

describe("the bench's figures", () => {
  it("are medians between quartiles", () => {
    expect(spread([5, 1, 2, 4, 3])).toEqual({ median: 3, low: 2, high: 4 })
    expect(spread([1, 2])).toEqual({ median: 1.5, low: 1.25, high: 1.75 })
  })

  it("become bars in proportion, with text that cannot break the file", () => {
    const bar = (value: number): Bar => ({ label: "a < b & c", value, note: "", isOurs: false })
    const svg = drawChart({ title: "t", subtitle: "s", groups: [{ title: "g", bars: [bar(2), bar(1)] }] })
    const [wide = 0, narrow = 0] = [...svg.matchAll(/<rect class="other".* width="([\d.]+)"/g)].map((it) =>
      Number(it[1]),
    )
    expect(wide).toBeCloseTo(2 * narrow)
    expect(svg).toContain("a &#60; b &#38; c")
  })
})

async function setUp(size: number) {
  const server = await startServer()
  const crowd = await Crowd.open(server.port, size)
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
