import type { Lease } from "holdfast"
import { describe, expect, it } from "vitest"
import type { DialledSocket } from "../../support/client-network.js"
import { fakePool } from "../../support/pool-fake.js"
import { fc, runs } from "../../support/properties.js"
import { reentry } from "../../support/reentry.js"

/** What can happen to a pool. `pick` chooses whom it happens to, modulo how many there are. */
const KINDS = [
  "acquire",
  "acquire",
  "acquire",
  "release",
  "release",
  "accept",
  "accept",
  "refuse",
  "cut",
  "end",
  "half-close",
  "black hole",
  "deliver",
  "close lease",
  "terminate lease",
  "use after release",
  "abort",
  "advance",
  "advance far",
] as const

/** What may be done from within a callback. */
const INSIDE = ["acquire", "release", "close lease", "terminate lease", "abort", "close pool"] as const

const life = fc.record({
  /** What the callbacks do, one after another, as they are called. */
  inside: fc.array(fc.record({ gap: fc.nat(12), kind: fc.constantFrom(...INSIDE), pick: fc.nat(99) }), {
    maxLength: 8,
  }),
  max: fc.integer({ min: 1, max: 4 }),
  make: fc.constantFrom("frames" as const, "browser" as const),
  dials: fc.array(fc.constantFrom("accept", "refuse", "later"), { maxLength: 20 }),
  hooks: fc.array(fc.constantFrom("yes", "no", "throw", "hang"), { maxLength: 20 }),
  hasOnOpen: fc.boolean(),
  hasValidate: fc.boolean(),
  hasHeartbeat: fc.boolean(),
  evicts: fc.boolean(),
  steps: fc.array(fc.record({ kind: fc.constantFrom(...KINDS), pick: fc.nat(1_000) }), { maxLength: 60 }),
  graceMs: fc.constantFrom(0, 2_000),
  isRested: fc.boolean(),
})

type Life = typeof life extends fc.Arbitrary<infer T> ? T : never

interface Call {
  readonly number: number
  readonly abort: AbortController
  /** The pool was closed already. */
  readonly isTooLate: boolean
  state: "waiting" | "served" | "refused" | "left"
  lease?: Lease<string, string>
}

/** A pool in one life, everybody who ever called `acquire`, and what has to hold at any time. */
function liveOne(given: Life) {
  const hooks = [...given.hooks]
  const dials = [...given.dials]
  const callBack = reentry(given.inside, (kind, pick) => {
    if (kind === "close pool") void (pick % 4 === 0 && pool.close({ graceMs: pick }))
    else steps[kind](pick)
  })
  const hook = () => callBack()
  const ask = (): boolean | Promise<boolean> => {
    hook()
    const answer = hooks.shift() ?? "yes"
    if (answer === "throw") throw new Error("a bug in a hook")
    return answer === "hang" ? new Promise(() => {}) : answer === "yes"
  }
  const fake = fakePool({
    url: ({ signal }) => {
      hook()
      signal.addEventListener("abort", hook, { once: true })
      return "ws://far.example/"
    },
    max: given.max,
    make: given.make,
    connectTimeoutMs: 1_000,
    closeTimeoutMs: 300,
    idleTimeoutMs: 2_000,
    acquireTimeoutMs: false,
    idleMessages: given.evicts ? "evict" : "discard",
    ...(given.hasHeartbeat && { heartbeat: { intervalMs: 700, timeoutMs: 300 } }),
    ...(given.hasOnOpen && { onOpen: async () => void (await ask()) }),
    ...(given.hasValidate && { validate: ask }),
  })
  const { pool, clock, network } = fake
  for (const event of ["open", "close", "error"] as const) pool.on(event, hook)
  network.onDial = (socket) => {
    const send = socket.send.bind(socket)
    socket.send = (data) => {
      hook()
      send(data)
    }
    const fate = dials.shift() ?? "accept"
    if (fate === "accept") socket.accept()
    else if (fate === "refuse") socket.refuse()
  }
  const calls: Call[] = []
  const outcomes: number[] = []
  const failures: string[] = []
  const settle = (call: Call, state: Call["state"]) => {
    call.state = state
    // who comes too late is told sooner than those who are still being told
    if (state !== "left" && !call.isTooLate) outcomes.push(call.number)
  }
  const acquire = (timeoutMs: number | false = false) => {
    const isTooLate = pool.isClosing
    const call: Call = {
      number: calls.length,
      abort: new AbortController(),
      state: "waiting",
      isTooLate,
    }
    calls.push(call)
    pool.acquire({ signal: call.abort.signal, timeoutMs }).then(
      (lease) => {
        call.lease = lease
        settle(call, "served")
        if (lease.state !== "open") failures.push(`${call.number} was handed out ${lease.state}`)
        lease.send(`from ${call.number}`)
        for (const event of ["message", "close"] as const) lease.on(event, hook)
      },
      ({ code }: { code: string }) =>
        settle(call, code === "ABORTED" || code === "ACQUIRE_TIMEOUT" ? "left" : "refused"),
    )
  }
  const leases = () => calls.flatMap(({ lease }) => (lease ? [lease] : []))
  const held = () => leases().filter(({ isReleased, state }) => !isReleased && state !== "closed")
  const onOne = <T>(list: readonly T[], pick: number, act: (one: T) => unknown) => {
    if (list.length > 0) act(list[pick % list.length] as T)
  }
  const onSocket = (pick: number, act: (socket: DialledSocket) => unknown) =>
    onOne(network.sockets, pick, act)
  const steps: Record<(typeof KINDS)[number], (pick: number) => unknown> = {
    acquire: (pick) => acquire(pick % 3 === 0 ? (pick % 7) * 100 + 1 : false),
    release: (pick) => onOne(held(), pick, (lease) => lease.release()),
    accept: (pick) => onSocket(pick, (socket) => socket.accept()),
    refuse: (pick) => onSocket(pick, (socket) => socket.refuse()),
    cut: (pick) => onSocket(pick, (socket) => socket.cut()),
    end: (pick) => onSocket(pick, (socket) => socket.end(pick % 2 ? 1000 : 1012)),
    "half-close": (pick) =>
      onSocket(pick, (socket) => {
        if (socket.readyState !== 1) return
        socket.readyState = 2
        clock.setTimer(() => socket.cut(), 50)
      }),
    "black hole": (pick) => onSocket(pick, (socket) => socket.blackHole()),
    deliver: (pick) => onSocket(pick, (socket) => socket.deliver("hello")),
    "close lease": (pick) => onOne(held(), pick, (lease) => void lease.close()),
    "terminate lease": (pick) => onOne(held(), pick, (lease) => lease.terminate()),
    "use after release": (pick) =>
      onOne(
        leases().filter(({ isReleased }) => isReleased),
        pick,
        (lease) => {
          expect(lease.send("stolen")).toBe("closed")
          lease.release()
          lease.terminate()
          void lease.close()
        },
      ),
    abort: (pick) => onOne(calls, pick, ({ abort }) => abort.abort()),
    advance: (pick) => clock.advance(pick % 120),
    "advance far": (pick) => clock.advance(pick * 5),
  }
  const check = () => {
    const { size, idle, leased, waiting } = pool
    expect(failures).toEqual([])
    expect(size).toBeLessThanOrEqual(given.max)
    expect(network.mostLive).toBeLessThanOrEqual(given.max)
    // a browser's socket cannot be terminated: it is given up before it has ended
    if (given.make === "frames") expect(network.mostUnclosed).toBeLessThanOrEqual(given.max)
    expect(idle + leased).toBeLessThanOrEqual(size)
    expect(leased).toBe(held().length)
    expect(waiting).toBe(calls.filter(({ state }) => state === "waiting").length)
    expect(new Set(held().map(({ id }) => id)).size).toBe(held().length)
    expect(outcomes).toEqual([...outcomes].sort((one, other) => one - other))
    if (!given.hasValidate) expect(Math.min(waiting, idle)).toBe(0)
  }
  const checkDelivery = () => {
    for (const { received } of network.sockets) expect(received).not.toContain("stolen")
    expect(network.received.filter((it) => String(it).startsWith("from")).length).toBeLessThanOrEqual(
      leases().length,
    )
  }
  return {
    ...fake,
    calls,
    check,
    checkDelivery,
    step: async ({ kind, pick }: Life["steps"][number]) => {
      await steps[kind](pick)
      await clock.advance(0)
      check()
    },
    /** Whoever waits gets what he waits for, when everybody gives back what he holds and the server is well again. */
    async rest() {
      dials.length = 0
      hooks.length = 0
      for (const socket of network.sockets) socket.accept()
      await clock.advance(0)
      for (let i = 0; pool.waiting > 0 && i < 200; i += 1) {
        for (const lease of held()) lease.release()
        await clock.advance(100)
        check()
      }
      expect(pool.waiting).toBe(0)
    },
  }
}

describe("a pool in any life", () => {
  it("C40 has never more than max, serves in turn, lends to one at a time, and leaves nothing behind", async () => {
    await fc.assert(
      fc.asyncProperty(life, async (given) => {
        const { pool, clock, network, calls, opened, closed, step, rest, check, checkDelivery } =
          liveOne(given)
        for (const it of given.steps) await step(it)
        if (given.isRested) await rest()
        void pool.close({ graceMs: given.graceMs })
        await clock.advance(given.graceMs + 300)
        expect(calls.filter(({ state }) => state === "waiting")).toEqual([])
        expect(pool.size).toBe(0)
        await pool.close()
        check()
        expect(network.live).toEqual([])
        expect(network.sockets.map(({ listenerCount }) => listenerCount).filter(Boolean)).toEqual([])
        expect(closed.map(({ id }) => id).sort()).toEqual([...opened].sort())
        checkDelivery()
        const dialled = network.sockets.length
        await clock.advance(3_600_000)
        expect([clock.pending, network.sockets.length, closed.length]).toEqual([0, dialled, opened.length])
      }),
      runs(1_500),
    )
  })
})
