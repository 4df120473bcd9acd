import { once } from "node:events"
import { createHub, type Hub, json } from "holdfast"
import { describe, expect, it, onTestFinished } from "vitest"
import { startProxy } from "../../support/client-proxy.js"
import { dial, RestartingServer } from "../../support/client-servers.js"
import { inTime, until } from "../../support/deadline.js"
import { seededRandom } from "../../support/seeded-random.js"
import { startServer } from "../../support/ws-server.js"

const ROOM = { maxMessages: 10_000, maxBytes: 100_000_000 }
const LONG_MS = 10_000

/** A hub of numbers on a server that comes and goes, and everything it has received. */
async function startCounting() {
  const received: number[] = []
  const hub: Hub<number, never> = createHub({ logger: false, heartbeat: false })
  hub.on("message", ({ data }) => received.push(data))
  onTestFinished(() => hub.close())
  const server = await RestartingServer.start()
  server.onConnection = (socket, request) => void hub.add(socket, { request })
  return { received, hub, server }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

describe("C20, C21 what is sent while the line comes and goes", () => {
  it.each([1, 2, 3])(
    "C21 arrives in order and never twice, and what was queued arrives (seed %i)",
    async (seed) => {
      const COUNT = 2_000
      const random = seededRandom(seed)
      const { received, hub, server } = await startCounting()
      const proxy = await startProxy(server.port)
      const options = { codec: json<never, number>(), queue: ROOM, connectTimeoutMs: 1_000 }
      const { client, log } = dial(proxy.url, options)
      await inTime(client.opened, "the first open")
      const queued: number[] = []
      let cuts = 0
      // a message that the socket has taken may be lost: the line is only broken when what was queued has arrived
      const isClear = () => client.state === "open" && (received.at(-1) ?? -1) >= (queued.at(-1) ?? -1)
      for (let number = 0; number < COUNT; number += 1) {
        const isAway = client.state !== "open"
        const result = client.send(number)
        expect(result).not.toBe("dropped")
        if (isAway) expect(result).toBe("queued")
        if (result === "queued") queued.push(number)
        if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve))
        if (random() < 0.02 && isClear()) {
          proxy.reset()
          cuts += 1
        }
        if (number % 500 === 250) {
          await until(isClear, "the queued messages", LONG_MS)
          await server.stop()
          await until(() => client.state === "waiting", "the client to notice")
          void server.start()
        }
      }
      await until(() => isClear() && proxy.size === 1 && hub.size === 1, "the last connection", LONG_MS)
      client.send(COUNT)
      await until(() => received.at(-1) === COUNT, "the last message", LONG_MS)
      expect(received.every((it, index) => index === 0 || it > (received[index - 1] as number))).toBe(true)
      const arrived = new Set(received)
      expect(queued.filter((it) => !arrived.has(it))).toEqual([])
      expect([log.dropped, client.queued]).toEqual([[], 0])
      expect(cuts).toBeGreaterThan(0)
      expect(queued.length).toBeGreaterThan(0)
      expect(log.changes.filter(({ to }) => to === "open").length).toBeGreaterThan(4)
    },
  )

  it("C20 is bounded while the server is away: what has no room is told, the rest arrives", async () => {
    const { received, server } = await startCounting()
    const { client, log } = dial(server.url, { codec: json<never, number>() })
    await inTime(client.opened, "the first open")
    await server.stop()
    await until(() => client.state === "waiting", "the client to notice")
    const results = range(0, 2_000).map((number) => client.send(number))
    expect(results.filter((it) => it === "queued")).toHaveLength(1_024)
    expect(client.queued).toBe(1_024)
    expect(client.queuedBytes).toBe(range(0, 1_024).join("").length)
    expect(log.dropped.map(({ message }) => message)).toEqual(range(1_024, 2_000))
    await server.start()
    await until(() => received.length === 1_024, "the queued messages")
    expect(received).toEqual(range(0, 1_024))
    expect([client.queued, client.queuedBytes]).toEqual([0, 0])
  })

  it("C21 flushes the queue after onOpen, and what is sent meanwhile goes behind it", async () => {
    const { received, server } = await startCounting()
    const { client } = dial(server.url, {
      codec: json<never, number>(),
      onOpen: async ({ sendNow }) => {
        sendNow(-2)
        await new Promise((resolve) => setImmediate(resolve))
        client.send(100)
        sendNow(-1)
      },
    })
    for (const number of range(0, 100)) client.send(number)
    await until(() => received.length >= 103, "all of them")
    expect(received).toEqual([-2, -1, ...range(0, 101)])
  })
})

describe("C24 a server that stops reading", () => {
  it("C24 never has twice the mark waiting in the socket, and gets all of it in order later", async () => {
    const COUNT = 2_000
    const MARK = 65_536
    const server = await startServer()
    const { client, log } = dial(server.url, { queue: ROOM, highWaterMarkBytes: MARK })
    const { socket } = await server.accepted()
    const received: number[] = []
    socket.on("message", (data) => received.push(Number.parseInt(String(data), 10)))
    await until(() => client.state === "open", "the open")
    socket.pause()
    const body = "x".repeat(16_384)
    let peak = 0
    const look = () => {
      peak = Math.max(peak, client.bufferedBytes)
    }
    for (let number = 0; number < COUNT; number += 1) {
      client.send(`${number} ${body}`)
      look()
      if (number % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    // as many messages are more than the buffers of the system take
    expect(client.queued).toBeGreaterThan(COUNT / 4)
    const arrived = once(socket, "message")
    socket.resume()
    await inTime(arrived, "the first message")
    const isDone = () => {
      look()
      return received.length === COUNT
    }
    await until(isDone, "all messages", LONG_MS)
    expect(received).toEqual(range(0, COUNT))
    expect(peak).toBeGreaterThanOrEqual(MARK)
    expect(peak).toBeLessThan(2 * MARK)
    expect([client.queued, client.queuedBytes, log.dropped, log.errors]).toEqual([0, 0, [], []])
  })
})
