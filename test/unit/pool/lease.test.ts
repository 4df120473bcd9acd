import { describe, expect, it } from "vitest"
import type { Make } from "../../support/client-network.js"
import { fakePool, outcomeOf } from "../../support/pool-fake.js"
import { RecordingLogger } from "../../support/recording-logger.js"

const MAKES: readonly Make[] = ["browser", "frames"]

describe("a lease that was given back", () => {
  it.each(MAKES)("C40 %s: is as a closed connection is, and ends nobody else's", async (make) => {
    const fake = fakePool({ make })
    const old = await fake.take()
    const { closed } = old
    const loop = old[Symbol.asyncIterator]().next()
    old.release()
    const held = await fake.take()
    expect([old.isReleased, old.state, old.writable]).toEqual([true, "closed", false])
    expect(old.send("late")).toBe("closed")
    await expect(old.sendAsync("late")).rejects.toMatchObject({ code: "CONNECTION_LOST" })
    await expect(old.drained()).rejects.toMatchObject({ code: "CONNECTION_LOST" })
    old.ping()
    old.terminate()
    await old.close(4_000)
    old.release()
    expect(await closed).toMatchObject({ code: 1000, reason: "released", cause: "local" })
    expect(await loop).toEqual({ value: undefined, done: true })
    await fake.turn()
    expect(held.state).toBe("open")
    expect(fake.far(0).received).toEqual([])
    expect(fake.counts).toEqual({ size: 1, idle: 0, leased: 1, waiting: 0 })
  })

  it("C40 hears nothing any more, and its holder is told of no close", async () => {
    const fake = fakePool()
    const old = await fake.take()
    const heard: unknown[] = []
    old.on("message", ({ data }) => heard.push(data))
    old.on("close", (info) => heard.push(info))
    old.on("error", ({ error }) => heard.push(error))
    fake.far(0).deliver("mine")
    old.release()
    const held = await fake.take()
    const others: string[] = []
    held.on("message", ({ data }) => others.push(data))
    old.on("message", ({ data }) => heard.push(data))
    fake.far(0).deliver("not mine")
    fake.far(0).emit("error", { error: new Error("reset") })
    fake.far(0).cut()
    await fake.turn()
    expect(heard).toEqual(["mine"])
    expect(others).toEqual(["not mine"])
  })

  it("C40 leaves no message of its own to the next holder", async () => {
    const fake = fakePool()
    const old = await fake.take()
    // nobody listens: these are held for the first who does, until reading pauses
    for (let i = 0; i < 20; i += 1) fake.far(0).deliver(`${i}`)
    expect(old.isReadingPaused).toBe(true)
    old.release()
    const heard: string[] = []
    const held = await fake.take()
    held.on("message", ({ data }) => heard.push(data))
    fake.far(0).deliver("mine")
    await fake.turn()
    expect(heard).toEqual(["mine"])
    expect(held.isReadingPaused).toBe(false)
  })

  it("C40 leaves no listener on the socket, however many hold it in turn", async () => {
    const fake = fakePool()
    const first = await fake.take()
    const before = fake.far(0).listenerCount
    first.release()
    for (let i = 0; i < 50; i += 1) (await fake.take()).release()
    await fake.take()
    expect(fake.far(0).listenerCount).toBe(before)
    expect(fake.network.sockets).toHaveLength(1)
  })

  it.each(MAKES)("C40 %s: still sends what was sent before, ahead of the next holder's", async (make) => {
    const fake = fakePool({ make })
    const old = await fake.take()
    old.send("one")
    const sent = outcomeOf(old.sendAsync("two"))
    const next = outcomeOf(fake.pool.acquire({ timeoutMs: false }))
    old.release()
    await fake.turn()
    next.value?.send("three")
    await fake.clock.advance(100)
    expect(fake.far(0).received).toEqual(["one", "two", "three"])
    expect(sent).toEqual({ isSettled: true, value: undefined })
  })

  it("C40 is given back once, however often it is released", async () => {
    const fake = fakePool({ max: 1 })
    const old = await fake.take()
    const [second, third] = [outcomeOf(fake.pool.acquire()), outcomeOf(fake.pool.acquire())]
    old.release()
    old.release()
    old[Symbol.dispose]()
    await old[Symbol.asyncDispose]()
    await fake.turn()
    old.release()
    await fake.turn()
    expect([second.isSettled, third.isSettled]).toEqual([true, false])
    expect(fake.counts).toEqual({ size: 1, idle: 0, leased: 1, waiting: 1 })
  })

  it("C40 leaves its data with the connection", async () => {
    const fake = fakePool<{ user: string }>({
      onOpen: (connection) => {
        connection.data = { user: "ada" }
      },
    })
    const first = await fake.take()
    expect(first.data).toEqual({ user: "ada" })
    first.data = { user: "bob" }
    first.release()
    expect((await fake.take()).data).toEqual({ user: "bob" })
  })
})

describe("using", () => {
  it("C40 gives a lease back at the end of the block, thrown out of or not", async () => {
    const fake = fakePool()
    await fake.take().then((lease) => lease.release())
    {
      using lease = await fake.take()
      expect(lease.state).toBe("open")
      expect(fake.pool.leased).toBe(1)
    }
    {
      await using lease = await fake.take()
      expect(lease.state).toBe("open")
    }
    const bug = new Error("a bug")
    const throwing = async () => {
      using _lease = await fake.take()
      throw bug
    }
    await expect(throwing()).rejects.toBe(bug)
    expect(fake.counts).toEqual({ size: 1, idle: 1, leased: 0, waiting: 0 })
  })

  it("C40 use() returns what the work returns, and gives the lease back", async () => {
    const fake = fakePool()
    const result = fake.pool.use(async (lease) => {
      await lease.sendAsync("work")
      return lease.id
    })
    await fake.clock.advance(100)
    expect(await result).toBe(fake.opened[0])
    expect(fake.far(0).received).toEqual(["work"])
    expect(fake.counts).toEqual({ size: 1, idle: 1, leased: 0, waiting: 0 })
  })

  it("C40 use() closes the connection of work that throws", async () => {
    const fake = fakePool()
    const bug = new Error("a bug")
    const result = outcomeOf(
      fake.pool.use(() => {
        throw bug
      }),
    )
    await fake.turn()
    expect(result.error).toBe(bug)
    expect(fake.far(0).closes).toEqual([{ code: 1000, reason: "" }])
    expect(fake.counts).toEqual({ size: 0, idle: 0, leased: 0, waiting: 0 })
  })
})

describe("a connection that ends while it is leased", () => {
  it("C40 makes room, so that who waits is dialled for", async () => {
    const fake = fakePool({ max: 1 })
    const lease = await fake.take()
    const ends: unknown[] = []
    lease.on("close", ({ code, cause }) => ends.push({ code, cause }))
    const next = outcomeOf(fake.pool.acquire())
    fake.far(0).end(1001)
    await fake.turn()
    expect(ends).toEqual([{ code: 1001, cause: "peer" }])
    // the first word of the server was a close: one more dial has to wait
    await fake.clock.advance(300)
    expect(next.value?.state).toBe("open")
    expect(next.value?.id).not.toBe(lease.id)
    lease.release()
    await fake.turn()
    expect(fake.counts).toEqual({ size: 1, idle: 0, leased: 1, waiting: 0 })
    expect(fake.closed).toMatchObject([{ id: lease.id, code: 1001, cause: "peer", wasLeased: true }])
  })

  it.each(["close", "terminate"] as const)("C40 is not lent again after %s", async (how) => {
    const fake = fakePool({ max: 1 })
    {
      using lease = await fake.take()
      void lease[how]()
    }
    const next = await fake.take()
    expect(next.id).not.toBe(fake.closed[0]?.id)
    expect(fake.network.sockets).toHaveLength(2)
    expect(fake.network.mostUnclosed).toBe(1)
  })

  it("C40 counts until its closing handshake is over", async () => {
    const fake = fakePool({ max: 1, closeTimeoutMs: 500 })
    const lease = await fake.take()
    fake.far(0).isDeaf = true
    void lease.close()
    lease.release()
    const next = outcomeOf(fake.pool.acquire())
    await fake.clock.advance(499)
    expect(fake.counts).toEqual({ size: 1, idle: 0, leased: 0, waiting: 1 })
    await fake.clock.advance(1)
    expect(next.value?.state).toBe("open")
    expect(fake.network.mostUnclosed).toBe(1)
  })

  it("C40 is no news any more to whoever has given it back, and none for the log", async () => {
    const logger = new RecordingLogger()
    const fake = fakePool({ logger })
    const lease = await fake.take()
    const heard: unknown[] = []
    lease.on("close", (info) => heard.push(info))
    fake.far(0).isDeaf = true
    const closed = lease.close(4_000, "bad answer")
    lease.release()
    fake.far(0).emit("error", { error: new Error("reset") })
    fake.far(0).cut()
    expect(await closed).toMatchObject({ code: 1006, cause: "local" })
    expect([heard, logger.lines]).toEqual([[], []])
  })

  it("C40 is ended in time when its socket has begun to close and does not finish", async () => {
    const fake = fakePool({ closeTimeoutMs: 500 })
    const lease = await fake.take()
    fake.far(0).readyState = 2
    lease.release()
    await fake.clock.advance(499)
    expect(fake.counts).toEqual({ size: 1, idle: 0, leased: 0, waiting: 0 })
    await fake.clock.advance(1)
    expect(fake.counts).toEqual({ size: 0, idle: 0, leased: 0, waiting: 0 })
  })

  it("C40 is not lent again when its socket has begun to close and nobody has said so yet", async () => {
    const fake = fakePool({ max: 2 })
    const lease = await fake.take()
    fake.far(0).readyState = 2
    lease.release()
    const next = await fake.take()
    expect(next.id).not.toBe(lease.id)
    expect(fake.network.sockets).toHaveLength(2)
  })
})

describe("bytes of the last holder", () => {
  const big = "x".repeat(100_000)

  it("C40 have left before the next one gets the connection", async () => {
    const fake = fakePool({ max: 1 })
    const lease = await fake.take()
    fake.far(0).isStalled = true
    lease.send(big)
    lease.release()
    const next = outcomeOf(fake.pool.acquire())
    await fake.clock.advance(5_000)
    expect(fake.counts).toEqual({ size: 1, idle: 0, leased: 0, waiting: 1 })
    fake.far(0).drain(50_000)
    await fake.clock.advance(100)
    expect(next.value?.state).toBe("open")
    expect(fake.far(0).received).toEqual([big])
  })

  it("C40 are waited for no longer than the connection lives", async () => {
    const fake = fakePool({ max: 1 })
    const lease = await fake.take()
    fake.far(0).isStalled = true
    lease.send(big)
    lease.release()
    await fake.turn()
    expect(fake.clock.pending).toBeGreaterThan(0)
    fake.far(0).cut()
    expect([fake.pool.size, fake.clock.pending]).toEqual([0, 0])
  })

  it("C40 do not make a connection idle that is closed meanwhile", async () => {
    const fake = fakePool({ idleMessages: "evict", closeTimeoutMs: 1_000 })
    const lease = await fake.take()
    fake.far(0).isStalled = true
    lease.send(big)
    lease.release()
    fake.far(0).deliver("a late answer")
    fake.far(0).isDeaf = true
    fake.far(0).drain(big.length)
    await fake.clock.advance(500)
    expect(fake.counts).toEqual({ size: 1, idle: 0, leased: 0, waiting: 0 })
  })

  it("C40 that never leave end the connection, and room is made", async () => {
    const fake = fakePool({ max: 1, writeTimeoutMs: 1_000 })
    const lease = await fake.take()
    fake.far(0).isStalled = true
    lease.send(big)
    lease.release()
    const next = outcomeOf(fake.pool.acquire())
    await fake.clock.advance(900)
    fake.far(0).drain(1)
    await fake.clock.advance(900)
    expect(next.isSettled).toBe(false)
    await fake.clock.advance(200)
    expect(fake.closed).toMatchObject([{ id: lease.id, cause: "write-timeout" }])
    expect(next.value?.state).toBe("open")
  })
})

describe("an error on a connection that nobody holds", () => {
  it("C40 is no news, but for the end that follows", async () => {
    const logger = new RecordingLogger()
    const fake = fakePool({ logger })
    const lease = await fake.take()
    lease.release()
    fake.far(0).emit("error", { error: new Error("reset") })
    fake.far(0).cut()
    expect(logger.lines).toEqual([])
    expect(fake.errors).toEqual([])
    expect(fake.closed).toMatchObject([{ code: 1006, cause: "peer", wasLeased: false }])
    expect(fake.counts).toEqual({ size: 0, idle: 0, leased: 0, waiting: 0 })
  })
})
