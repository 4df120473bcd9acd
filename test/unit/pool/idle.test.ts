import { describe, expect, it, vi } from "vitest"
import { fakePool, outcomeOf } from "../../support/pool-fake.js"
import { RecordingLogger } from "../../support/recording-logger.js"

const bug = new Error("a bug in a callback")

/** A pool with one idle connection. */
async function idlePool(options: Parameters<typeof fakePool>[0] = {}) {
  const fake = fakePool(options)
  const lease = await fake.take()
  lease.release()
  await fake.turn()
  return { ...fake, id: lease.id, counts: () => fake.counts }
}

describe("an idle connection", () => {
  it("C40 is closed after idleTimeoutMs, and no timer outlives it", async () => {
    const { pool, clock, far, closed, id } = await idlePool({ idleTimeoutMs: 1_000 })
    await clock.advance(999)
    expect(pool.idle).toBe(1)
    await clock.advance(1)
    expect(far(0).closes).toEqual([{ code: 1000, reason: "idle" }])
    expect(closed).toMatchObject([{ id, code: 1000, reason: "idle", cause: "local", wasLeased: false }])
    expect([pool.size, clock.pending]).toEqual([0, 0])
  })

  it("C40 is counted from its last release, and the ones that are not needed go first", async () => {
    const fake = fakePool({ idleTimeoutMs: 1_000 })
    const [busy, spare] = [await fake.take(), await fake.take()]
    spare.release()
    busy.release()
    for (let i = 0; i < 10; i += 1) {
      await fake.clock.advance(300)
      const lease = await fake.take()
      expect(lease.id).toBe(busy.id)
      lease.release()
    }
    expect(fake.closed.map(({ id }) => id)).toEqual([spare.id])
    expect(fake.counts).toEqual({ size: 1, idle: 1, leased: 0, waiting: 0 })
  })

  it("C40 stays for ever where idleTimeoutMs is false", async () => {
    const { pool, clock } = await idlePool({ idleTimeoutMs: false })
    await clock.advance(86_400_000)
    expect([pool.idle, clock.pending]).toEqual([1, 0])
  })

  it("C40 that is lent in the moment of its timeout is not closed", async () => {
    const { pool, clock, far } = await idlePool({ idleTimeoutMs: 1_000 })
    await clock.advance(999)
    const lease = outcomeOf(pool.acquire())
    await clock.advance(10_000)
    expect(lease.value?.state).toBe("open")
    expect(far(0).closes).toEqual([])
  })

  it("C40 that has died is not lent", async () => {
    const { pool, clock, far, network, closed } = await idlePool()
    far(0).deliver("hello")
    far(0).cut()
    const lease = outcomeOf(pool.acquire())
    await clock.advance(0)
    expect(network.sockets).toHaveLength(2)
    expect(lease.value?.id).not.toBe(closed[0]?.id)
  })

  it("C40 whose end has begun, and was not told yet, is not lent either", async () => {
    const { pool, clock, far, network } = await idlePool()
    far(0).readyState = 2
    const lease = outcomeOf(pool.acquire())
    await clock.advance(0)
    expect(network.sockets).toHaveLength(2)
    expect(lease.value?.state).toBe("open")
    await clock.advance(1_000)
    expect(pool.size).toBe(1)
  })

  it("C40 that is older than maxAgeMs is closed instead of lent", async () => {
    const { pool, clock, far, closed } = await idlePool({ max: 2, maxAgeMs: 60_000, idleTimeoutMs: false })
    await clock.advance(60_000)
    const young = outcomeOf(pool.acquire())
    await clock.advance(1)
    expect(far(0).closes).toEqual([])
    young.value?.release()
    const fresh = outcomeOf(pool.acquire())
    await clock.advance(0)
    expect(far(0).closes).toEqual([{ code: 1000, reason: "old" }])
    expect(fresh.value?.id).not.toBe(closed[0]?.id)
  })
})

describe("a message to an idle connection", () => {
  it("C40 is discarded, and does not stop the next from being read", async () => {
    const { pool, clock, far } = await idlePool()
    for (let i = 0; i < 100; i += 1) far(0).deliver("late")
    const lease = outcomeOf(pool.acquire())
    await clock.advance(0)
    const heard: string[] = []
    lease.value?.on("message", ({ data }) => heard.push(data))
    far(0).deliver("mine")
    await clock.advance(0)
    expect(heard).toEqual(["mine"])
    expect(far(0).isPaused).toBe(false)
  })

  it.each(["late", new Uint8Array([1])])(
    "C40 closes the connection with idleMessages: evict: %o",
    async (message) => {
      const { pool, clock, far, closed } = await idlePool({ idleMessages: "evict" })
      far(0).deliver(message)
      const lease = outcomeOf(pool.acquire())
      await clock.advance(0)
      expect(closed).toMatchObject([{ reason: "spoke while idle", cause: "local" }])
      expect(lease.value?.id).not.toBe(closed[0]?.id)
    },
  )

  it("C40 with idleMessages: evict, may come while the connection is leased", async () => {
    const fake = fakePool({ idleMessages: "evict" })
    const lease = await fake.take()
    fake.far(0).deliver("mine")
    lease.release()
    await fake.turn()
    expect(fake.counts).toEqual({ size: 1, idle: 1, leased: 0, waiting: 0 })
  })

  it("C40 that is a literal ping is answered below the codec", async () => {
    const { clock, far } = await idlePool({ literalPing: { ping: "are you there", pong: "yes" } })
    far(0).deliver("are you there")
    await clock.advance(0)
    expect(far(0).received).toEqual(["yes"])
  })
})

describe("validate", () => {
  it("C40 is asked before a connection is lent again, and not about a new one", async () => {
    const validate = vi.fn(async () => true)
    const { pool, clock, id } = await idlePool({ validate })
    expect(validate).not.toHaveBeenCalled()
    const lease = outcomeOf(pool.acquire())
    await clock.advance(0)
    expect(lease.value?.id).toBe(id)
    expect(validate).toHaveBeenCalledTimes(1)
  })

  it.each([
    ["returns false", () => false, []],
    [
      "throws",
      () => {
        throw bug
      },
      [{ error: bug, stage: "validate" }],
    ],
    ["rejects", async () => Promise.reject(bug), [{ error: bug, stage: "validate" }]],
  ])("C40 that %s has the connection closed, and another is lent", async (_, validate, errors) => {
    const { pool, clock, far, closed, errors: told } = await idlePool({ validate })
    const lease = outcomeOf(pool.acquire())
    await clock.advance(0)
    expect(far(0).closes).toEqual([{ code: 1000, reason: "invalid" }])
    expect(lease.value?.id).not.toBe(closed[0]?.id)
    expect(lease.value?.state).toBe("open")
    expect(told).toEqual(errors)
  })

  it("C40 that says yes to a connection whose end has begun is not believed", async () => {
    const sockets: { readyState: number }[] = []
    const fake = await idlePool({
      validate: () => {
        for (const socket of sockets) socket.readyState = 2
        return true
      },
    })
    sockets.push(fake.far(0))
    const lease = outcomeOf(fake.pool.acquire())
    await fake.clock.advance(0)
    expect(lease.value?.state).toBe("open")
    expect(lease.value?.id).not.toBe(fake.id)
  })

  it("C40 that hangs has connectTimeoutMs, and others are not lent before their turn", async () => {
    const validate = () => new Promise<boolean>(() => {})
    const { pool, clock, closed, network, counts } = await idlePool({ validate, connectTimeoutMs: 500 })
    const [first, second] = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())]
    await clock.advance(0)
    // a new one is dialled for the second; it is the first who gets it
    expect([first.isSettled, second.isSettled]).toEqual([true, false])
    await clock.advance(500)
    expect(closed).toMatchObject([{ cause: "local" }])
    expect(second.value?.state).toBe("open")
    expect(network.sockets).toHaveLength(3)
    expect(counts()).toEqual({ size: 2, idle: 0, leased: 2, waiting: 0 })
  })

  it("C40 does not outlive its connection, and a connection that nobody wants any more is idle", async () => {
    let answer: (isValid: boolean) => void = () => {}
    const validate = () =>
      new Promise<boolean>((resolve) => {
        answer = resolve
      })
    const { pool, clock, far, errors } = await idlePool({ validate, max: 1 })
    const abort = new AbortController()
    outcomeOf(pool.acquire({ signal: abort.signal }))
    await clock.advance(0)
    abort.abort()
    answer(true)
    await clock.advance(0)
    expect(pool.idle).toBe(1)
    const second = outcomeOf(pool.acquire())
    await clock.advance(0)
    far(0).end(1000)
    await clock.advance(0)
    expect(second.value?.state).toBe("open")
    expect(errors).toEqual([])
    expect(pool.size).toBe(1)
  })

  it("C40 may talk with the server, and nothing of it reaches the holder", async () => {
    const { pool, clock, far } = await idlePool({
      validate: async (connection) => {
        connection.send("are you well?")
        const { value } = await connection[Symbol.asyncIterator]().next()
        return value === "yes"
      },
    })
    const lease = outcomeOf(pool.acquire())
    await clock.advance(0)
    expect(far(0).received).toEqual(["are you well?"])
    far(0).deliver("yes")
    await clock.advance(0)
    const heard: string[] = []
    lease.value?.on("message", ({ data }) => heard.push(data))
    far(0).deliver("mine")
    await clock.advance(0)
    expect(heard).toEqual(["mine"])
  })
})

describe("the heartbeat of a pool", () => {
  const heartbeat = { intervalMs: 1_000, timeoutMs: 500 }

  it("C40 finds a dead connection while it is idle, and one that is leased", async () => {
    const fake = fakePool({ heartbeat, max: 3 })
    const leases = [await fake.take(), await fake.take(), await fake.take()]
    leases[0]?.release()
    fake.far(0).blackHole()
    fake.far(1).blackHole()
    const ends: string[] = []
    for (const lease of leases)
      lease.on("close", ({ cause }) => ends.push(`${leases.indexOf(lease)} ${cause}`))
    await fake.clock.advance(2_000)
    expect(ends).toEqual(["1 heartbeat"])
    expect(fake.closed.map(({ cause, wasLeased }) => ({ cause, wasLeased }))).toEqual(
      expect.arrayContaining([
        { cause: "heartbeat", wasLeased: false },
        { cause: "heartbeat", wasLeased: true },
      ]),
    )
    expect(fake.counts).toEqual({ size: 1, idle: 0, leased: 1, waiting: 0 })
    expect(leases[2]?.rttMs).toBe(0)
  })

  it("C40 is one timer for all, and none once they have ended", async () => {
    const fake = fakePool({ heartbeat, idleTimeoutMs: 5_000 })
    const leases = [await fake.take(), await fake.take(), await fake.take()]
    const { pending } = fake.clock
    expect(pending).toBe(1)
    for (const lease of leases) lease.release()
    await fake.clock.advance(5_000)
    expect([fake.pool.size, fake.clock.pending]).toEqual([0, 0])
  })

  it("C40 says once where it can see nothing, and leaves the connections alone", async () => {
    const logger = new RecordingLogger()
    const fake = fakePool({ heartbeat, make: "browser", logger })
    const leases = [await fake.take(), await fake.take()]
    await fake.clock.advance(60_000)
    expect(leases.map(({ state }) => state)).toEqual(["open", "open"])
    expect(logger.lines).toMatchObject([{ level: "warn", message: expect.stringContaining("no pings") }])
  })
})
