import { describe, expect, it } from "vitest"
import { fakePool, outcomeOf } from "../../support/pool-fake.js"

describe("acquire", () => {
  it("C40 opens nothing before it is called", async () => {
    const { network, clock, counts } = fakePool()
    await clock.advance(60_000)
    expect(network.sockets).toHaveLength(0)
    expect(counts).toEqual({ size: 0, idle: 0, leased: 0, waiting: 0 })
    expect(clock.pending).toBe(0)
  })

  it("C40 opens a connection below max, and lends an idle one again", async () => {
    const fake = fakePool()
    const first = await fake.take()
    expect(fake.counts).toEqual({ size: 1, idle: 0, leased: 1, waiting: 0 })
    first.send("one")
    first.release()
    expect(fake.counts).toEqual({ size: 1, idle: 1, leased: 0, waiting: 0 })
    const second = await fake.take()
    second.send("two")
    await fake.turn()
    expect(fake.network.sockets).toHaveLength(1)
    expect(fake.far(0).received).toEqual(["one", "two"])
    expect(second).not.toBe(first)
    expect(second.id).toBe(first.id)
  })

  it("C40 lends first what was used last", async () => {
    const fake = fakePool()
    const leases = [await fake.take(), await fake.take(), await fake.take()]
    for (const index of [1, 0, 2]) leases[index]?.release()
    const ids = [await fake.take(), await fake.take(), await fake.take()].map(({ id }) => id)
    expect(ids).toEqual([2, 0, 1].map((index) => leases[index]?.id))
  })

  it("C40 opens never more than max, and serves who waits in the order of the calls", async () => {
    const fake = fakePool({ max: 2 })
    const leases = [await fake.take(), await fake.take()]
    const served: string[] = []
    for (const name of ["a", "b", "c"]) {
      void fake.pool.acquire().then((lease) => {
        served.push(name)
        leases.push(lease)
      })
    }
    await fake.clock.advance(1_000)
    expect(fake.counts).toEqual({ size: 2, idle: 0, leased: 2, waiting: 3 })
    leases.shift()?.release()
    await fake.turn()
    leases.shift()?.release()
    leases.shift()?.release()
    await fake.turn()
    expect(served).toEqual(["a", "b", "c"])
    expect(fake.network.mostUnclosed).toBe(2)
  })

  it("C40 lets nobody overtake who waits for a dial", async () => {
    const fake = fakePool({ max: 2 })
    fake.network.onDial = () => {}
    const first = outcomeOf(fake.pool.acquire())
    const second = outcomeOf(fake.pool.acquire())
    await fake.turn()
    // the connection that was dialled for the second is open first
    fake.far(1).accept()
    await fake.turn()
    expect([first.isSettled, second.isSettled]).toEqual([true, false])
    first.value?.release()
    await fake.turn()
    expect(second.value?.id).toBe(first.value?.id)
    fake.far(0).accept()
    await fake.turn()
    expect(fake.counts).toEqual({ size: 2, idle: 1, leased: 1, waiting: 0 })
  })

  it("C40 dials once for each who waits, and for none twice", async () => {
    const fake = fakePool({ max: 10 })
    fake.network.onDial = () => {}
    const outcomes = Array.from({ length: 3 }, () => outcomeOf(fake.pool.acquire()))
    await fake.clock.advance(1_000)
    expect(fake.counts).toEqual({ size: 3, idle: 0, leased: 0, waiting: 3 })
    for (const socket of fake.network.sockets) socket.accept()
    await fake.turn()
    expect(new Set(outcomes.map(({ value }) => value?.id)).size).toBe(3)
  })

  it("C40 gives a message that came with the opening to the first holder", async () => {
    const fake = fakePool()
    fake.network.onDial = (socket) => {
      socket.accept()
      socket.deliver("welcome")
    }
    const lease = await fake.take()
    const heard: string[] = []
    lease.on("message", ({ data }) => heard.push(data))
    await fake.turn()
    expect(heard).toEqual(["welcome"])
  })
})

describe("an acquire that is called off", () => {
  it("C40 rejects with ABORTED, and the place in the line is free", async () => {
    const fake = fakePool({ max: 1 })
    const lease = await fake.take()
    const abort = new AbortController()
    const gone = outcomeOf(fake.pool.acquire({ signal: abort.signal }))
    const next = outcomeOf(fake.pool.acquire())
    await fake.turn()
    abort.abort(new Error("enough"))
    await fake.turn()
    expect(gone.error).toMatchObject({ code: "ABORTED", cause: { message: "enough" } })
    expect(fake.pool.waiting).toBe(1)
    lease.release()
    await fake.turn()
    expect(next.value?.state).toBe("open")
    next.value?.release()
    await Promise.all([fake.pool.close(), fake.clock.advance(0)])
    expect(fake.clock.pending).toBe(0)
  })

  it("C40 does not begin when the signal is aborted already", async () => {
    const fake = fakePool()
    const error = await fake.pool.acquire({ signal: AbortSignal.abort() }).catch((it: unknown) => it)
    expect(error).toMatchObject({ code: "ABORTED" })
    expect(fake.network.sockets).toHaveLength(0)
  })

  it("C40 leaves its dial to whoever comes next", async () => {
    const fake = fakePool({ max: 3 })
    fake.network.onDial = () => {}
    const abort = new AbortController()
    const gone = outcomeOf(fake.pool.acquire({ signal: abort.signal }))
    await fake.turn()
    abort.abort()
    const next = outcomeOf(fake.pool.acquire())
    await fake.turn()
    expect(gone.isSettled).toBe(true)
    expect(fake.network.sockets).toHaveLength(1)
    fake.far(0).accept()
    await fake.turn()
    expect(next.value?.state).toBe("open")
  })

  it("C40 keeps a connection that nobody waits for any more", async () => {
    const fake = fakePool()
    fake.network.onDial = () => {}
    const abort = new AbortController()
    outcomeOf(fake.pool.acquire({ signal: abort.signal }))
    await fake.turn()
    abort.abort()
    fake.far(0).accept()
    await fake.turn()
    expect(fake.counts).toEqual({ size: 1, idle: 1, leased: 0, waiting: 0 })
  })

  it("C40 leaves no listener on the signal, however it ends", async () => {
    const fake = fakePool({ max: 1 })
    const { signal } = new AbortController()
    let count = 0
    const { addEventListener, removeEventListener } = signal
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      count += 1
      addEventListener.apply(signal, args)
    }
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      count -= 1
      removeEventListener.apply(signal, args)
    }
    const [served, late, refused] = [undefined, 100, undefined].map((timeoutMs) =>
      outcomeOf(fake.pool.acquire({ signal, timeoutMs })),
    )
    await fake.clock.advance(100)
    expect(count).toBe(1)
    await Promise.all([fake.pool.close(), fake.clock.advance(0)])
    expect(served?.value).toBeDefined()
    expect([late?.error, refused?.error]).toMatchObject([
      { code: "ACQUIRE_TIMEOUT" },
      { code: "POOL_CLOSED" },
    ])
    expect(count).toBe(0)
  })
})

describe("an acquire that takes too long", () => {
  it("C40 rejects with ACQUIRE_TIMEOUT, which says how things stand", async () => {
    const fake = fakePool({ max: 1, acquireTimeoutMs: 5_000 })
    await fake.take()
    const late = outcomeOf(fake.pool.acquire())
    await fake.clock.advance(4_999)
    expect(late.isSettled).toBe(false)
    await fake.clock.advance(1)
    expect(late.error).toMatchObject({
      code: "ACQUIRE_TIMEOUT",
      message: "no connection within 5000 ms: 1 of 1 sockets, 1 leased",
    })
    expect(fake.pool.waiting).toBe(0)
  })

  it("C40 takes its own time where it is given one", async () => {
    const fake = fakePool({ max: 1, acquireTimeoutMs: 5_000 })
    await fake.take()
    const quick = outcomeOf(fake.pool.acquire({ timeoutMs: 10 }))
    const patient = outcomeOf(fake.pool.acquire({ timeoutMs: false }))
    await fake.clock.advance(3_600_000)
    expect([quick.isSettled, patient.isSettled]).toEqual([true, false])
  })

  it("C40 names the last failed dial as the cause", async () => {
    const fake = fakePool({ acquireTimeoutMs: 100 })
    fake.network.onDial = (socket) => socket.refuse()
    const first = outcomeOf(fake.pool.acquire())
    await fake.turn()
    const second = outcomeOf(fake.pool.acquire())
    await fake.clock.advance(100)
    expect(second.error).toMatchObject({ code: "ACQUIRE_TIMEOUT", cause: first.error })
  })
})
