import { createRequests, type Given, json, type RequestOptions } from "holdfast"
import { describe, expect, it } from "vitest"
import { type FakeClientOptions, fakeClient } from "../../support/client-fake.js"

type Message = { type: string } & Record<string, unknown>

/** A client of JSON that may be down, and requests over it whose outcomes are written down. */
function asking(options: Given<FakeClientOptions<unknown, unknown>> = {}) {
  const fake = fakeClient<unknown, unknown>({ codec: json(), ...options })
  const requests = createRequests({ clock: fake.clock, logger: false })
  const outcomes: unknown[] = []
  const { client, network, clock } = fake
  return {
    ...fake,
    requests,
    outcomes,
    ask(message: Message, requestOptions?: RequestOptions) {
      requests.request(client, message, requestOptions).then(
        (value) => outcomes.push(value),
        (error) => outcomes.push(error.code),
      )
    },
    told: () => network.received.map((it) => JSON.parse(String(it)) as unknown),
    async reply(id: number, data: unknown) {
      network.last.deliver(JSON.stringify({ type: "reply", id, data }))
      await clock.advance(0)
    },
  }
}

describe("T5: a request of a client without a connection", () => {
  it("waits in the queue, in its place, and is answered on the connection that comes", async () => {
    const { client, ask, told, clock, network, reply, outcomes } = asking()
    network.onDial = () => {}
    client.send({ type: "first" })
    ask({ type: "get" })
    client.send({ type: "last" })
    await clock.advance(5_000)
    expect([client.queued, outcomes]).toEqual([3, []])
    network.last.accept()
    await clock.advance(0)
    expect(told()).toEqual([{ type: "first" }, { type: "get", id: 1 }, { type: "last" }])
    await reply(1, "value")
    expect(outcomes).toEqual(["value"])
  })

  it("leaves the queue at its own deadline, and is never sent", async () => {
    const { client, ask, told, clock, network, outcomes } = asking()
    network.onDial = () => {}
    ask({ type: "get" }, { timeoutMs: 500 })
    await clock.advance(499)
    expect([client.queued, outcomes]).toEqual([1, []])
    await clock.advance(1)
    expect([client.queued, outcomes]).toEqual([0, ["REQUEST_TIMEOUT"]])
    network.last.accept()
    await clock.advance(100)
    expect(told()).toEqual([])
  })

  it("leaves the queue with its signal", async () => {
    const { client, ask, clock, network, outcomes } = asking()
    network.onDial = () => {}
    const abort = new AbortController()
    ask({ type: "get" }, { signal: abort.signal })
    await clock.advance(0)
    abort.abort()
    await clock.advance(0)
    expect([client.queued, outcomes]).toEqual([0, ["ABORTED"]])
  })

  it("outlives connections that end before it has left", async () => {
    const { client, ask, told, clock, network, reply, outcomes } = asking({
      onOpen: () => new Promise((resolve) => clock.setTimer(resolve, 100)),
    })
    ask({ type: "get" }, { timeoutMs: 60_000 })
    for (let i = 0; i < 3; i += 1) {
      await clock.advance(50)
      expect(client.state).toBe("open")
      network.last.cut()
      await clock.advance(0)
      await clock.advance((client.retryAt ?? 0) - clock.date())
    }
    await clock.advance(100)
    expect([told(), outcomes]).toEqual([[{ type: "get", id: 1 }], []])
    await reply(1, "value")
    expect(outcomes).toEqual(["value"])
  })

  it("is rejected when the queue has no room, or is emptied", async () => {
    const { client, ask, clock, network, outcomes } = asking({ queue: { maxMessages: 1 } })
    network.onDial = () => {}
    ask({ type: "one" })
    ask({ type: "two" })
    await clock.advance(0)
    expect(outcomes).toEqual(["QUEUE_FULL"])
    client.clearQueue()
    await clock.advance(0)
    expect(outcomes).toEqual(["QUEUE_FULL", "ABORTED"])
    expect(clock.pending).toBe(1) // the connect timeout
  })

  it("ends with the client", async () => {
    const { client, ask, clock, network, outcomes } = asking()
    network.onDial = () => {}
    ask({ type: "waiting" })
    await clock.advance(0)
    void client.close()
    ask({ type: "late" })
    await clock.advance(0)
    ask({ type: "too late" })
    await clock.advance(0)
    expect(outcomes).toEqual(["CONNECTION_LOST", "CONNECTION_LOST", "CONNECTION_LOST"])
    expect(clock.pending).toBe(0)
  })
})

describe("T5: a request of a client whose connection ends before the answer", () => {
  it("is lost: it may have been carried out, and is not repeated", async () => {
    const { ask, told, clock, network, outcomes } = asking()
    await clock.advance(0)
    ask({ type: "get" })
    await clock.advance(0)
    network.last.cut()
    await clock.advance(0)
    expect(outcomes).toEqual(["CONNECTION_LOST"])
    await clock.advance(5_000)
    expect([told(), network.sockets.length]).toEqual([[{ type: "get", id: 1 }], 2])
  })

  it("is repeated where it is idempotent, with the same id, as long as its time lasts", async () => {
    const { ask, told, clock, network, reply, outcomes } = asking()
    await clock.advance(0)
    ask({ type: "get" }, { idempotent: true, timeoutMs: 5_000 })
    ask({ type: "other" }, { idempotent: true, timeoutMs: 1_000 })
    await clock.advance(0)
    network.last.cut()
    await clock.advance(1_040)
    expect(outcomes).toEqual(["REQUEST_TIMEOUT"])
    await clock.advance(10)
    expect(told()).toEqual([
      { type: "get", id: 1 },
      { type: "other", id: 2 },
      { type: "get", id: 1 },
    ])
    await reply(1, "value")
    expect(outcomes).toEqual(["REQUEST_TIMEOUT", "value"])
  })

  it.each(["reconnect", "pause", "close"] as const)(
    "is lost when the client itself ends it: %s()",
    async (method) => {
      const { client, ask, clock, outcomes } = asking()
      await clock.advance(0)
      ask({ type: "before" })
      await clock.advance(0)
      ask({ type: "in the same breath" })
      void client[method]()
      await clock.advance(10)
      expect(outcomes).toEqual(["CONNECTION_LOST", "CONNECTION_LOST"])
    },
  )

  it("is not answered by what comes on the next connection under another request's id", async () => {
    const { ask, clock, network, reply, outcomes, requests } = asking()
    await clock.advance(0)
    ask({ type: "get" })
    await clock.advance(0)
    network.last.cut()
    await clock.advance(2_000)
    ask({ type: "get" })
    await clock.advance(0)
    await reply(1, "of the first")
    expect([outcomes, requests.unmatched]).toEqual([["CONNECTION_LOST"], 1])
    await reply(2, "of the second")
    expect(outcomes).toEqual(["CONNECTION_LOST", "of the second"])
  })

  it("keeps a promise for each of a thousand requests and random ends: one outcome each, none twice carried out", async () => {
    const { ask, clock, network, client, outcomes, requests } = asking({ queue: { maxMessages: 2_000 } })
    let seed = 7
    const chance = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % below
    }
    const carriedOut = new Map<number, number>()
    network.onDial = (socket) => {
      if (chance(3) === 0) socket.refuse()
      else socket.accept()
    }
    for (let i = 0; i < 1_000; i += 1) {
      ask({ type: "get", i }, { timeoutMs: 20_000 })
      await clock.advance(chance(20))
      for (const raw of network.received.splice(0)) {
        const { id, i: n } = JSON.parse(String(raw)) as { id: number; i: number }
        carriedOut.set(n, (carriedOut.get(n) ?? 0) + 1)
        if (chance(10) > 0) network.last.deliver(JSON.stringify({ type: "reply", id, data: n }))
      }
      if (chance(15) === 0 && client.state === "open") network.last.cut()
    }
    await clock.advance(60_000)
    expect(outcomes).toHaveLength(1_000)
    expect([...carriedOut.values()].filter((times) => times > 1)).toEqual([])
    const values = outcomes.filter((it) => typeof it === "number")
    expect(new Set(values).size).toBe(values.length)
    expect(values.every((it) => carriedOut.has(it as number))).toBe(true)
    expect(requests.pending(client)).toBe(0)
    expect(new Set(outcomes.filter((it) => typeof it === "string"))).toEqual(
      new Set(["CONNECTION_LOST", "REQUEST_TIMEOUT"]),
    )
  })
})
