import { type ClientState, type Codec, StopReconnecting } from "holdfast"
import { describe, expect, it } from "vitest"
import { TRANSITIONS } from "../../../src/client/client-state.js"
import { fakeClient } from "../../support/client-fake.js"
import type { DialledSocket, FrameSocket } from "../../support/client-network.js"
import { FakePage } from "../../support/fake-page.js"
import { fc, runs } from "../../support/properties.js"
import { reentry } from "../../support/reentry.js"

/** What can be done to a client, or around it. `pick` says how. */
const KINDS = [
  "send",
  "send",
  "send",
  "sendAsync",
  "sendAsync",
  "abort",
  "drain",
  "connect",
  "reconnect",
  "pause",
  "probe",
  "read",
  "leave loop",
  "accept",
  "cut",
  "refuse",
  "server closes",
  "server begins to close",
  "server sends",
  "black hole",
  "stall",
  "room",
  "throw",
  "page",
  "network",
  "advance",
  "advance",
  "advance far",
  "sleep",
  "close",
] as const

type Kind = (typeof KINDS)[number]

/** What may be done from within a callback; the first few of these are not done where a message is on its way in. */
const INSIDE = [
  "send",
  "sendAsync",
  "abort",
  "drain",
  "connect",
  "reconnect",
  "pause",
  "close",
  "probe",
] as const

const step = fc.record({ kind: fc.constantFrom<Kind>(...KINDS), pick: fc.nat(9_999) })

const life = fc.record({
  make: fc.constantFrom("browser" as const, "node22" as const, "node24" as const, "frames" as const),
  overflow: fc.constantFrom("reject" as const, "drop-oldest" as const, "drop-newest" as const),
  latencyMs: fc.constantFrom(0, 30),
  hasHeartbeat: fc.boolean(),
  hasOnOpen: fc.boolean(),
  autoConnect: fc.boolean(),
  maxRetries: fc.constantFrom(false as const, 2),
  dials: fc.array(fc.constantFrom("accept", "refuse", "later", "accept and close", "accept and send"), {
    maxLength: 12,
  }),
  asks: fc.array(fc.constantFrom("answer", "throw", "hang", "stop"), { maxLength: 6 }),
  /** What the callbacks do, one after another, as they are called. */
  inside: fc.array(fc.record({ gap: fc.nat(12), kind: fc.constantFrom(...INSIDE), pick: fc.nat(99) }), {
    maxLength: 8,
  }),
  steps: fc.array(step, { maxLength: 50 }),
})

type Life = typeof life extends fc.Arbitrary<infer T> ? T : never

const MAX_MESSAGES = 4
const CODES = [1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 3000, 4000, 4399, 4401, 4499, 4999]
const bug = new Error("a bug in a callback")

/** What became of a promise: its error's code, `done`, or `undefined` so far. */
interface Awaited {
  fate: string | undefined
}

function live(given: Life, page: FakePage) {
  const asks = [...given.asks]
  const dials = [...given.dials]
  const abort = new AbortController()
  const hook = reentry(given.inside, (kind, pick) => acts[kind](pick))
  const ask = <T>(answer: T): T | Promise<T> => {
    hook()
    const fate = asks.shift() ?? "answer"
    if (fate === "throw") throw bug
    if (fate === "stop") throw new StopReconnecting("enough")
    return fate === "hang" ? new Promise<T>(() => {}) : answer
  }
  const codec: Codec<string, string> = {
    encode(message) {
      hook((kind) => kind.includes("send")) // it would go first
      return message
    },
    decode(data) {
      hook()
      return String(data)
    },
    literalPing: { ping: "ping", pong: "pong" },
  }
  const fake = fakeClient({
    codec,
    make: given.make,
    answersLiteral: true,
    autoConnect: given.autoConnect,
    maxRetries: given.maxRetries,
    stableAfterMs: 1_000,
    connectTimeoutMs: 2_000,
    closeTimeoutMs: 300,
    highWaterMarkBytes: 6,
    queue: { maxMessages: MAX_MESSAGES, overflow: given.overflow },
    signal: abort.signal,
    heartbeat: given.hasHeartbeat && { intervalMs: 700, timeoutMs: 300 },
    url: ({ signal }) => {
      signal.addEventListener("abort", () => hook(), { once: true })
      return ask("ws://far.example/")
    },
    shouldReconnect: () => {
      hook()
      return undefined
    },
    ...(given.hasOnOpen && { onOpen: () => ask(undefined) }),
  })
  const { client, clock, network, log } = fake
  network.latencyMs = given.latencyMs
  const sent: number[] = []
  const handed: number[] = []
  const drained: number[] = []
  /** What `send` said it dropped after the end, when nobody listens any more. */
  const late: number[] = []
  const controllers: AbortController[] = []
  const waits: (Awaited & {
    readonly what: string
    readonly number?: number
    readonly isFenced?: boolean
  })[] = []
  const unconfirmed: number[] = []
  const reader = { iterator: client.iterate({ maxMessages: 3 }) }
  client.on("unconfirmed", ({ count }) => unconfirmed.push(count))
  const wait = (promise: Promise<unknown>, about: Omit<(typeof waits)[number], "fate">) => {
    const it = { ...about, fate: undefined as string | undefined }
    waits.push(it)
    promise.then(
      () => {
        it.fate = "done"
      },
      (error: { code?: string; message: string }) => {
        it.fate = error.code ?? error.message
      },
    )
  }
  wait(client.closed, { what: "closed" })
  wait(client.opened, { what: "opened" })
  for (const event of ["state", "message", "error", "dropped", "pong", "unconfirmed"] as const)
    client.on(event, () => hook())
  network.onDial = (socket) => {
    instrument(socket)
    const fate = dials.shift() ?? "accept"
    if (fate === "refuse") socket.refuse()
    else if (fate !== "later") socket.accept()
    if (fate === "accept and close") socket.end(1012)
    if (fate === "accept and send") socket.deliver("welcome")
  }
  const instrument = (socket: DialledSocket) => {
    if (Object.hasOwn(socket, "send")) return
    const send = socket.send.bind(socket)
    socket.send = (data) => {
      if (data !== "ping") hook()
      send(data)
      if (data !== "ping") handed.push(Number(data))
    }
  }
  const options = (pick: number) => {
    const controller = new AbortController()
    if (pick % 3 === 0) controllers.push(controller)
    return {
      volatile: pick % 11 === 0,
      ...(pick % 3 === 0 && { signal: controller.signal }),
      ...(pick % 5 === 0 && { key: String(pick % 2) }),
      ...(pick % 7 === 0 && { ttlMs: pick % 90 }),
    }
  }
  const onSocket = (act: (socket: DialledSocket) => void) => (pick: number) => {
    const { sockets } = network
    if (sockets.length > 0)
      act((pick % 4 === 0 ? sockets[pick % sockets.length] : sockets.at(-1)) as FrameSocket)
  }
  const acts: Record<Kind, (pick: number) => unknown> = {
    send: (pick) => {
      const number = sent.push(sent.length) - 1
      const result = client.send(String(number), options(pick))
      if (log.ends.length > 0 && result === "dropped") late.push(number)
    },
    sendAsync: (pick) => {
      const number = sent.push(sent.length) - 1
      const isFenced = pick % 2 === 0
      const until = isFenced ? "fenced" : "handoff"
      wait(client.sendAsync(String(number), { ...options(pick), until }), { what: "sent", number, isFenced })
    },
    abort: (pick) => controllers[pick % Math.max(1, controllers.length)]?.abort(bug),
    drain: () => drained.push(...client.drainQueue().map(Number)),
    connect: () => client.connect(),
    reconnect: () => client.reconnect(),
    pause: () => client.pause(),
    probe: (pick) => wait(client.probe({ timeoutMs: 1 + pick }), { what: "probe" }),
    read: () => wait(reader.iterator.next(), { what: "read" }),
    "leave loop": () => {
      wait(reader.iterator.return?.() ?? Promise.resolve(), { what: "leave" })
      reader.iterator = client.iterate({ maxMessages: 3 })
    },
    accept: onSocket((socket) => {
      instrument(socket)
      socket.accept()
    }),
    cut: onSocket((socket) => socket.cut()),
    refuse: onSocket((socket) => socket.refuse()),
    "server closes": (pick) =>
      onSocket((socket) => {
        // one that has the same code as a close that it crosses cannot be told from an answer
        socket.end(client.state === "closing" ? 1001 : CODES[pick % CODES.length])
      })(pick),
    // its close frame is here, the end of the stream comes later
    "server begins to close": (pick) =>
      onSocket((socket) => {
        if (socket.readyState !== 1) return
        socket.readyState = 2
        clock.setTimer(() => socket.end(CODES[pick % CODES.length]), 50)
      })(pick),
    "server sends": onSocket((socket) => socket.deliver("hello")),
    "black hole": onSocket((socket) => socket.blackHole()),
    stall: onSocket((socket) => {
      socket.isStalled = !socket.isStalled
    }),
    room: (pick) => onSocket((socket) => socket.drain(pick % 9))(pick),
    throw: onSocket((socket) => {
      socket.failingSends = 1
    }),
    page: (pick) =>
      [
        () => page.show(false),
        () => page.show(true),
        () => page.resume(),
        () => page.pageshow(false),
        () => page.pageshow(true),
      ][pick % 5]?.(),
    network: (pick) => page.goOnline(pick % 2 === 0),
    advance: (pick) => clock.advance(pick % 200),
    "advance far": (pick) => clock.advance(pick * 2),
    // timers fire late, all of them
    sleep: (pick) => clock.stall(pick * 100),
    close: (pick) => {
      if (pick % 6 === 0) abort.abort(bug)
      else if (pick % 6 === 1) void client.close()
    },
  }
  const check = () => {
    let state: ClientState = "idle"
    for (const { from, to } of log.changes) {
      if (from !== state || !TRANSITIONS[from].includes(to))
        expect.fail(`from ${from} to ${to}, after ${state}`)
      state = to
    }
    expect(client.state).toBe(state)
    expect(network.mostLive).toBeLessThanOrEqual(1)
    // one more than fits: what a socket threw back that others had been sent from within
    expect(client.queued).toBeLessThanOrEqual(MAX_MESSAGES + 1)
    expect(log.ends.length).toBe(state === "closed" ? 1 : 0)
  }
  const checkMessages = () => {
    const dropped = log.dropped.map(({ message }) => Number(message))
    const left = client.drainQueue().map(Number)
    const ascending = (a: number, b: number) => a - b
    const told = new Set([...dropped, ...late])
    for (const { number = -1, fate } of waits)
      if (fate === "CONNECTION_LOST" || fate === "ABORTED") told.add(number)
    for (const number of [-1, ...drained, ...left]) told.delete(number)
    expect([...handed, ...told, ...drained, ...left].sort(ascending)).toEqual(sent)
    expect(handed).toEqual([...handed].sort(ascending))
    const received = network.received.filter((it) => it !== "ping").map(Number)
    expect(received).toEqual([...received].sort(ascending))
    expect(handed).toEqual(expect.arrayContaining(received))
    // what was lost on the way is told of
    const lost = handed.length - received.length
    expect(unconfirmed.reduce((sum, it) => sum + it, 0)).toBeGreaterThanOrEqual(lost)
    for (const { fate, number = -1, isFenced } of waits.filter(({ what }) => what === "sent")) {
      if (fate === "UNCONFIRMED") expect(handed).toContain(number)
      else if (fate !== "done") expect(handed).not.toContain(number)
      else expect(isFenced ? received : handed).toContain(number)
    }
  }
  return {
    ...fake,
    abort,
    step: ({ kind, pick }: Life["steps"][number]) => acts[kind](pick),
    check,
    checkMessages,
    waits,
  }
}

describe("a client in any life, with callbacks that call back", () => {
  it("C21 C32 C33 sends each message at most once and in order, tells what became of it, and leaves nothing behind", async () => {
    const page = new FakePage()
    await fc.assert(
      fc.asyncProperty(life, async (given) => {
        page.goOnline(true)
        const listeners = page.listenerCount // of a life before that failed
        const { client, clock, network, log, step, check, checkMessages, waits } = live(given, page)
        for (const it of given.steps) {
          await step(it)
          await clock.advance(0)
          check()
        }
        void client.close()
        await clock.advance(2_500)
        check()
        expect(client.state).toBe("closed")
        expect(waits.filter(({ fate }) => fate === undefined)).toEqual([])
        checkMessages()
        expect(network.live).toEqual([])
        expect(network.sockets.map(({ listenerCount }) => listenerCount).filter(Boolean)).toEqual([])
        expect([clock.pending, page.listenerCount]).toEqual([0, listeners])
        const dialled = network.sockets.length
        const told = log.count
        page.goOnline(true)
        page.pageshow(true)
        for (const it of given.steps) await step(it)
        await clock.advance(3_600_000)
        expect([clock.pending, network.sockets.length, log.count]).toEqual([0, dialled, told])
      }),
      runs(1_000),
    )
  })
})
