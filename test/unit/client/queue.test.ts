import {
  binary,
  type Codec,
  InvalidOptionError,
  type QueueOverflow,
  ReconnectingClient,
  text,
} from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { fakeClient } from "../../support/client-fake.js"
import { liveBytes } from "../../support/garbage.js"
import { fc, runs } from "../../support/properties.js"

/** A client that has not dialled yet: whatever is sent waits. */
const idleClient = (options: Parameters<typeof fakeClient<string, string>>[0] = {}) =>
  fakeClient({ autoConnect: false, ...options })

/** Dials, and tells what arrives. */
async function arrivals({ client, clock, network }: ReturnType<typeof idleClient>) {
  client.connect()
  await clock.advance(1)
  return network.received
}

describe("the limits of the queue", () => {
  it.each([
    ["reject", "dropped", ["1", "2"], ["3", "4"]],
    ["drop-newest", "dropped", ["1", "2"], ["3", "4"]],
    ["drop-oldest", "queued", ["3", "4"], ["1", "2"]],
  ] as const)("C20 of messages, with %s", async (overflow, result, kept, lost) => {
    const fake = idleClient({ queue: { maxMessages: 2, overflow } })
    const results = ["1", "2", "3", "4"].map((it) => fake.client.send(it))
    expect(results).toEqual(["queued", "queued", result, result])
    expect(fake.log.dropped).toEqual(lost.map((message) => ({ message, reason: "queue-full" })))
    expect(fake.client.queued).toBe(2)
    expect(await arrivals(fake)).toEqual(kept)
  })

  it.each([
    ["reject", "dropped", ["aaaa", "üü"], ["cccc"]],
    ["drop-newest", "dropped", ["aaaa", "üü"], ["cccc"]],
    ["drop-oldest", "queued", ["üü", "cccc"], ["aaaa"]],
  ] as const)("C20 of bytes, with %s", async (overflow, result, kept, lost) => {
    const fake = idleClient({ queue: { maxBytes: 9, overflow } })
    expect(fake.client.send("aaaa")).toBe("queued")
    expect(fake.client.send("üü")).toBe("queued")
    expect(fake.client.send("cccc")).toBe(result)
    expect(fake.client.queuedBytes).toBe(8)
    expect(fake.log.dropped).toEqual(lost.map((message) => ({ message, reason: "queue-full" })))
    expect(await arrivals(fake)).toEqual(kept)
  })

  it.each(["reject", "drop-newest", "drop-oldest"] as const)(
    "C20 do not let one message in that is too large by itself, nor others out for it: %s",
    (overflow) => {
      const { client, log } = idleClient({ queue: { maxBytes: 4, overflow } })
      client.send("keep")
      expect(client.send("12345")).toBe("dropped")
      expect(log.dropped).toEqual([{ message: "12345", reason: "queue-full" }])
      expect(client.drainQueue()).toEqual(["keep"])
    },
  )

  it("C20 are 1,024 messages and 1 MiB by default", () => {
    const { client } = idleClient()
    for (let i = 0; i < 1_024; i += 1) expect(client.send("")).toBe("queued")
    expect(client.send("")).toBe("dropped")
    expect(client.clearQueue()).toBe(1_024)
    expect(client.send("x".repeat(1_048_576))).toBe("queued")
    expect(client.send("x")).toBe("dropped")
    expect(client.queuedBytes).toBe(1_048_576)
  })

  it.each(["reject", "drop-oldest"] as const)(
    "C20 keep the heap: a million sends while down grow it by less than 5 MiB: %s",
    async (overflow: QueueOverflow) => {
      const clock = new VirtualClock()
      const client = new ReconnectingClient<string, string>("ws://far.example/", {
        codec: text(),
        autoConnect: false,
        logger: false,
        queue: { overflow },
        clock,
      })
      let drops = 0
      client.on("dropped", () => {
        drops += 1
      })
      const before = await liveBytes()
      for (let i = 0; i < 1_000_000; i += 1) client.send(`a message that is some bytes long, number ${i}`)
      expect((await liveBytes()) - before).toBeLessThan(5 * 1_048_576)
      expect(client.queued).toBe(1_024)
      expect(drops).toBe(1_000_000 - 1_024)
    },
    30_000,
  )
})

describe("queuedBytes", () => {
  interface Note {
    readonly text: string
  }
  const codec: Codec<string, Note> = { encode: (note) => note.text, decode: String }
  const body = fc.string({ unit: fc.constantFrom("a", "ü", "€", "🙂", "\ud800", "\udc00"), maxLength: 12 })
  const key = fc.constantFrom(undefined, "x", "y")
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.record({ body, key, ttlMs: fc.constantFrom(undefined, 5, 50) }) },
    { weight: 2, arbitrary: fc.constantFrom("abort" as const, "time" as const) },
    { weight: 1, arbitrary: fc.constant("clear" as const) },
  )
  const overflow = fc.constantFrom("reject" as const, "drop-oldest" as const)

  it("C20 is exact after any order of sends, drops, aborts and clears", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), overflow, (steps, overflow) => {
        const queue = { maxMessages: 12, maxBytes: 150, overflow }
        const { client, clock } = fakeClient<string, Note>({ codec, autoConnect: false, queue })
        const waiting = new Set<Note>()
        let controller = new AbortController()
        client.on("dropped", ({ message }) => waiting.delete(message))
        for (const it of steps) {
          if (it === "time") clock.stall(10)
          else if (it === "clear") {
            client.clearQueue()
            waiting.clear()
          } else if (it === "abort") {
            controller.abort()
            controller = new AbortController()
          } else {
            const note = { text: it.body }
            waiting.add(note)
            const { key, ttlMs } = it
            const result = client.send(note, {
              ...(key && { key }),
              ...(ttlMs && { ttlMs }),
              ...(it.body.length % 3 === 0 && { signal: controller.signal }),
            })
            expect(result).toBe(waiting.has(note) ? "queued" : "dropped")
          }
          const bytes = [...waiting].reduce((sum, note) => sum + Buffer.byteLength(note.text), 0)
          expect([client.queued, client.queuedBytes]).toEqual([waiting.size, bytes])
        }
      }),
      runs(500),
    )
  })
})

describe("a volatile message", () => {
  it("C22 is dropped while there is no connection, and sent while there is", async () => {
    const { client, clock, network, log } = idleClient()
    expect(client.send("now or never", { volatile: true })).toBe("dropped")
    expect(log.dropped).toEqual([{ message: "now or never", reason: "volatile" }])
    client.connect()
    await clock.advance(1)
    expect(client.send("now", { volatile: true })).toBe("sent")
    network.last.isStalled = true
    network.last.bufferedAmount = 2_000_000
    expect(client.send("no room", { volatile: true })).toBe("dropped")
    await clock.advance(1)
    expect(network.received).toEqual(["now"])
  })

  it("C22 overtakes nothing that waits", async () => {
    const { client, clock, network } = idleClient()
    client.connect()
    await clock.advance(1)
    network.last.bufferedAmount = 2_000_000
    client.send("waits")
    network.last.bufferedAmount = 0
    expect(client.send("cursor", { volatile: true })).toBe("dropped")
    await clock.advance(20)
    expect(network.received).toEqual(["waits"])
  })
})

describe("a message with ttlMs", () => {
  it("C22 is sent before it is over, and dropped as expired after", async () => {
    const fake = idleClient()
    fake.client.send("short", { ttlMs: 100 })
    fake.client.send("long", { ttlMs: 1_000 })
    fake.client.send("for ever")
    await fake.clock.advance(100)
    expect(await arrivals(fake)).toEqual(["long", "for ever"])
    expect(fake.log.dropped).toEqual([{ message: "short", reason: "expired" }])
  })

  it("C22 makes room in a full queue once it has expired", async () => {
    const { client, clock, log } = idleClient({ queue: { maxMessages: 2 } })
    client.send("stays")
    client.send("goes", { ttlMs: 10 })
    expect(client.send("no room")).toBe("dropped")
    await clock.advance(10)
    expect(client.send("room")).toBe("queued")
    expect(log.dropped.map(({ reason }) => reason)).toEqual(["queue-full", "expired"])
    expect(client.drainQueue()).toEqual(["stays", "room"])
  })

  it.each([-1, Number.NaN, "10"])("C22 throws for %s, and keeps nothing", (ttlMs) => {
    const { client } = idleClient()
    expect(() => client.send("x", { ttlMs: ttlMs as number })).toThrow(InvalidOptionError)
    expect(client.queued).toBe(0)
  })
})

describe("a message with a key", () => {
  it("C22 replaces the one of its key, and goes to the end", async () => {
    const fake = idleClient()
    fake.client.send("cursor 1", { key: "cursor" })
    fake.client.send("text")
    fake.client.send("cursor 2", { key: "cursor" })
    fake.client.send("other", { key: "0" })
    expect(fake.log.dropped).toEqual([{ message: "cursor 1", reason: "replaced" }])
    expect(await arrivals(fake)).toEqual(["text", "cursor 2", "other"])
  })
})

describe("a message with a signal", () => {
  it("C22 leaves the queue when it is aborted, and is not touched after it was sent", async () => {
    const controller = new AbortController()
    const { signal } = controller
    const fake = idleClient()
    fake.client.send("one")
    fake.client.send("two", { signal })
    controller.abort()
    expect(fake.log.dropped).toEqual([{ message: "two", reason: "aborted" }])
    expect(fake.client.queued).toBe(1)
    expect(fake.client.send("three", { signal })).toBe("dropped")
    expect(await arrivals(fake)).toEqual(["one"])
    expect(fake.client.send("four", { signal })).toBe("dropped")
    const later = new AbortController()
    expect(fake.client.send("five", { signal: later.signal })).toBe("sent")
    later.abort()
    expect(fake.log.dropped.map(({ message }) => message)).toEqual(["two", "three", "four"])
  })
})

describe("clearQueue() and drainQueue()", () => {
  it("C22 return what was not sent: how many, and which", async () => {
    const fake = idleClient()
    for (const message of ["a", "b", "c"]) fake.client.send(message)
    expect(fake.client.drainQueue()).toEqual(["a", "b", "c"])
    expect([fake.client.queued, fake.client.queuedBytes]).toEqual([0, 0])
    for (const message of ["d", "e"]) fake.client.send(message)
    expect(fake.client.clearQueue()).toBe(2)
    fake.client.send("f")
    expect(await arrivals(fake)).toEqual(["f"])
    expect(fake.log.dropped).toEqual([])
  })

  it("C22 return what has expired after the end only, when nobody hears of it any more", async () => {
    const { client, clock, log } = idleClient()
    for (const message of ["a", "b"]) client.send(message, { ttlMs: 10 })
    client.send("c")
    await clock.advance(10)
    expect(client.drainQueue()).toEqual(["c"])
    expect(log.dropped.map(({ message }) => message)).toEqual(["a", "b"])
    for (const message of ["d", "e"]) client.send(message, { ttlMs: 10 })
    void client.close()
    await clock.advance(10)
    expect(log.ends).toMatchObject([{ queued: 2 }])
    expect(client.drainQueue()).toEqual(["d", "e"])
  })

  it("C22 return what was aborted after the end too: an ended client listens to no signal", async () => {
    const { client, clock } = idleClient()
    const { signal } = new AbortController()
    let listeners = 0
    signal.addEventListener = () => {
      listeners += 1
    }
    signal.removeEventListener = () => {
      listeners -= 1
    }
    const abort = new AbortController()
    client.send("a", { signal })
    client.send("b", { signal: abort.signal })
    expect(listeners).toBe(1)
    void client.close()
    await clock.advance(1)
    abort.abort()
    expect(listeners).toBe(0)
    expect(client.drainQueue()).toEqual(["a", "b"])
    expect(listeners).toBe(0)
  })

  it("C22 work after the end, which tells how many there are", async () => {
    const { client, clock, log } = idleClient()
    for (const message of ["a", "b"]) client.send(message)
    void client.close()
    await clock.advance(1)
    expect(log.ends).toMatchObject([{ cause: "closed", queued: 2 }])
    expect(client.drainQueue()).toEqual(["a", "b"])
    expect(client.drainQueue()).toEqual([])
  })
})

describe("bytes that wait", () => {
  it.each([
    ["a Uint8Array", () => new Uint8Array([1, 2, 3])],
    ["a Buffer from the pool", () => Buffer.from([1, 2, 3])],
  ])("C22 are copied at send: %s", async (_, make) => {
    const { client, clock, network } = fakeClient<Uint8Array, Uint8Array>({
      codec: binary(),
      autoConnect: false,
    })
    const bytes = make()
    client.send(bytes)
    bytes.fill(0)
    expect(client.queuedBytes).toBe(3)
    client.connect()
    await clock.advance(1)
    expect(network.received).toEqual([new Uint8Array([1, 2, 3])])
  })
})
