import { describe, expect, it } from "vitest"
import type { Make } from "../../support/client-network.js"
import { fakePool, outcomeOf } from "../../support/pool-fake.js"

const MAKES: readonly Make[] = ["browser", "frames"]

describe("close()", () => {
  it.each(MAKES)("C40 %s: ends everything there is, and rejects who waits", async (make) => {
    const fake = fakePool({ make, max: 3 })
    const idle = await fake.take()
    const leased = await fake.take()
    idle.release()
    fake.network.onDial = () => {}
    const taken = await fake.take()
    const waiting = [1, 2].map(() => outcomeOf(fake.pool.acquire()))
    await fake.turn()
    expect(fake.counts).toEqual({ size: 3, idle: 0, leased: 2, waiting: 2 })
    const ends: string[] = []
    for (const lease of [leased, taken])
      lease.on("close", ({ cause, reason }) => ends.push(`${cause}: ${reason}`))
    const closed = outcomeOf(fake.pool.close())
    await fake.turn()
    expect(waiting.map(({ error }) => error)).toMatchObject([
      { code: "POOL_CLOSED" },
      { code: "POOL_CLOSED" },
    ])
    expect(ends).toEqual(["local: the pool is closed", "local: the pool is closed"])
    expect(closed.isSettled).toBe(true)
    expect(fake.network.live).toEqual([])
    expect(fake.counts).toEqual({ size: 0, idle: 0, leased: 0, waiting: 0 })
    expect(fake.clock.pending).toBe(0)
    leased.release()
    await expect(fake.pool.acquire()).rejects.toMatchObject({ code: "POOL_CLOSED" })
    expect(fake.pool.isClosing).toBe(true)
    expect(fake.errors).toEqual([])
  })

  it("C40 leaves nothing idle from its first moment on", async () => {
    const fake = fakePool({ max: 2 })
    const [first, second] = [await fake.take(), await fake.take()]
    first.release()
    second.release()
    for (const index of [0, 1]) fake.far(index).isDeaf = true
    void fake.pool.close()
    expect(fake.counts).toEqual({ size: 2, idle: 0, leased: 0, waiting: 0 })
  })

  it("C40 leaves leases their grace, and resolves as soon as the last is given back", async () => {
    const fake = fakePool()
    const leases = [await fake.take(), await fake.take(), await fake.take()]
    leases[0]?.release()
    const closed = outcomeOf(fake.pool.close({ graceMs: 5_000 }))
    await fake.turn()
    expect(fake.counts).toEqual({ size: 2, idle: 0, leased: 2, waiting: 0 })
    leases[1]?.send("still at work")
    leases[1]?.release()
    await fake.clock.advance(1_000)
    expect(fake.far(1).received).toEqual(["still at work"])
    expect([fake.pool.size, closed.isSettled]).toEqual([1, false])
    leases[2]?.release()
    await fake.turn()
    expect(closed.isSettled).toBe(true)
    expect(fake.clock.pending).toBe(0)
  })

  it("C40 closes leases under their holders once the grace is over", async () => {
    const fake = fakePool()
    const lease = await fake.take()
    const closed = outcomeOf(fake.pool.close({ graceMs: 5_000 }))
    await fake.clock.advance(4_999)
    expect([lease.state, closed.isSettled]).toEqual(["open", false])
    await fake.clock.advance(1)
    expect([lease.state, closed.isSettled]).toEqual(["closed", true])
    expect(fake.clock.pending).toBe(0)
  })

  it("C40 may be called again, and sets the grace anew", async () => {
    const fake = fakePool()
    const lease = await fake.take()
    const patient = outcomeOf(fake.pool.close({ graceMs: 60_000 }))
    await fake.clock.advance(1_000)
    const now = outcomeOf(fake.pool.close())
    await fake.turn()
    expect([lease.state, patient.isSettled, now.isSettled]).toEqual(["closed", true, true])
    expect(fake.clock.pending).toBe(0)
    await fake.pool.close({ graceMs: 1_000 })
    expect(fake.clock.pending).toBe(0)
  })

  it("C40 takes closeTimeoutMs and no longer where a peer does not answer", async () => {
    const fake = fakePool({ closeTimeoutMs: 700 })
    ;(await fake.take()).release()
    fake.far(0).isDeaf = true
    const closed = outcomeOf(fake.pool.close())
    await fake.clock.advance(699)
    expect(closed.isSettled).toBe(false)
    await fake.clock.advance(1)
    expect(closed.isSettled).toBe(true)
    expect(fake.closed).toMatchObject([{ code: 1006 }])
  })

  it("C40 gives up dials, their url functions, and onOpen", async () => {
    const signals: AbortSignal[] = []
    const fake = fakePool({
      url: ({ signal }) => {
        signals.push(signal)
        return signals.length > 1 ? new Promise<string>(() => {}) : "ws://far.example/"
      },
      onOpen: () => new Promise(() => {}),
    })
    const outcomes = [outcomeOf(fake.pool.acquire()), outcomeOf(fake.pool.acquire())]
    await fake.turn()
    expect(fake.network.live).toHaveLength(1)
    const closed = outcomeOf(fake.pool.close())
    await fake.turn()
    expect(closed.isSettled).toBe(true)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    expect(fake.network.live).toEqual([])
    expect(outcomes.map(({ error }) => error)).toMatchObject([
      { code: "POOL_CLOSED" },
      { code: "POOL_CLOSED" },
    ])
    expect([fake.clock.pending, fake.errors.length]).toEqual([0, 0])
  })

  it("C40 ends the wait after a failed dial, and a connection that is being validated", async () => {
    const failing = fakePool()
    failing.network.onDial = (socket) => socket.refuse()
    outcomeOf(failing.pool.acquire())
    await failing.turn()
    outcomeOf(failing.pool.acquire())
    expect(failing.clock.pending).toBeGreaterThan(0)
    await failing.pool.close()
    expect(failing.clock.pending).toBe(0)

    const asking = fakePool({ validate: () => new Promise(() => {}) })
    ;(await asking.take()).release()
    outcomeOf(asking.pool.acquire())
    await asking.turn()
    const closed = outcomeOf(asking.pool.close())
    await asking.turn()
    expect(closed.isSettled).toBe(true)
    expect([asking.clock.pending, asking.pool.size]).toEqual([0, 0])
  })

  it("C40 is what the end of an `await using` block does", async () => {
    const fake = fakePool()
    const block = async () => {
      await using pool = fake.pool
      using lease = await pool.acquire()
      return lease.state
    }
    const state = block()
    await fake.turn()
    expect(await state).toBe("open")
    expect(fake.pool.isClosing).toBe(true)
    expect(fake.network.live).toEqual([])
  })

  it("C40 lets the bytes of a lease go first that was just given back", async () => {
    const fake = fakePool()
    const lease = await fake.take()
    lease.send("last words")
    lease.release()
    const closed = outcomeOf(fake.pool.close())
    await fake.turn()
    expect(closed.isSettled).toBe(true)
    expect(fake.far(0).received).toEqual(["last words"])
  })
})

describe("a listener of a pool", () => {
  it("C40 that throws stops nothing, and is told as an error", async () => {
    const fake = fakePool({ max: 1 })
    const bug = new Error("a bug in a listener")
    for (const event of ["open", "close"] as const) {
      fake.pool.on(event, () => {
        throw bug
      })
    }
    ;(await fake.take()).terminate()
    const next = await fake.take()
    expect(next.state).toBe("open")
    expect(fake.errors.map(({ error, stage }) => ({ error, stage }))).toEqual([
      { error: bug, stage: "listener" },
      { error: bug, stage: "listener" },
      { error: bug, stage: "listener" },
    ])
  })

  it("C40 may call the pool from anywhere", async () => {
    const fake = fakePool({ max: 2 })
    const outcomes: ReturnType<typeof outcomeOf>[] = []
    fake.pool.on("open", () => void outcomes.push(outcomeOf(fake.pool.acquire())))
    fake.pool.on("close", () => void fake.pool.close())
    const lease = await fake.take()
    await fake.turn()
    expect(outcomes[0]?.isSettled).toBe(true)
    lease.terminate()
    await fake.turn()
    expect(outcomes.map(({ isSettled }) => isSettled)).toEqual([true, true])
    expect(outcomes[1]?.error).toMatchObject({ code: "POOL_CLOSED" })
    expect([fake.pool.size, fake.network.live.length, fake.clock.pending]).toEqual([0, 0, 0])
  })
})
