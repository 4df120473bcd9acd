import type { ClientState } from "holdfast"
import { describe, expect, it } from "vitest"
import { TRANSITIONS } from "../../../src/client/client-state.js"
import { fakeClient } from "../../support/client-fake.js"
import type { FrameSocket, Make } from "../../support/client-network.js"
import { seededRandom } from "../../support/seeded-random.js"

const MAKES: readonly Make[] = ["browser", "node22", "node24", "frames"]
const CODES = [1000, 1008, 1012, 4401]
const bug = new Error("a bug in a callback")

/** A client whose callbacks throw now and then, and a way to do one random thing to it. */
function wildClient(seed: number) {
  const random = seededRandom(seed)
  const below = (n: number) => Math.floor(random() * n)
  const isBadDay = () => below(8) === 0
  const controller = new AbortController()
  const fail = () => {
    if (isBadDay()) throw bug
  }
  const fake = fakeClient({
    make: MAKES[below(4)] as Make,
    backoff: { random, initialMs: 500 },
    stableAfterMs: below(3_000),
    signal: controller.signal,
    autoConnect: below(4) > 0,
    maxRetries: below(3) === 0 ? 3 : false,
    queue: { maxMessages: 5 },
    ...(below(2) === 0 && { heartbeat: { intervalMs: 2_000, timeoutMs: 1_000 } }),
    url: async () => {
      fail()
      if (isBadDay()) await new Promise(() => {})
      return "ws://far.example/"
    },
    ...(below(2) === 0 && { shouldReconnect: fail as () => undefined }),
    ...(below(2) === 0 && {
      onOpen: async ({ sendNow }) => {
        sendNow("login")
        await new Promise<void>((resolve) => fake.clock.setTimer(resolve, below(200)))
        fail()
      },
    }),
  })
  const { client, clock, network, log } = fake
  network.latencyMs = below(2) * below(50)
  network.onDial = (socket) => {
    const fate = below(9)
    if (fate < 6) socket.accept()
    else if (fate < 8) socket.refuse()
  }
  const onSocket = (act: (socket: FrameSocket) => void) => () => {
    if (network.sockets.length > 0) act(network.sockets[below(network.sockets.length)] as FrameSocket)
  }
  const onLast = (act: (socket: FrameSocket) => void) => () => {
    if (network.sockets.length > 0) act(network.last as FrameSocket)
  }
  const calls: (() => unknown)[] = [
    () => client.connect(),
    () => client.reconnect(),
    () => client.pause(),
    () => client.send("hello", { volatile: isBadDay() }),
  ]
  const ends: (() => unknown)[] = [() => void client.close(), () => controller.abort(bug)]
  const acts: (() => unknown)[] = [
    ...calls,
    ...calls,
    onLast((socket) => socket.accept()),
    onLast((socket) => socket.refuse()),
    onLast((socket) => socket.cut()),
    onSocket((socket) => socket.end(CODES[below(4)])),
    onLast((socket) => socket.end(1012)),
    onLast((socket) => socket.deliver("hello")),
    onLast((socket) => socket.blackHole()),
    onLast((socket) => {
      socket.failingSends = 1
    }),
    onSocket((socket) => socket.emit("error", { message: "late" })),
    onSocket((socket) => socket.readyState === 3 && socket.emit("close", { code: 1006, reason: "" })),
    () => below(12) === 0 && ends[below(2)]?.(),
  ]
  // listeners that act, and listeners that throw
  for (const event of ["state", "message", "error", "dropped", "end"] as const) {
    client.on(event, fail)
    client.on(event, () => {
      if (log.count < 200 && below(12) === 0) calls[below(calls.length)]?.()
      if (below(150) === 0) ends[below(2)]?.()
    })
  }
  const step = async () => {
    if (below(3) === 0) await clock.advance(below(2) === 0 ? below(100) : below(40_000))
    else acts[below(acts.length)]?.()
  }
  const callEverything = () => {
    for (const call of [...calls, ...ends]) call()
    for (const socket of network.sockets) {
      for (const type of ["open", "message", "error", "close", "pong"]) {
        socket.emit(type, { code: 1000, reason: "", data: "late" })
      }
    }
  }
  return { ...fake, step, callEverything }
}

type Wild = ReturnType<typeof wildClient>

/** The client has taken legal steps only, one event for each, and stands where the last one led. */
function expectLegal({ client, network, log }: Wild, told: string): void {
  let state: ClientState = "idle"
  for (const { from, to, retryAt } of log.changes) {
    const isLegal = from === state && TRANSITIONS[from].includes(to)
    if (!isLegal) expect.fail(`${told}: from ${from} to ${to}, after ${state}`)
    if ((retryAt !== undefined) !== (to === "waiting")) expect.fail(`${told}: ${to} with retryAt ${retryAt}`)
    state = to
  }
  const stands = { state, isWaiting: state === "waiting", ends: state === "closed" ? 1 : 0, isOne: true }
  const isWaiting = client.retryAt !== undefined
  const isOne = network.mostLive <= 1
  expect({ state: client.state, isWaiting, ends: log.ends.length, isOne }, told).toEqual(stands)
}

describe("a client in 2,000 random lives of 50 steps", () => {
  it.each([0, 1, 2, 3])(
    "C33 goes from state to state by the table, with one end: part %i",
    async (part) => {
      const seen = new Set<string>()
      for (let seed = part * 500; seed < (part + 1) * 500; seed += 1) {
        const wild = wildClient(seed)
        const { client, clock, network, log, step, callEverything } = wild
        for (let i = 0; i < 50; i += 1) {
          await step()
          expectLegal(wild, `seed ${seed}, step ${i}`)
        }
        void client.close()
        await clock.advance(2_000)
        const told = `seed ${seed}, at its end`
        expect(client.state, told).toBe("closed")
        expect(network.live, told).toEqual([])
        expect(network.sockets.map(({ listenerCount }) => listenerCount).filter(Boolean), told).toEqual([])
        expect(clock.pending, told).toBe(0)
        const { count } = log
        callEverything()
        await clock.advance(3_600_000)
        expect(log.count, told).toBe(count)
        expect(clock.pending, told).toBe(0)
        expectLegal(wild, told)
        for (const { from, to } of log.changes) seen.add(`${from} ${to}`)
        seen.add(String(log.ends[0]?.cause))
      }
      const table = Object.entries(TRANSITIONS).flatMap(([from, all]) => all.map((to) => `${from} ${to}`))
      const unseen = table.filter((it) => !seen.has(it))
      expect(unseen).toEqual([])
      expect([...seen]).toEqual(
        expect.arrayContaining(["closed", "aborted", "close-code", "auth", "max-retries"]),
      )
    },
    60_000,
  )
})
