import { ConnectError, type Lease } from "holdfast"
import { describe, expect, it, vi } from "vitest"
import { fakePool, outcomeOf } from "../../support/pool-fake.js"

const bug = new Error("a bug in a callback")

describe("a dial that fails", () => {
  it("C40 rejects who has waited longest, at once, and the others keep their turn", async () => {
    const fake = fakePool({ max: 1 })
    fake.network.onDial = () => {}
    const [first, second, third] = [1, 2, 3].map(() => outcomeOf(fake.pool.acquire()))
    await fake.turn()
    fake.far(0).refuse()
    await fake.turn()
    expect(first?.error).toMatchObject({ code: "CONNECT_FAILED" })
    expect(fake.counts).toEqual({ size: 0, idle: 0, leased: 0, waiting: 2 })
    fake.network.onDial = (socket) => socket.accept()
    await fake.clock.advance(300)
    expect(second?.value?.state).toBe("open")
    expect(third?.isSettled).toBe(false)
    second?.value?.release()
    await fake.turn()
    expect(third?.value?.state).toBe("open")
    expect(fake.errors).toEqual([])
  })

  it("C40 rejects nobody while enough others are under way, and is an event instead", async () => {
    const fake = fakePool()
    fake.network.onDial = () => {}
    const abort = new AbortController()
    outcomeOf(fake.pool.acquire({ signal: abort.signal }))
    const second = outcomeOf(fake.pool.acquire())
    await fake.turn()
    abort.abort()
    fake.far(0).refuse()
    await fake.turn()
    expect(second.isSettled).toBe(false)
    expect(fake.errors).toMatchObject([{ stage: "connect", error: { code: "CONNECT_FAILED" } }])
    fake.far(1).accept()
    await fake.turn()
    expect(second.value?.state).toBe("open")
  })

  it("C40 is followed by a wait, and by one dial at a time until one succeeds", async () => {
    const fake = fakePool({ max: 10 })
    const dials: number[] = []
    fake.network.onDial = (socket) => {
      dials.push(fake.clock.now())
      socket.refuse()
    }
    const outcomes = Array.from({ length: 10 }, () => outcomeOf(fake.pool.acquire()))
    await fake.turn()
    // all of one time are one failure
    expect(dials).toHaveLength(10)
    expect(outcomes.every(({ error }) => error)).toBe(true)
    const more = Array.from({ length: 6 }, () => outcomeOf(fake.pool.acquire({ timeoutMs: false })))
    await fake.clock.advance(300 + 550 + 1_050)
    expect(dials.slice(10)).toEqual([300, 850, 1_900])
    expect(more.filter(({ error }) => error)).toHaveLength(3)
    fake.network.onDial = (socket) => socket.accept()
    await fake.clock.advance(2_050)
    expect(more.filter(({ value }) => value)).toHaveLength(3)
    expect(fake.network.sockets).toHaveLength(16)
  })

  it("C40 is over with the first dial that succeeds: the others follow at once", async () => {
    const fake = fakePool({ max: 4 })
    fake.network.onDial = (socket) => socket.refuse()
    const [first, ...others] = [1, 2, 3, 4].map(() => outcomeOf(fake.pool.acquire()))
    await fake.turn()
    expect([first, ...others].every((it) => it?.error)).toBe(true)
    const later = [1, 2, 3].map(() => outcomeOf(fake.pool.acquire()))
    fake.network.onDial = (socket) => {
      if (fake.network.sockets.length === 5) socket.accept()
    }
    await fake.clock.advance(300)
    expect(later.map(({ isSettled }) => isSettled)).toEqual([true, false, false])
    expect(fake.network.live).toHaveLength(3)
    // the failure is past: it is no cause of what comes
    const late = outcomeOf(fake.pool.acquire({ timeoutMs: 10 }))
    await fake.clock.advance(10)
    expect((late.error as Error).cause).toBeUndefined()
  })

  it("C40 is not made good by a connection that was open before", async () => {
    const attempts: number[] = []
    const fake = fakePool({
      max: 2,
      url: ({ attempt }) => {
        attempts.push(attempt)
        return "ws://far.example/"
      },
    })
    const old = await fake.take()
    fake.network.onDial = (socket) => socket.refuse()
    outcomeOf(fake.pool.acquire())
    await fake.turn()
    old.release()
    await fake.take()
    for (let i = 0; i < 2; i += 1) outcomeOf(fake.pool.acquire())
    await fake.clock.advance(10_000)
    expect(attempts).toEqual([0, 0, 1, 2])
  })

  it("C40 is not dialled again before the wait is over, whoever asks", async () => {
    const fake = fakePool()
    fake.network.onDial = (socket) => socket.refuse()
    outcomeOf(fake.pool.acquire())
    await fake.clock.advance(299)
    const abort = new AbortController()
    outcomeOf(fake.pool.acquire({ signal: abort.signal }))
    await fake.turn()
    expect(fake.network.sockets).toHaveLength(1)
    // nobody waits for it any more: no timer goes on
    abort.abort()
    expect(fake.clock.pending).toBe(0)
  })

  it("C40 counts as often as a wait has ended in vain, until a connection was given back alive", async () => {
    const attempts: number[] = []
    const fake = fakePool({
      max: 1,
      url: ({ attempt }) => {
        attempts.push(attempt)
        return "ws://far.example/"
      },
    })
    const outcomes = [1, 2, 3].map(() => outcomeOf(fake.pool.acquire()))
    fake.network.onDial = (socket) => (attempts.length < 3 ? socket.refuse() : socket.accept())
    await fake.clock.advance(1_000)
    const lease = outcomes[2]?.value
    lease?.release()
    void (await fake.take()).terminate()
    await fake.take()
    expect(attempts).toEqual([0, 1, 2, 0])
  })

  it.each([
    [60_000, 60_000],
    [86_400_000, 300_000],
    [10, 300],
  ])(
    "C40 that is told to come back in %i ms is followed by a wait of %i ms",
    async (retryAfterMs, waitMs) => {
      const dials: number[] = []
      const fake = fakePool({
        url: () => {
          dials.push(fake.clock.now())
          throw new ConnectError("busy", { status: 503, retryAfterMs })
        },
      })
      const first = outcomeOf(fake.pool.acquire())
      outcomeOf(fake.pool.acquire({ timeoutMs: false }))
      outcomeOf(fake.pool.acquire({ timeoutMs: false }))
      await fake.turn()
      expect(first.error).toMatchObject({ code: "CONNECT_FAILED", status: 503, retryAfterMs })
      outcomeOf(fake.pool.acquire({ timeoutMs: false }))
      await fake.clock.advance(waitMs - 1)
      expect(dials).toEqual([0, 0, 0])
      await fake.clock.advance(1)
      expect(dials).toEqual([0, 0, 0, waitMs])
    },
  )

  it("C40 of a fixed address that is none costs no wait", async () => {
    const fake = fakePool({ url: "http://far.example/" })
    const [first, second] = [outcomeOf(fake.pool.acquire()), outcomeOf(fake.pool.acquire())]
    await fake.turn()
    expect([first.error, second.error]).toMatchObject([
      { code: "INVALID_ADDRESS" },
      { code: "INVALID_ADDRESS" },
    ])
  })

  it("C40 carries what its url function threw as the cause", async () => {
    const fake = fakePool({ url: async () => Promise.reject(bug) })
    const first = outcomeOf(fake.pool.acquire())
    await fake.turn()
    expect(first.error).toMatchObject({ code: "CONNECT_FAILED", cause: bug })
  })

  it("C40 may take connectTimeoutMs, the url function and onOpen included", async () => {
    const signals: AbortSignal[] = []
    const hang = new Promise<never>(() => {})
    const address = fakePool({
      connectTimeoutMs: 500,
      url: ({ signal }) => {
        signals.push(signal)
        return hang
      },
    })
    const asking = outcomeOf(address.pool.acquire())
    await address.clock.advance(500)
    expect(asking.error).toMatchObject({ code: "CONNECT_TIMEOUT", message: "not open within 500 ms" })
    expect(signals[0]?.aborted).toBe(true)
    const login = fakePool({ connectTimeoutMs: 500, onOpen: () => hang })
    const preparing = outcomeOf(login.pool.acquire())
    await login.clock.advance(500)
    expect(preparing.error).toMatchObject({ code: "CONNECT_TIMEOUT", message: "not ready within 500 ms" })
    expect(login.network.live).toEqual([])
    expect(login.counts).toEqual({ size: 0, idle: 0, leased: 0, waiting: 0 })
    expect([login.opened, login.closed]).toEqual([[], []])
  })
})

describe("a server that takes connections in and drops them", () => {
  it("C40 is dialled after growing waits, as one that refuses", async () => {
    const fake = fakePool({ max: 1 })
    const dials: number[] = []
    fake.network.onDial = (socket) => {
      dials.push(fake.clock.now())
      socket.accept()
      fake.clock.soon(() => socket.end(1013))
    }
    for (let i = 0; i < 4; i += 1) outcomeOf(fake.pool.acquire())
    await fake.clock.advance(2_000)
    expect(dials).toEqual([0, 300, 850, 1_900])
  })

  it.each([
    ["said something", (fake: ReturnType<typeof fakePool>) => fake.far(0).deliver("welcome")],
    [
      "said something to the last holder",
      async (fake: ReturnType<typeof fakePool>, lease: Lease<string, string>) => {
        fake.far(0).deliver("welcome")
        lease.release()
        await fake.take()
      },
    ],
    ["closed with 1000", (fake: ReturnType<typeof fakePool>) => fake.far(0).end(1000)],
    ["kept it for a while", (fake: ReturnType<typeof fakePool>) => fake.clock.advance(5_000)],
  ])("C40 is dialled at once when it %s", async (_, act) => {
    const fake = fakePool({ max: 1 })
    const lease = await fake.take()
    await act(fake, lease)
    fake.far(0).cut()
    await fake.take()
    expect(fake.network.sockets).toHaveLength(2)
  })
})

describe("onOpen", () => {
  it("C40 runs once per connection, before its first lease, and hears what the server says first", async () => {
    const heard: string[] = []
    const onOpen = vi.fn(async (connection: AsyncIterable<string> & { send(message: string): unknown }) => {
      connection.send("login")
      for await (const message of connection) {
        heard.push(message)
        break
      }
    })
    const fake = fakePool({ max: 2, onOpen })
    fake.network.onDial = (socket) => {
      socket.accept()
      socket.deliver("welcome")
    }
    const lease = await fake.take()
    lease.send("work")
    lease.release()
    await fake.take()
    await fake.turn()
    expect(onOpen).toHaveBeenCalledTimes(1)
    expect(heard).toEqual(["welcome"])
    expect(fake.far(0).received).toEqual(["login", "work"])
  })

  it("C40 that throws is a failed dial", async () => {
    const fake = fakePool({
      onOpen: () => {
        throw bug
      },
    })
    const outcome = outcomeOf(fake.pool.acquire())
    await fake.turn()
    expect(outcome.error).toMatchObject({ code: "CONNECT_FAILED", cause: bug })
    expect(fake.network.live).toEqual([])
    expect(fake.pool.size).toBe(0)
  })

  it("C40 that hangs on a dead connection leaves no listener on the socket", async () => {
    const fake = fakePool({ make: "browser", connectTimeoutMs: 500, onOpen: () => new Promise(() => {}) })
    outcomeOf(fake.pool.acquire())
    await fake.turn()
    fake.far(0).blackHole()
    await fake.clock.advance(500)
    // it cannot be terminated, and its close may take minutes
    expect(fake.far(0).readyState).toBe(2)
    expect([fake.far(0).listenerCount, fake.pool.size]).toEqual([0, 0])
  })

  it("C40 that is done after the pool was closed opens nothing", async () => {
    let done: () => void = () => {}
    const fake = fakePool({
      onOpen: () =>
        new Promise((resolve) => {
          done = resolve
        }),
    })
    outcomeOf(fake.pool.acquire())
    await fake.turn()
    void fake.pool.close()
    done()
    await fake.turn()
    expect([fake.opened, fake.closed, fake.pool.size, fake.network.live]).toEqual([[], [], 0, []])
  })

  it("C40 does not outlive its connection", async () => {
    const fake = fakePool({ onOpen: () => new Promise(() => {}) })
    const outcome = outcomeOf(fake.pool.acquire())
    await fake.turn()
    expect(fake.counts).toEqual({ size: 1, idle: 0, leased: 0, waiting: 1 })
    fake.far(0).end(4_401)
    await fake.turn()
    expect(outcome.error).toMatchObject({ code: "CONNECT_FAILED" })
    expect(fake.counts).toEqual({ size: 0, idle: 0, leased: 0, waiting: 0 })
  })
})

describe("a backoff.random that fails", () => {
  it.each([
    [
      "throws",
      () => {
        throw bug
      },
    ],
    ["returns NaN", () => Number.NaN],
  ] as const)("C40 and %s is an error event; who waits is served all the same", async (_, random) => {
    const fake = fakePool({ max: 1, backoff: { random } })
    fake.network.onDial = (socket) => socket.refuse()
    const first = outcomeOf(fake.pool.acquire())
    const second = outcomeOf(fake.pool.acquire())
    await fake.turn()
    expect(first.error).toMatchObject({ code: "CONNECT_FAILED" })
    fake.network.onDial = (socket) => socket.accept()
    expect(second.isSettled).toBe(false)
    await fake.clock.advance(500)
    expect(second.value?.state).toBe("open")
    expect(fake.errors).toMatchObject([{ stage: "listener" }])
    void fake.pool.close()
    await fake.clock.advance(1_000)
    expect(fake.clock.pending).toBe(0)
  })
})
