import { describe, expect, it, vi } from "vitest"
import { fakeClient, openClient } from "../../support/client-fake.js"
import type { DialledSocket, Make } from "../../support/client-network.js"

const MAKES: readonly Make[] = ["browser", "node22", "node24", "frames"]

/** How an attempt can fail, as the socket shows it. */
const FAILURES: Record<string, (socket: DialledSocket) => void> = {
  "error and close": (socket) => socket.refuse(),
  "close without error": (socket) => socket.end(1006),
  "error without close": (socket) => socket.emit("error", { message: "" }),
  "close before error": (socket) => {
    socket.end(1006)
    socket.emit("error", { message: "" })
  },
  "two errors": (socket) => {
    socket.emit("error", { error: new Error("first") })
    socket.emit("error", { error: new Error("second") })
    socket.end(1006)
  },
  silence: () => {},
}

const cells = MAKES.flatMap((make) => Object.keys(FAILURES).map((failure) => [make, failure] as const))

describe("an attempt over a socket of any make", () => {
  it.each(cells)("C31 %s: ends once on %s, and is retried", async (make, failure) => {
    const { client, clock, network, log } = fakeClient({ make, connectTimeoutMs: 500 })
    network.onDial = (socket) => {
      if (network.sockets.length > 1) socket.accept()
      else FAILURES[failure]?.(socket)
    }
    await clock.advance(500)
    expect(log.states).toEqual(["connecting", "waiting"])
    expect(log.changes.at(-1)).toMatchObject({ attempt: 1, lastClose: { code: 1006, wasOpen: false } })
    expect(log.errors.length).toBeLessThanOrEqual(1)
    await clock.advance(1_050)
    expect(client.state).toBe("open")
    expect(network.sockets).toHaveLength(2)
    await Promise.all([client.close(), clock.advance(1)])
    expect(clock.pending).toBe(0)
  })

  it.each(MAKES)("C31 %s: is closed while connecting, and dialled again when asked to", async (make) => {
    const { client, clock, network, log } = fakeClient({ make })
    network.onDial = (socket) => network.sockets.length > 1 && socket.accept()
    await clock.advance(1)
    client.pause()
    client.connect()
    await clock.advance(1)
    expect(client.state).toBe("open")
    expect(log.states).toEqual(["connecting", "paused", "connecting", "open"])
    expect(log.errors).toEqual([])
    expect(network.live).toHaveLength(1)
  })

  it.each(MAKES)(
    "C31 %s: a constructor that throws is a failed attempt where the address is asked for",
    async (make) => {
      const url = vi.fn(() => (url.mock.calls.length > 1 ? "ws://far.example/" : "http://far.example/"))
      const { client, clock, log } = fakeClient({ make, url })
      await clock.advance(1_050)
      expect(client.state).toBe("open")
      expect(log.errors).toHaveLength(1)
    },
  )
})

describe("an open socket of any make", () => {
  it.each(MAKES)("C31 %s: tells its close code, also after an error", async (make) => {
    const { client, network, log } = await openClient({ make })
    const cause = new Error("frame too big")
    network.last.emit("error", { error: cause })
    expect(client.state).toBe("open")
    network.last.end(4_000, "bye")
    expect(client.state).toBe("waiting")
    expect(log.errors).toEqual([{ error: cause, stage: "socket" }])
    expect(log.changes.at(-1)?.lastClose).toEqual({ code: 4_000, reason: "bye", wasOpen: true, error: cause })
  })

  it.each(MAKES)("C31 %s: that has an error and never a close ends after closeTimeoutMs", async (make) => {
    const { client, clock, network, log } = await openClient({ make })
    network.last.blackHole()
    network.last.emit("error", { error: new Error("gone") })
    await clock.advance(999)
    expect(client.state).toBe("open")
    await clock.advance(1)
    expect(client.state).toBe("waiting")
    expect(log.errors).toMatchObject([{ stage: "socket" }])
  })

  it.each(MAKES)("C31 %s: that has an error while onOpen runs, and never a close, ends too", async (make) => {
    let finish = () => {}
    const onOpen = () => new Promise<void>((resolve) => (finish = resolve))
    const { client, clock, network, log } = await openClient({ make, onOpen })
    network.last.blackHole()
    network.last.emit("error", { error: new Error("gone") })
    finish()
    await clock.advance(10_000)
    expect(client.state).toBe("waiting")
    expect(log.errors).toMatchObject([{ stage: "socket", error: { message: "gone" } }])
  })

  it.each(MAKES)("C31 %s: that closes cleanly is no error", async (make) => {
    const { network, log } = await openClient({ make })
    network.last.end(1000)
    expect(log.errors).toEqual([])
    expect(log.changes.at(-1)?.lastClose).toEqual({ code: 1000, reason: "", wasOpen: true, error: undefined })
  })

  it("C37 hands over bytes as bytes: binaryType is arraybuffer on every socket", async () => {
    const { clock, network } = await openClient()
    network.last.cut()
    await clock.advance(1_050)
    expect(network.sockets.map((it) => it.binaryType)).toEqual(["arraybuffer", "arraybuffer"])
  })
})
