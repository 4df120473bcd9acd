import { json } from "holdfast"
import type { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { openClient } from "../../support/client-fake.js"
import type { FrameSocket, Make } from "../../support/client-network.js"

const beating = (make: Make = "frames") =>
  openClient<unknown, unknown>({ codec: json(), heartbeat: {}, make, answersLiteral: true })

/** Moves time on until the client has noticed, a minute at most. */
async function untilNotOpen(client: { readonly state: string }, clock: VirtualClock): Promise<void> {
  const until = clock.now() + 60_000
  while (client.state === "open" && clock.now() < until) await clock.advance(100)
  expect(client.state).not.toBe("open")
}

/** When a line that goes dead so long after its opening is noticed, in milliseconds. */
async function noticedAfter(deadAtMs: number, make: Make): Promise<number> {
  const { client, clock, network } = await beating(make)
  await clock.advance(deadAtMs)
  network.last.blackHole()
  const since = clock.now()
  await untilNotOpen(client, clock)
  await Promise.all([client.close(), clock.advance(1_000)])
  return clock.now() - since - 1_000
}

describe("a line that goes dead without a word", () => {
  it.each(["frames", "browser"] as const)("C12 is noticed within 20 s by default: %s", async (make) => {
    const times: number[] = []
    for (let deadAt = 500; deadAt < 60_000; deadAt += 1_500) times.push(await noticedAfter(deadAt, make))
    expect(Math.max(...times)).toBeLessThanOrEqual(20_100)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(5_000)
  })

  it("C12 is noticed on a connection that is dead from its first moment", async () => {
    const { client, clock, network } = await beating()
    network.last.cut()
    network.onDial = (socket) => {
      socket.accept()
      socket.blackHole()
    }
    await clock.advance(1_050)
    expect(client.state).toBe("open")
    await clock.advance(20_000)
    expect(client.state).not.toBe("open")
  })

  it.each(["frames", "browser"] as const)(
    "C12 is left at once: the next dial waits for no close: %s",
    async (make) => {
      const { client, clock, network, log } = await beating(make)
      await clock.advance(1)
      const [dead] = network.sockets
      dead?.blackHole()
      await untilNotOpen(client, clock)
      expect(log.changes.at(-1)).toMatchObject({ to: "waiting", lastClose: { code: 1006, wasOpen: true } })
      await clock.advance(1_050)
      expect(client.state).toBe("open")
      expect(network.sockets).toHaveLength(2)
      expect(network.mostLive).toBe(1)
      dead?.emit("close", { code: 1000, reason: "at last" })
      expect(client.state).toBe("open")
    },
  )

  it("C12 is not revived on its successor by a late pong of its own", async () => {
    const { client, clock, network } = await beating()
    const [old] = network.sockets as FrameSocket[]
    old?.blackHole()
    await untilNotOpen(client, clock)
    network.onDial = (socket) => {
      socket.accept()
      socket.blackHole()
    }
    await clock.advance(1_050)
    expect(client.state).toBe("open")
    for (let i = 0; i < 20; i += 1) {
      await clock.advance(1_000)
      for (const serial of ["1", "2", "3"]) old?.pong(serial)
      old?.emit("message", { data: "pong" })
      old?.emit("ping", {})
    }
    expect(client.state).not.toBe("open")
  })

  it("C12 is also one whose socket throws at the ping", async () => {
    const { client, clock, network, log } = await beating("browser")
    network.last.failingSends = 1
    await clock.advance(25_000)
    expect(client.state).toBe("open")
    expect(network.sockets).toHaveLength(2)
    expect(log.errors).toMatchObject([{ stage: "socket", error: { message: "send failed" } }])
  })
})

describe("timers that fire late", () => {
  it.each(["frames", "browser"] as const)(
    "C14 once a minute for 30 min close no connection that answers: %s",
    async (make) => {
      const { client, clock, network } = await beating(make)
      network.latencyMs = 50
      for (let minute = 0; minute < 30; minute += 1) {
        clock.stall(60_000)
        await clock.advance(100)
      }
      expect(client.state).toBe("open")
      expect(network.sockets).toHaveLength(1)
    },
  )

  it("C14 send one probe before they declare a silent line dead", async () => {
    const { client, clock, network } = await beating()
    const socket = network.last as FrameSocket
    await clock.advance(15_000)
    expect(socket.pings).toHaveLength(2)
    await clock.advance(1)
    socket.ping = (payload = "") => void socket.pings.push(payload)
    await clock.advance(15_000)
    expect(socket.pings).toHaveLength(3)
    clock.stall(3_600_000)
    await clock.advance(1)
    expect(client.state).toBe("open")
    expect(socket.pings).toHaveLength(4)
    await clock.advance(4_000)
    expect(client.state).toBe("open")
    await clock.advance(1_000)
    expect(client.state).toBe("waiting")
  })

  it("C14 after a night's sleep keep a connection whose answer to the probe comes", async () => {
    const { client, clock, network } = await beating()
    const socket = network.last as FrameSocket
    for (let night = 0; night < 5; night += 1) {
      await clock.advance(20_000)
      clock.stall(8 * 3_600_000)
      await clock.advance(20_000)
    }
    expect(client.state).toBe("open")
    expect(network.sockets).toEqual([socket])
  })
})
