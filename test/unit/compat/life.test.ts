import { expect, it } from "vitest"
import type { DialledSocket } from "../../support/client-network.js"
import { fakeSocket } from "../../support/compat-fake.js"
import { fc, runs } from "../../support/properties.js"
import { reentry } from "../../support/reentry.js"

/** What can be done to a socket, or around it. `pick` says how. */
const KINDS = [
  "send",
  "send",
  "send Blob",
  "read Blob",
  "spoil Blob",
  "drain",
  "close",
  "reconnect",
  "accept",
  "refuse",
  "cut",
  "server closes",
  "server begins to close",
  "server sends",
  "black hole",
  "advance",
  "advance far",
] as const

type Kind = (typeof KINDS)[number]

/** What an event's listener may do. */
const INSIDE = ["send", "send Blob", "drain", "close", "reconnect"] as const

const life = fc.record({
  make: fc.constantFrom("browser" as const, "node22" as const, "node24" as const, "frames" as const),
  latencyMs: fc.constantFrom(0, 30),
  startClosed: fc.boolean(),
  maxRetries: fc.constantFrom(Number.POSITIVE_INFINITY, 2),
  dials: fc.array(fc.constantFrom("accept", "refuse", "later", "accept and close"), { maxLength: 12 }),
  /** What listeners, Blobs and the platform's `send` do, one after another, as they are called. */
  inside: fc.array(fc.record({ gap: fc.nat(6), kind: fc.constantFrom(...INSIDE), pick: fc.nat(99) }), {
    maxLength: 8,
  }),
  steps: fc.array(fc.record({ kind: fc.constantFrom<Kind>(...KINDS), pick: fc.nat(9_999) }), {
    maxLength: 40,
  }),
})

type Life = typeof life extends fc.Arbitrary<infer T> ? T : never

/** A `Blob` that is read, or turns out to be spoilt, when the test says so, if ever. */
class SlowBlob {
  readonly size = 4
  readonly #number: number
  #settle: ((bytes: ArrayBuffer | Promise<never>) => void)[] = []
  #outcome: "unread" | "read" | "spoilt" = "unread"

  readonly #onRead: () => void

  constructor(number: number, onRead: () => void) {
    this.#number = number
    this.#onRead = onRead
  }

  get isSpoilt(): boolean {
    return this.#outcome === "spoilt"
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    this.#onRead()
    return new Promise((resolve) => {
      this.#settle.push(resolve)
      if (this.#outcome !== "unread") this.finish(this.#outcome)
    })
  }

  finish(outcome: "read" | "spoilt"): void {
    if (this.#outcome === "unread") this.#outcome = outcome
    for (const settle of this.#settle.splice(0)) {
      if (this.isSpoilt) settle(Promise.reject(new Error("unreadable")))
      else settle(Uint32Array.of(this.#number).buffer)
    }
  }
}

const numberOf = (data: unknown) =>
  typeof data === "string"
    ? Number(data)
    : (new Uint32Array(new Uint8Array(data as ArrayBuffer).buffer)[0] as number)

function live(given: Life) {
  const { make, latencyMs, startClosed, maxRetries } = given
  const dials = [...given.dials]
  const fake = fakeSocket({ make, startClosed, maxRetries, heartbeat: false, minUptime: 500 })
  const { socket, network, clock } = fake
  network.latencyMs = latencyMs
  let count = 0
  const blobs = new Map<unknown, number>()
  const handed: number[] = []
  const drained: number[] = []
  const callBack = reentry(given.inside, (kind, pick) => acts[kind](pick))
  const hook = () => callBack()
  for (const type of ["open", "message", "error", "close"]) socket.addEventListener(type, hook)
  const watch = (it: DialledSocket) => {
    if (Object.hasOwn(it, "send")) return
    const send = it.send.bind(it)
    it.send = (data) => {
      hook()
      send(data)
      handed.push(numberOf(data))
    }
  }
  network.onDial = (it) => {
    watch(it)
    const fate = dials.shift() ?? "accept"
    if (fate === "refuse") it.refuse()
    else if (fate !== "later") it.accept()
    if (fate === "accept and close") it.end(1011)
  }
  const drain = () => socket.drainQueuedMessages().map((it) => blobs.get(it) ?? numberOf(it))
  const onBlob = (pick: number, outcome: "read" | "spoilt") =>
    ([...blobs.keys()][pick % Math.max(1, blobs.size)] as SlowBlob | undefined)?.finish(outcome)
  const acts: Record<Kind, (pick: number) => unknown> = {
    send: () => {
      count += 1
      socket.send(String(count - 1))
    },
    "send Blob": (pick) => {
      const blob = new SlowBlob(count, hook)
      blobs.set(blob, count)
      count += 1
      if (pick % 3 === 0) blob.finish("read")
      socket.send(blob)
    },
    "read Blob": (pick) => onBlob(pick, "read"),
    "spoil Blob": (pick) => onBlob(pick, "spoilt"),
    drain: () => drained.push(...drain()),
    close: (pick) => socket.close(pick % 2 === 0 ? 4_000 : undefined),
    reconnect: () => socket.reconnect(),
    accept: () => {
      const it = network.sockets.at(-1)
      if (it) watch(it)
      it?.accept()
    },
    refuse: () => network.sockets.at(-1)?.refuse(),
    cut: () => network.sockets.at(-1)?.cut(),
    "server closes": (pick) => network.sockets.at(-1)?.end([1000, 1008, 1012, 4_000][pick % 4]),
    "server begins to close": () => {
      const it = network.sockets.at(-1)
      if (it?.readyState !== 1) return
      it.readyState = 2
      clock.setTimer(() => it.end(1001), 50)
    },
    "server sends": () => network.sockets.at(-1)?.deliver("hello"),
    "black hole": () => network.sockets.at(-1)?.blackHole(),
    advance: (pick) => clock.advance(pick % 100),
    "advance far": (pick) => clock.advance(pick * 2),
  }
  return {
    ...fake,
    acts,
    handed,
    drained,
    drain,
    blobs,
    sent: () => Array.from({ length: count }, (_, i) => i),
  }
}

it("C39 in any life, with listeners that call back and Blobs that are never read: each message once, in order, and an end", async () => {
  await fc.assert(
    fc.asyncProperty(life, async (given) => {
      const { socket, network, clock, lines, acts, handed, drained, drain, blobs, sent } = live(given)
      for (const { kind, pick } of given.steps) {
        await acts[kind](pick)
        await clock.advance(0)
        expect(network.mostLive).toBeLessThanOrEqual(1)
      }
      socket.close()
      await clock.advance(15_000)
      // a listener may have revived it once more
      for (let i = 0; i < 9; i += 1) {
        socket.close()
        await clock.advance(15_000)
      }
      expect([socket.readyState, clock.pending, network.live.length]).toEqual([3, 0, 0])
      const kinds = lines.map((it) => it.split(" ")[0])
      expect(kinds.filter((it, i) => it === "open" && kinds[i + 1] === "open")).toEqual([])
      expect(network.sockets.map(({ listenerCount }) => listenerCount).filter(Boolean)).toEqual([])
      const left = drain()
      const spoilt = [...blobs].flatMap(([blob, number]) => ((blob as SlowBlob).isSpoilt ? [number] : []))
      const accounted = new Set([...handed, ...drained, ...left])
      const all = [...handed, ...drained, ...left, ...spoilt.filter((it) => !accounted.has(it))]
      expect(all.sort((one, other) => one - other)).toEqual(sent())
      expect(handed).toEqual([...handed].sort((one, other) => one - other))
    }),
    runs(500),
  )
})
