import { describe, expect, it } from "vitest"
import { fakeClient, openClient } from "../../support/client-fake.js"
import type { DialledSocket } from "../../support/client-network.js"
import { playSchedule } from "../../support/client-schedule.js"

const MARK = 1_048_576

describe("the order of messages", () => {
  it("C21 is that of the calls, across connections", async () => {
    const { client, clock, network } = fakeClient()
    for (let i = 0; i < 10; i += 1) {
      client.send(`${i}a`)
      await clock.advance(1)
      client.send(`${i}b`)
      await clock.advance(1)
      network.last.cut()
      client.send(`${i}c`)
      await clock.advance(10_000)
    }
    const rounds = Array.from({ length: 10 }, (_, i) => [`${i}a`, `${i}b`, `${i}c`])
    expect(network.received).toEqual(rounds.flat())
  })

  it("C21 holds for what is sent during the flush: it goes behind the queue", async () => {
    const { client, clock, network } = fakeClient({ autoConnect: false })
    for (const message of ["1", "2", "3"]) client.send(message)
    network.onDial = (socket) => {
      const send = socket.send.bind(socket)
      socket.send = (data) => {
        send(data)
        if (data === "1") client.send("4")
        if (data === "2") client.send("5", { volatile: true })
      }
      socket.accept()
    }
    client.on("state", ({ to }) => to === "open" && client.send("3b"))
    client.connect()
    await clock.advance(1)
    expect(network.received).toEqual(["1", "2", "3", "3b", "4"])
  })

  it("C21 holds when a listener sends on hearing that a message has expired", async () => {
    const { client, clock, network } = fakeClient({ autoConnect: false })
    client.on("dropped", () => client.send("last"))
    client.send("old", { ttlMs: 5 })
    client.send("young")
    await clock.advance(10)
    client.connect()
    await clock.advance(1)
    expect(network.received).toEqual(["young", "last"])
  })
})

describe("onOpen", () => {
  it("C21 is awaited before the queue is flushed, and its sendNow goes first", async () => {
    let loggedIn = () => {}
    const { client, clock, network } = fakeClient({
      onOpen: async ({ sendNow, isReconnect }) => {
        sendNow(`login ${isReconnect}`)
        await new Promise<void>((resolve) => {
          loggedIn = resolve
        })
        sendNow("resume")
      },
    })
    client.send("queued")
    await clock.advance(1)
    expect(client.send("later")).toBe("queued")
    await clock.advance(100)
    expect(network.received).toEqual(["login false"])
    loggedIn()
    await clock.advance(1)
    expect(network.received).toEqual(["login false", "resume", "queued", "later"])
    network.last.cut()
    await clock.advance(1_050)
    expect(network.last.received).toEqual(["login true"])
  })

  it("C21 that fails sends nothing of the queue, and its sendNow throws once the connection is gone", async () => {
    let attempts = 0
    const late: unknown[] = []
    const { client, clock, network, log } = fakeClient({
      onOpen: async ({ sendNow }) => {
        attempts += 1
        if (attempts > 1) return
        clock.setTimer(() => {
          try {
            sendNow("late")
          } catch (error) {
            late.push(error)
          }
        }, 500)
        throw new Error("no login")
      },
    })
    client.send("kept")
    await clock.advance(600)
    expect(log.errors).toMatchObject([{ stage: "open", error: { message: "no login" } }])
    expect(late).toMatchObject([{ code: "CONNECTION_LOST" }])
    expect(client.queued).toBe(1)
    await clock.advance(1_050)
    expect(network.received).toEqual(["kept"])
    expect(network.sockets).toHaveLength(2)
  })
})

describe("10,000 random schedules of sends, cuts, refusals and pauses", () => {
  it.each([1, 2, 3, 4])(
    "C21 lose nothing silently, repeat nothing, and keep the order: part %i",
    async (part) => {
      for (let seed = part * 2_500; seed < (part + 1) * 2_500; seed += 1) {
        const { sent, received, handed, dropped, queued, lost, mostLive } = await playSchedule(seed)
        const told = `seed ${seed}`
        // numbers that only rise are a subsequence without repeats
        expect(isRising(received), told).toBe(true)
        expect(isRising(handed), told).toBe(true)
        expect(isRising(queued), told).toBe(true)
        expect([...handed, ...dropped, ...queued].toSorted(ascending), told).toEqual(sent)
        expect([...received, ...lost].toSorted(ascending), told).toEqual(handed)
        expect(mostLive, told).toBeLessThanOrEqual(1)
      }
    },
    60_000,
  )
})

describe("a socket with no room", () => {
  /** Dials into a socket that keeps what it is given, and notes the most it ever held. */
  async function stalled(maxBytes = 210_000_000) {
    const fake = fakeClient({ autoConnect: false, queue: { maxMessages: 100_000, maxBytes } })
    let most = 0
    fake.network.onDial = (socket) => {
      socket.isStalled = true
      watchSends(socket, () => {
        most = Math.max(most, socket.bufferedAmount)
      })
      socket.accept()
    }
    return { ...fake, most: () => most }
  }

  it.each([1_000, 65_536, MARK])(
    "C24 never holds more than twice the mark of a queue of 100 MiB: messages of %i bytes",
    async (size) => {
      const { client, clock, network, most } = await stalled()
      const count = Math.min(100_000, Math.ceil((100 * MARK) / size))
      const body = "x".repeat(size)
      for (let i = 0; i < count; i += 1) expect(client.send(body)).toBe("queued")
      client.connect()
      for (let i = 0; i < 400 && client.queued > 0; i += 1) {
        await clock.advance(20)
        network.last.drain(i % 3 === 0 ? 100_000 : MARK)
      }
      expect(client.queued).toBe(0)
      expect(client.queuedBytes).toBe(0)
      await clock.advance(1)
      expect(network.received).toHaveLength(count)
      expect(most()).toBeLessThanOrEqual(2 * MARK)
      expect(most()).toBeGreaterThanOrEqual(MARK)
      expect(client.bufferedBytes).toBeLessThanOrEqual(2 * MARK)
    },
    20_000,
  )

  it("C24 takes nothing while it is above the mark, and goes on below it", async () => {
    const { client, clock, network } = await openClient({ highWaterMarkBytes: 10 })
    network.last.isStalled = true
    expect(client.send("0123456789")).toBe("sent")
    expect(client.send("later")).toBe("queued")
    await clock.advance(10_000)
    expect(client.bufferedBytes).toBe(10)
    expect(network.received).toEqual(["0123456789"])
    network.last.drain(1)
    await clock.advance(20)
    expect(network.received).toEqual(["0123456789", "later"])
    expect(client.send("last")).toBe("queued")
    network.last.cut()
    await clock.advance(1_050)
    expect(network.last.received).toEqual(["last"])
    expect(clock.pending).toBe(1)
  })
})

describe("a socket whose send throws", () => {
  it("C24 keeps the message at the head, once, and the next connection gets it", async () => {
    const { client, clock, network, log } = await openClient()
    network.last.failingSends = 1
    expect(client.send("one")).toBe("queued")
    expect(client.send("two")).toBe("queued")
    expect(client.queued).toBe(2)
    await clock.advance(1_050)
    expect(network.sockets.map(({ received }) => received)).toEqual([[], ["one", "two"]])
    expect(log.errors).toMatchObject([{ stage: "socket", error: { code: "CONNECTION_LOST" } }])
    expect(log.dropped).toEqual([])
  })

  it("C24 in the middle of the flush keeps the rest behind it", async () => {
    const { client, clock, network } = fakeClient({ autoConnect: false })
    for (const message of ["1", "2", "3", "4"]) client.send(message)
    network.onDial = (socket) => {
      if (network.sockets.length === 1) {
        watchSends(socket, (sends) => {
          socket.failingSends = sends === 2 ? 1 : 0
        })
      }
      socket.accept()
    }
    client.connect()
    await clock.advance(2_000)
    expect(network.sockets.map(({ received }) => received)).toEqual([
      ["1", "2"],
      ["3", "4"],
    ])
    expect(client.queued).toBe(0)
  })
})

/** Calls back after each send, with how many there were. */
function watchSends(socket: DialledSocket, onSend: (count: number) => void): void {
  const send = socket.send.bind(socket)
  let count = 0
  socket.send = (data) => {
    send(data)
    count += 1
    onSend(count)
  }
}

function ascending(a: number, b: number): number {
  return a - b
}

function isRising(numbers: readonly number[]): boolean {
  return numbers.every((it, i) => i === 0 || it > (numbers[i - 1] as number))
}
