import { json } from "holdfast"
import { describe, expect, it } from "vitest"
import { fakeClient, openClient } from "../../support/client-fake.js"
import type { FrameSocket } from "../../support/client-network.js"

type Fake = Awaited<ReturnType<typeof openClient<unknown, unknown>>>

/** What became of promises: "done", an error's code, or "open". */
function fatesOf(promises: readonly Promise<unknown>[]): string[] {
  const fates = promises.map(() => "open")
  promises.forEach((promise, index) => {
    const settle = (fate: string) => {
      fates[index] = fate
    }
    promise.then(
      () => settle("done"),
      ({ code, name }) => settle(code ?? name),
    )
  })
  return fates
}

/** Counts what a client cannot vouch for, connection by connection. */
function unconfirmedOf({ client }: Pick<Fake, "client">): number[] {
  const counts: number[] = []
  client.on("unconfirmed", ({ count }) => counts.push(count))
  return counts
}

const fenced = { until: "fenced" } as const

describe("C23 sendAsync until the socket has the message", () => {
  it("C23 resolves at once on an open connection, and when its turn has come otherwise", async () => {
    const { client, clock, network } = fakeClient()
    const fates = fatesOf([client.sendAsync("a"), client.sendAsync("b", { until: "handoff" })])
    await null
    expect(fates).toEqual(["open", "open"])
    await clock.advance(1)
    expect(fates).toEqual(["done", "done"])
    await client.sendAsync("c")
    expect(network.received).toEqual(["a", "b", "c"])
  })

  it("C23 rejects with the reason when the message was not sent", async () => {
    const { client, clock } = fakeClient({ autoConnect: false, queue: { maxMessages: 3 } })
    const abort = new AbortController()
    const fates = fatesOf([
      client.sendAsync("gone", { volatile: true }),
      client.sendAsync("old", { ttlMs: 10 }),
      client.sendAsync("replaced", { key: "k" }),
      client.sendAsync("newer", { key: "k" }),
      client.sendAsync("unwanted", { signal: abort.signal }),
      client.sendAsync("too many"),
      client.sendAsync("never", { signal: AbortSignal.abort() }),
    ])
    abort.abort(new Error("changed my mind"))
    await clock.advance(20)
    client.clearQueue()
    await clock.advance(1)
    expect(fates).toEqual([
      "CONNECTION_LOST",
      "SEND_TIMEOUT",
      "ABORTED",
      "ABORTED",
      "ABORTED",
      "QUEUE_FULL",
      "ABORTED",
    ])
    await expect(client.sendAsync("x", { until: "later" as never })).rejects.toThrow(
      'sendAsync.until must be one of "handoff", "fenced", received "later"',
    )
  })

  it("C23 rejects what waits when the client ends, and the queue keeps it", async () => {
    const { client, clock } = fakeClient({ autoConnect: false })
    const fates = fatesOf([client.sendAsync("a"), client.sendAsync("b", fenced)])
    void client.close()
    await clock.advance(1)
    expect(fates).toEqual(["CONNECTION_LOST", "CONNECTION_LOST"])
    expect(client.drainQueue()).toEqual(["a", "b"])
    await expect(client.sendAsync("c")).rejects.toMatchObject({ code: "CONNECTION_LOST" })
  })

  it("C23 rejects what cannot be encoded, and leaves no listener on the signal", async () => {
    const { client } = await openClient<unknown, unknown>({ codec: json() })
    const { signal } = new AbortController()
    const listeners: string[] = []
    signal.addEventListener = (type: string) => void listeners.push(`+${type}`)
    signal.removeEventListener = (type: string) => void listeners.push(`-${type}`)
    await expect(client.sendAsync(1n, { signal })).rejects.toMatchObject({ code: "ENCODE_FAILED" })
    await client.sendAsync(1, { signal })
    expect(listeners).toEqual(["+abort", "-abort"])
  })
})

describe("C23 sendAsync until the peer has the message", () => {
  it("C23 sends one ping for all that is sent in one go, and resolves on its pong", async () => {
    const { client, clock, network } = await openClient({ make: "frames" })
    network.latencyMs = 50
    const fates = fatesOf([client.sendAsync("a", fenced), client.sendAsync("b", fenced)])
    await clock.advance(49)
    expect((network.last as FrameSocket).pings).toEqual(["1"])
    expect(fates).toEqual(["open", "open"])
    await clock.advance(1)
    expect(fates).toEqual(["done", "done"])
  })

  it("C23 resolves what went before a ping only, with literal pings too", async () => {
    const { client, clock, network } = await openClient({ codec: json() as never, answersLiteral: true })
    network.latencyMs = 50
    const first = fatesOf([client.sendAsync("a", fenced)])
    await clock.advance(50)
    const second = fatesOf([client.sendAsync("b", fenced)])
    await clock.advance(50)
    expect([first, second]).toEqual([["done"], ["open"]])
    await clock.advance(50)
    expect(second).toEqual(["done"])
    expect(network.received).toEqual(['"a"', "ping", '"b"', "ping"])
  })

  it("C23 is proved by any ping that was sent after it: a heartbeat's, a probe's", async () => {
    const { client, clock, network } = await openClient({ make: "frames" })
    const socket = network.last as FrameSocket
    socket.ping = (payload = "") => void socket.pings.push(payload)
    const fates = fatesOf([client.sendAsync("a", fenced)])
    await null
    client.probe().catch(() => {})
    socket.pong("2")
    await clock.advance(1)
    expect(fates).toEqual(["done"])
  })

  it("C23 rejects with UNCONFIRMED when the connection dies first, and does not send again", async () => {
    const fake = await openClient({ make: "frames" })
    const { client, clock, network } = fake
    const counts = unconfirmedOf(fake as never)
    network.last.blackHole()
    const promises = [client.sendAsync("a", fenced), client.sendAsync("b"), client.sendAsync("c", fenced)]
    const fates = fatesOf(promises)
    network.last.end(1006)
    await clock.advance(2_000)
    expect(client.state).toBe("open")
    expect(fates).toEqual(["UNCONFIRMED", "done", "UNCONFIRMED"])
    expect([counts, network.received]).toEqual([[3], []])
  })

  it("C23 rejects on its signal while it waits for the proof, and does not say that it was not sent", async () => {
    const { client, clock, network } = await openClient({ make: "frames" })
    network.last.isDeaf = true
    const abort = new AbortController()
    const fates = fatesOf([client.sendAsync("a", { until: "fenced", signal: abort.signal })])
    await clock.advance(10)
    abort.abort()
    await clock.advance(1)
    expect(fates).toEqual(["UNCONFIRMED"])
  })

  it("C23 rejects where nothing can prove it: a server that answers no ping", async () => {
    const fake = await openClient<unknown, unknown>({ codec: json(), heartbeat: {} })
    const early = fatesOf([fake.client.sendAsync("early", fenced)])
    await fake.clock.advance(60_000)
    const late = fatesOf([fake.client.sendAsync("late", fenced)])
    await fake.clock.advance(1)
    expect([early, late]).toEqual([["UNCONFIRMED"], ["UNCONFIRMED"]])
    expect(fake.client.state).toBe("open")
    const mute = await openClient()
    await expect(mute.client.sendAsync("a", fenced)).rejects.toThrow("nothing to ping with")
  })
})

describe("C23 unconfirmed", () => {
  it("C23 tells 100 messages into a dead link as 100, once", async () => {
    const fake = await openClient<unknown, unknown>({ codec: json(), heartbeat: {}, make: "frames" })
    const { client, clock, network } = fake
    const counts = unconfirmedOf(fake)
    client.send("before")
    await clock.advance(2_000)
    network.last.blackHole()
    for (let i = 0; i < 100; i += 1) expect(client.send(i)).toBe("sent")
    await clock.advance(60_000)
    expect([client.state, counts]).toEqual(["open", [100]])
  })

  it("C23 proves messages within 1 s and a round trip while they flow, and sends no ping when none do", async () => {
    const fake = await openClient<unknown, unknown>({
      codec: json(),
      heartbeat: { intervalMs: 3_600_000 },
      make: "frames",
    })
    const { client, clock, network } = fake
    const socket = network.last as FrameSocket
    const counts = unconfirmedOf(fake)
    expect(socket.pings).toHaveLength(1)
    for (let i = 0; i < 100; i += 1) {
      client.send(i)
      await clock.advance(100)
    }
    expect(socket.pings.length).toBeGreaterThanOrEqual(9)
    expect(socket.pings.length).toBeLessThanOrEqual(12)
    await clock.advance(5_000)
    const pings = socket.pings.length
    await clock.advance(600_000)
    expect(socket.pings).toHaveLength(pings)
    client.send("unproved")
    socket.end(1006)
    await clock.advance(5_000)
    expect(counts).toEqual([1])
  })

  it("C23 tells what is open when the server's own close has crossed ours: it is no answer", async () => {
    const fake = await openClient<unknown, unknown>({ make: "frames" })
    const { client, clock, network } = fake
    const counts = unconfirmedOf(fake)
    network.last.isDeaf = true
    client.send("a")
    void client.close()
    network.last.end(1012)
    await clock.advance(1)
    expect([client.state, counts]).toEqual(["closed", [1]])
  })

  it.each([1000, 1012])(
    "C23 tells what is open when the server had begun to close, with %i, before close()",
    async (code) => {
      const fake = await openClient<unknown, unknown>({ make: "frames" })
      const { client, clock, network, log } = fake
      const counts = unconfirmedOf(fake)
      network.last.isDeaf = true
      client.send("a")
      // its close frame is here, and the end of the stream is not
      network.last.readyState = 2
      void client.close()
      await clock.advance(500)
      expect(client.state).toBe("closing")
      network.last.end(code)
      expect([client.state, counts]).toEqual(["closed", [1]])
      expect(log.ends).toMatchObject([{ cause: "closed", lastClose: { code } }])
      expect(clock.pending).toBe(0)
    },
  )

  it("C23 tells nothing after a closing handshake that this side began: the peer has read it all", async () => {
    const fake = await openClient({ make: "frames" })
    const counts = unconfirmedOf(fake as never)
    fake.client.send("last words")
    void fake.client.close()
    await fake.clock.advance(2_000)
    expect([counts, fake.log.ends.length]).toEqual([[], 1])
  })

  it.each([
    ["a close that the peer began", ({ network }: Fake) => network.last.end(4_000)],
    ["pause()", ({ client }: Fake) => client.pause()],
    ["reconnect()", ({ client }: Fake) => client.reconnect()],
    [
      "an abrupt end while closing",
      ({ client, network }: Fake) => {
        network.last.isDeaf = true
        void client.close()
      },
    ],
  ])("C23 tells what is open after %s", async (_, end) => {
    const fake = await openClient<unknown, unknown>({ make: "frames", codec: json() })
    const counts = unconfirmedOf(fake)
    fake.client.send("a")
    end(fake)
    await fake.clock.advance(2_000)
    expect(counts).toEqual([1])
  })

  it("C23 comes before the end, and does not count what onOpen sends nor what was never handed over", async () => {
    const fake = fakeClient({ make: "frames", onOpen: ({ sendNow }) => sendNow("login") })
    const events: string[] = []
    fake.client.on("unconfirmed", ({ count }) => events.push(`unconfirmed ${count}`))
    fake.client.on("end", () => events.push("end"))
    fake.client.send("a")
    await fake.clock.advance(1)
    fake.network.last.isDeaf = true
    fake.client.send("b")
    void fake.client.close()
    await fake.clock.advance(2_000)
    expect(events).toEqual(["unconfirmed 2", "end"])
  })

  it("C23 sends no more pings than 1,024 to a peer that answers none of them", async () => {
    const { client, clock, network } = await openClient({ make: "frames" })
    const socket = network.last as FrameSocket
    socket.ping = (payload = "") => void socket.pings.push(payload)
    const probes = Array.from({ length: 1_030 }, () => client.probe({ timeoutMs: 60_000 }))
    const fates = fatesOf(probes)
    await clock.advance(1)
    expect(socket.pings).toHaveLength(1_024)
    expect(fates.filter((it) => it === "UNCONFIRMED")).toHaveLength(6)
    socket.pong("sg")
    await clock.advance(1)
    expect(fates.filter((it) => it === "done")).toHaveLength(1_024)
  })
})

describe("C23 sendAsync with ttlMs, while there is no connection", () => {
  it.each([1, 100, 60_000])("C23 rejects when %i ms are over, and not at the next open", async (ttlMs) => {
    const { client, clock, log } = fakeClient({ autoConnect: false })
    const fates = fatesOf([client.sendAsync("old", { ttlMs }), client.sendAsync("young")])
    client.send("as old", { ttlMs })
    await clock.advance(ttlMs - 1)
    expect(fates).toEqual(["open", "open"])
    await clock.advance(1)
    expect(fates).toEqual(["SEND_TIMEOUT", "open"])
    expect(log.dropped.map(({ reason }) => reason)).toEqual(["expired", "expired"])
    expect(client.queued).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it("C23 leaves no timer behind, sent or not", async () => {
    const { client, clock } = await openClient()
    const fates = fatesOf([client.sendAsync("now", { ttlMs: 60_000 })])
    client.pause()
    fates.push(...fatesOf([client.sendAsync("later", { ttlMs: 60_000 })]))
    await clock.advance(1)
    void client.close()
    await clock.advance(1)
    expect(fates[0]).toBe("done")
    expect(clock.pending).toBe(0)
  })
})
