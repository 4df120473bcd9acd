import { describe, expect, it, vi } from "vitest"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { Flusher } from "../../../src/wire/flusher.js"
import { frame } from "../../support/frames.js"
import { HandDeflater, marked, outboxBench } from "../../support/outbox-bench.js"
import { fc, runs } from "../../support/properties.js"

/** An outbox whose peer takes compressed messages, and whose compressor works by hand. */
function setUp(options: Parameters<typeof outboxBench>[0] = {}) {
  const deflater = new HandDeflater()
  return { deflater, ...outboxBench({ markBytes: 10_000, deflater, ...options }) }
}

const big = (name: string, length = 50) => `big ${name}`.padEnd(length, ".")

describe("S13 S15 a message that is compressed in another thread", () => {
  it("holds back what is sent behind it, and nothing before it", async () => {
    const { deflater, outbox, send, sink, turn } = setUp()
    expect([send("a"), send(big("b")), send("c")]).toEqual(["sent", "queued", "queued"])
    expect(outbox.isWritable).toBe(false)
    await turn()
    expect(marked(sink)).toEqual(["a"])
    expect(outbox.bufferedBytes).toBe(52 + 3)
    deflater.finish()
    expect(marked(sink)).toEqual(["a"])
    await turn()
    expect(marked(sink)).toEqual(["a", `${big("b")} ~`, "c"])
    expect(sink.writes).toHaveLength(2)
    expect(outbox).toMatchObject({ isWritable: true, bufferedBytes: 0, writtenBytes: 3 + 7 + 3 })
  })

  it("goes in one write with what gathered before it, when it is ready in the same turn", async () => {
    const { deflater, send, sink, turn } = setUp()
    send("a")
    send(big("b"))
    deflater.finish()
    await turn()
    expect(marked(sink)).toEqual(["a", `${big("b")} ~`])
  })

  it("waits for one that was sent earlier", async () => {
    const { deflater, send, sink, turn } = setUp()
    send(big("a"))
    send(big("b"))
    deflater.finish(1)
    await turn()
    expect(marked(sink)).toEqual([])
    deflater.finish()
    await turn()
    expect(marked(sink)).toEqual([`${big("a")} ~`, `${big("b")} ~`])
  })

  it("lets go on what is ready, as far as that is", async () => {
    const { deflater, send, sink, turn } = setUp()
    for (const message of [big("a"), "b", big("c"), "d"]) send(message)
    deflater.finish()
    await turn()
    expect(marked(sink)).toEqual([`${big("a")} ~`, "b"])
    expect(send("e")).toBe("queued")
    deflater.finish()
    await turn()
    expect(marked(sink).slice(2)).toEqual([`${big("c")} ~`, "d", "e"])
  })

  it("waits for room as well, and is written once there is both", async () => {
    const { deflater, outbox, send, sink, turn } = setUp({ markBytes: 100 })
    sink.stall()
    send("x".repeat(120))
    send(big("b"))
    await turn()
    deflater.finish()
    await turn()
    expect([marked(sink).length, outbox.isWritable]).toEqual([1, false])
    sink.unstall()
    expect(marked(sink)[1]).toBe(`${big("b")} ~`)
    expect(outbox.isWritable).toBe(true)
  })

  it("is not waited for where the sink has become full before it", async () => {
    const { deflater, send, sink, block, turn } = setUp({ markBytes: 100 })
    await block()
    expect([send(big("a")), send("b")]).toEqual(["queued", "queued"])
    deflater.finish()
    await turn()
    expect(marked(sink).slice(1)).toEqual([])
    sink.unstall()
    await turn()
    expect(marked(sink).slice(1)).toEqual([`${big("a")} ~`, "b"])
  })

  it("goes at once with flush: immediate, when it is ready", () => {
    const { deflater, send, sink } = setUp({ flush: "immediate" })
    expect([send("a"), send(big("b")), send("c")]).toEqual(["sent", "queued", "queued"])
    expect(marked(sink)).toEqual(["a"])
    deflater.finish()
    expect(marked(sink)).toEqual(["a", `${big("b")} ~`, "c"])
    expect(send("d")).toBe("sent")
  })

  it("is drained when it has been written", async () => {
    const { deflater, outbox, send, turn } = setUp()
    send(big("a"))
    const drained = vi.fn()
    void outbox.drained().then(drained)
    await turn()
    expect(drained).not.toHaveBeenCalled()
    deflater.finish()
    await turn()
    expect(drained).toHaveBeenCalledOnce()
  })

  it("S22 does not hold back what is urgent", async () => {
    const { deflater, outbox, send, sink, turn } = setUp()
    send(big("a"))
    outbox.sendUrgent(frame("pong"))
    expect(marked(sink)).toEqual(["pong"])
    deflater.finish()
    await turn()
    expect(marked(sink)).toEqual(["pong", `${big("a")} ~`])
  })

  it("lets only the newest urgent frame wait where the sink is full as well", async () => {
    const { deflater, outbox, send, sink, turn } = setUp({ markBytes: 100 })
    sink.stall()
    send("x".repeat(120))
    send(big("a"))
    await turn()
    for (let i = 0; i < 100; i += 1) outbox.sendUrgent(frame(`pong ${i}`))
    expect(sink.bufferedBytes).toBeLessThan(150)
    deflater.finish()
    sink.unstall()
    await turn()
    expect(marked(sink).slice(1)).toEqual(["pong 99", `${big("a")} ~`])
  })

  it("tells whoever waits for it that it has left", async () => {
    const { deflater, send, turn } = setUp()
    const settled = vi.fn()
    send(big("a"), { settled })
    await turn()
    expect(settled).not.toHaveBeenCalled()
    deflater.finish()
    await turn()
    expect(settled).toHaveBeenCalledExactlyOnceWith(undefined)
  })
})

describe("S13 a message that cannot wait for its compression", () => {
  it("goes as it is ahead of a close, and its order is kept", async () => {
    const { deflater, outbox, send, sink, turn } = setUp()
    for (const message of ["a", big("b"), "c", big("d")]) send(message)
    deflater.finish(1)
    outbox.finish()
    expect(marked(sink)).toEqual(["a", big("b"), "c", `${big("d")} ~`])
    deflater.finish()
    await turn()
    expect(marked(sink)).toHaveLength(4)
  })

  it("goes as it is rather than to have the reader closed for what is not his fault", async () => {
    const { deflater, send, sink, owner, turn } = setUp({ maxBufferedBytes: 120 })
    expect([send(big("a")), send(big("b"))]).toEqual(["queued", "queued"])
    expect(send(big("c"))).toBe("queued")
    expect(marked(sink)).toEqual([big("a"), big("b")])
    expect(send("d")).toBe("queued")
    while (deflater.waiting > 0) deflater.finish()
    await turn()
    expect(marked(sink).slice(2)).toEqual([`${big("c")} ~`, "d"])
    expect(owner).toMatchObject({ overflows: 0, lags: [] })
  })

  it("S20 is subject to the policy where the reader is slow, too", async () => {
    const { deflater, send, sink, owner, turn } = setUp({
      markBytes: 100,
      maxBufferedBytes: 250,
      overflow: "drop-oldest",
    })
    sink.stall()
    send("x".repeat(120))
    await turn()
    expect([send(big("a")), send(big("b")), send(big("c"))]).toEqual(Array(3).fill("queued"))
    sink.unstall()
    await turn()
    while (deflater.waiting > 0) deflater.finish()
    await turn()
    expect(owner.lags).toEqual([{ count: 1, bytes: 52 }])
    expect(marked(sink).slice(1)).toEqual([`${big("b")} ~`, `${big("c")} ~`])
  })

  it("is counted among what never left when the connection is gone", async () => {
    const { deflater, outbox, send, turn, sink } = setUp()
    const settled = vi.fn()
    send("a")
    send(big("b"), { settled })
    const error = new Error("gone")
    expect(outbox.abandon(() => error)).toEqual({ count: 2, bytes: 3 + 52 })
    expect(settled).toHaveBeenCalledExactlyOnceWith(error)
    deflater.finish()
    await turn()
    expect(marked(sink)).toEqual([])
  })
})

describe("S11 S13 outboxes that wait for the same messages", () => {
  it("write them in one piece that they share, at the end of one turn", async () => {
    const [clock, deflater] = [new VirtualClock(), new HandDeflater()]
    const flusher = new Flusher(clock)
    const benches = Array.from({ length: 3 }, () =>
      outboxBench({ markBytes: 10_000, clock, flusher, deflater }),
    )
    const messages = [big("a"), "b", big("c")].map((it) => frame(it))
    for (const it of messages) for (const { outbox } of benches) outbox.send(it)
    await clock.advance(0)
    expect(deflater.waiting).toBe(2)
    while (deflater.waiting > 0) deflater.finish()
    await clock.advance(0)
    const batches = benches.map(({ sink }) => sink.batches[0])
    expect(new Set(batches).size).toBe(1)
    expect(batches[0]?.length).toBe(3)
  })
})

describe("S15 the order", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ send: fc.integer({ min: 4, max: 60 }), isBig: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ finish: fc.nat(10) }) },
    { weight: 2, arbitrary: fc.record({ leave: fc.integer({ min: 1, max: 150 }) }) },
    { weight: 2, arbitrary: fc.constantFrom("turn" as const, "urgent" as const) },
  )

  it.each(["drop-newest", "drop-oldest"] as const)(
    "and the count of what was lost are exact for any traffic and any speed of compression (%s)",
    async (overflow) => {
      const play = async (steps: (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) => {
        const it = setUp({ overflow, maxBufferedBytes: 200, markBytes: 100 })
        const { deflater, outbox, sink, owner, send, turn } = it
        sink.stall()
        let [serial, refused] = [0, 0]
        for (const it of steps) {
          if (it === "turn") await turn()
          else if (it === "urgent") outbox.sendUrgent(frame("!"))
          else if ("leave" in it) sink.leave(it.leave)
          else if ("finish" in it) deflater.finish(it.finish)
          else {
            serial += 1
            if (send(`${it.isBig ? "big" : "not"} ${serial}`.padEnd(it.send)) === "dropped") refused += 1
          }
          expect(outbox.bufferedBytes).toBeLessThanOrEqual(200 + 3)
        }
        await turn()
        outbox.finish()
        while (deflater.waiting > 0) deflater.finish()
        await turn()
        const arrived = sink.messages.filter((it) => it !== "!").map((it) => Number(String(it).slice(4)))
        expect(arrived).toEqual([...new Set(arrived)].sort((a, b) => a - b))
        const lost = owner.lags.reduce((sum, { count }) => sum + count, 0)
        expect(arrived.length + lost).toBe(serial)
        if (overflow === "drop-newest") expect(lost).toBe(refused)
        for (const { byteLength, bytes } of sink.batches) expect(bytes.byteLength).toBe(byteLength)
      }
      await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 80 }), play), runs(300))
    },
  )
})
