import { describe, expect, it, vi } from "vitest"
import type { OverflowPolicy } from "../../../src/wire/backlog.js"
import { frame } from "../../support/frames.js"
import { outboxBench } from "../../support/outbox-bench.js"
import { fc, runs } from "../../support/properties.js"

/** A blocked outbox with 100 bytes in the sink and room for so many messages of 10 bytes more. */
async function blocked(overflow: OverflowPolicy, room: number) {
  const bench = outboxBench({ overflow, maxBufferedBytes: 100 + room * 10 })
  await bench.block(100)
  return { ...bench, send: (name: string, options = {}) => bench.send(name.padEnd(8, "."), options) }
}

const names = (messages: readonly unknown[]) => messages.map((it) => String(it).replace(/\.+$/, ""))

describe("S20 the limit", () => {
  it("counts the outbox, the sink and the new message", async () => {
    const { outbox, send, owner } = await blocked("close", 2)
    expect([send("a"), send("b")]).toEqual(["queued", "queued"])
    expect(outbox.bufferedBytes).toBe(120)
    expect(owner.overflows).toBe(0)
    expect(send("c")).toBe("dropped")
    expect(owner.overflows).toBe(1)
  })

  it("writes what has gathered before it counts that as waiting", () => {
    const { send, sink, owner } = outboxBench({ maxBufferedBytes: 30 })
    for (let i = 0; i < 20; i += 1) expect(send(`${i}`.padEnd(8))).toBe("sent")
    expect(owner.overflows).toBe(0)
    expect(sink.messages).toHaveLength(18)
  })

  it.each(["drop-newest", "drop-oldest", "latest"] as const)(
    "%s gives up a message larger than the limit, alone, and says so at once",
    async (overflow) => {
      const { send, sink, owner, turn } = outboxBench({ maxBufferedBytes: 100, overflow })
      expect(send("a")).toBe("sent")
      expect(send("x".repeat(99))).toBe("dropped")
      expect(owner.lags).toEqual([{ count: 1, bytes: 101 }])
      expect(send("b")).toBe("sent")
      await turn()
      expect(sink.messages).toEqual(["a", "b"])
    },
  )

  it.each(["drop-oldest", "latest"] as const)(
    "%s gives up nothing for a message that would not fit even then",
    async (overflow) => {
      const { outbox, send, sink, owner } = await blocked(overflow, 3)
      send("a")
      send("x1", { key: "x" })
      expect(outbox.send(frame("x".repeat(40), { key: "x" }))).toBe("dropped")
      sink.unstall()
      expect(names(sink.messages)).toEqual(["a", "x1"])
      expect(owner.lags).toEqual([{ count: 1, bytes: 42 }])
    },
  )
})

describe("S20 the room that a batch is remembered to have", () => {
  /** Counts how often the sink is asked what it holds. */
  function counted(options: Parameters<typeof outboxBench>[0]) {
    const bench = outboxBench(options)
    const asked = vi.fn(() => 0)
    const held = { bytes: 0 }
    Object.defineProperty(bench.sink, "bufferedBytes", {
      get: () => {
        asked()
        return held.bytes
      },
      set: (bytes: number) => {
        held.bytes = bytes
      },
    })
    return { ...bench, asked }
  }

  it.each([1, 10, 1_000])("is asked for once in a burst of %i", async (burst) => {
    const { send, asked, turn, sink } = counted({ markBytes: 100_000 })
    for (let i = 0; i < burst; i += 1) expect(send("x")).toBe("sent")
    expect(asked).toHaveBeenCalledTimes(1)
    await turn()
    expect(sink.messages).toHaveLength(burst)
  })

  it("is asked for again when it seems used up, so that what has left meanwhile counts as free", async () => {
    const { outbox, send, sink, turn, owner } = outboxBench({ markBytes: 100, maxBufferedBytes: 120 })
    sink.stall()
    send("x".repeat(88))
    await turn()
    expect([send("a".repeat(18)), outbox.bufferedBytes]).toEqual(["sent", 110])
    sink.leave(80)
    expect([send("b".repeat(88)), outbox.bufferedBytes]).toEqual(["sent", 120])
    expect(owner.overflows).toBe(0)
  })

  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ send: fc.integer({ min: 0, max: 60 }) }) },
    { weight: 3, arbitrary: fc.record({ leave: fc.integer({ min: 1, max: 150 }) }) },
    { weight: 2, arbitrary: fc.constantFrom("turn" as const, "urgent" as const) },
  )

  it("changes no verdict: a message is taken exactly if it fits at that moment", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 80 }),
        fc.constantFrom("tick" as const, "immediate" as const),
        async (steps, flush) => {
          const { outbox, sink, send, turn } = outboxBench({
            overflow: "drop-newest",
            maxBufferedBytes: 200,
            markBytes: 190,
            flush,
          })
          sink.stall()
          for (const it of steps) {
            if (it === "turn") await turn()
            else if (it === "urgent") outbox.sendUrgent(frame("!".repeat(30)))
            else if ("leave" in it) sink.leave(it.leave)
            else {
              const size = it.send + 2
              const fits = outbox.bufferedBytes + size <= 200
              expect(send("x".repeat(it.send)) !== "dropped").toBe(fits)
            }
          }
        },
      ),
      runs(500),
    )
  })
})

describe("S20 close", () => {
  it("S22 answers closed after the overflow, also once the sink has drained", async () => {
    const { outbox, owner, send, sink, turn } = await blocked("close", 1)
    const lost = new Error("overflow")
    let unsent: unknown
    owner.onOverflow = () => {
      unsent = outbox.abandon(() => lost)
    }
    expect([send("a"), send("b"), send("c")]).toEqual(["queued", "dropped", "closed"])
    expect(unsent).toEqual({ count: 2, bytes: 20 })
    sink.unstall()
    await turn()
    expect(send("d")).toBe("closed")
    expect(sink.messages).toEqual([])
    expect(owner).toMatchObject({ overflows: 1, lags: [] })
  })
})

describe("S20 drop-newest", () => {
  it("S21 loses the new messages, and tells how many when the gap is reached", async () => {
    const { send, sink, owner } = await blocked("drop-newest", 2)
    expect(["a", "b", "c", "d"].map((it) => send(it))).toEqual(["queued", "queued", "dropped", "dropped"])
    expect(owner.lags).toEqual([])
    sink.unstall()
    expect(names(sink.messages)).toEqual(["a", "b"])
    expect(owner.lags).toEqual([{ count: 2, bytes: 20 }])
  })

  it("S21 puts the notice where the gap is, between what came before and what comes after", async () => {
    const { send, sink, owner, outbox } = await blocked("drop-newest", 2)
    owner.notice = ({ count }) => `${count} lost`
    for (const name of ["a", "b", "c", "d"]) send(name)
    sink.leave(20)
    expect(send("e")).toBe("queued")
    expect(outbox.bufferedBytes).toBe(80 + 20 + 8 + 10)
    sink.unstall()
    expect(names(sink.messages)).toEqual(["a", "b", "2 lost", "e"])
    expect(owner.lags).toEqual([{ count: 2, bytes: 20 }])
  })

  it("S21 puts the notice behind what waits when the connection closes with a gap", async () => {
    const { outbox, send, sink, owner } = await blocked("drop-newest", 2)
    owner.notice = ({ count }) => `${count} lost`
    for (const name of ["a", "b", "c"]) send(name)
    outbox.finish()
    expect(names(sink.messages)).toEqual(["a", "b", "1 lost"])
  })
})

describe("S20 drop-oldest", () => {
  it("S21 loses the oldest that wait, and puts the notice before the rest", async () => {
    const { send, sink, owner } = await blocked("drop-oldest", 2)
    owner.notice = ({ count }) => `${count} lost`
    expect(["a", "b", "c", "d", "e"].map((it) => send(it))).toEqual(Array(5).fill("queued"))
    expect(owner.lags).toEqual([])
    sink.unstall()
    expect(names(sink.messages)).toEqual(["3 lost", "d", "e"])
    expect(owner.lags).toEqual([{ count: 3, bytes: 30 }])
  })

  it("S21 tells of each gap once", async () => {
    const { send, sink, owner, block } = await blocked("drop-oldest", 1)
    send("a")
    send("b")
    sink.unstall()
    await block(100)
    send("c")
    send("d")
    sink.unstall()
    expect(owner.lags).toEqual([
      { count: 1, bytes: 10 },
      { count: 1, bytes: 10 },
    ])
  })
})

describe("S20 latest", () => {
  it("keeps one message per key, the newest, and counts no loss", async () => {
    const { send, sink, owner } = await blocked("latest", 3)
    for (const name of ["x1", "y1", "x2", "x3", "y2"]) {
      expect(send(name, { key: name[0] })).toBe("queued")
    }
    sink.unstall()
    expect(names(sink.messages)).toEqual(["x3", "y2"])
    expect(owner.lags).toEqual([])
  })

  it("S21 loses the oldest beyond that, and counts them", async () => {
    const { send, sink, owner } = await blocked("latest", 2)
    for (const name of ["x1", "y1", "z1"]) send(name, { key: name[0] })
    sink.unstall()
    expect(names(sink.messages)).toEqual(["y1", "z1"])
    expect(owner.lags).toEqual([{ count: 1, bytes: 10 }])
  })
})

describe("S21 whoever hears of lag", () => {
  it.each(["drop-newest", "drop-oldest"] as const)(
    "may send, and it arrives in order (%s)",
    async (overflow) => {
      const { outbox, send, sink, owner, turn } = await blocked(overflow, 2)
      for (const name of ["a", "b", "c"]) send(name)
      owner.onLag = () => void send("sorry")
      sink.unstall()
      expect(outbox.isWritable).toBe(true)
      expect(send("after")).toBe("sent")
      await turn()
      expect(names(sink.messages).slice(-2)).toEqual(["sorry", "after"])
    },
  )

  it.each(["drop-newest", "drop-oldest"] as const)(
    "may close, and no notice follows the close (%s)",
    async (overflow) => {
      const { outbox, send, sink, owner } = await blocked(overflow, 2)
      owner.notice = () => "notice"
      for (const name of ["a", "b", "c"]) send(name)
      owner.onLag = () => {
        outbox.finish()
        sink.isWritable = false
      }
      sink.unstall()
      expect(names(sink.messages)).toEqual(overflow === "drop-newest" ? ["a", "b"] : ["b", "c"])
    },
  )
})

describe("S21 whoever answers each loss with a message that is lost as well", () => {
  // each of them told of the next, until the stack was full
  it.each(["drop-newest", "drop-oldest", "latest"] as const)(
    "hears of that at the next loss, and not within the first (%s)",
    (overflow) => {
      const { send, owner } = outboxBench({ maxBufferedBytes: 100, overflow })
      owner.onLag = () => void send("x".repeat(200))
      expect(send("x".repeat(99))).toBe("dropped")
      expect(owner.lags).toEqual([{ count: 1, bytes: 101 }])
      expect(send("x".repeat(99))).toBe("dropped")
      expect(owner.lags.slice(1)).toEqual([{ count: 2, bytes: 305 }])
    },
  )

  it("and what was never told is counted at the end", () => {
    const { outbox, send, owner } = outboxBench({ maxBufferedBytes: 100, overflow: "drop-newest" })
    owner.onLag = () => void send("x".repeat(200))
    send("x".repeat(99))
    expect(outbox.abandon(() => new Error("gone"))).toEqual({ count: 1, bytes: 204 })
  })
})

describe("S21 a loss that is told while a newer message is on its way in", () => {
  /** Full of `a` and `b`, less `c`, and with room for one more. */
  async function withGap() {
    const bench = await blocked("drop-newest", 2)
    for (const name of ["a", "b", "c"]) bench.send(name)
    bench.sink.leave(10)
    return bench
  }

  it("may end the connection: the newer one is refused, and nothing stays behind", async () => {
    const { outbox, send, owner } = await withGap()
    owner.onLag = () => void outbox.abandon(() => new Error("gone"))
    const settled = vi.fn()
    expect(send("d", { settled })).toBe("closed")
    expect(settled).toHaveBeenCalledOnce()
    // it was left in a budget that nothing would ever take it out of
    expect(outbox.notedBytes).toBe(0)
    expect(outbox.abandon(() => new Error("gone"))).toEqual({ count: 0, bytes: 0 })
  })

  it("may take the room of the newer one, which is lost then", async () => {
    const { outbox, send, owner, sink } = await withGap()
    owner.onLag = () => {
      owner.onLag = undefined
      send("e")
    }
    expect(send("d")).toBe("dropped")
    expect(outbox.bufferedBytes).toBeLessThanOrEqual(120)
    sink.unstall()
    expect(names(sink.messages)).toEqual(["a", "b", "e"])
    expect(owner.lags.map(({ count }) => count)).toEqual([1, 1])
  })

  it("leaves no notice among the messages that were never sent", async () => {
    const { outbox, send, owner, sink } = await withGap()
    owner.notice = () => "!"
    sink.leave(10)
    expect(send("d")).toBe("queued")
    expect(outbox.abandon(() => new Error("gone"))).toEqual({ count: 3, bytes: 30 })
  })
})

describe("S21 the count", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ send: fc.integer({ min: 0, max: 60 }) }) },
    { weight: 2, arbitrary: fc.record({ leave: fc.integer({ min: 1, max: 150 }) }) },
    { weight: 1, arbitrary: fc.constant("turn" as const) },
    { weight: 1, arbitrary: fc.constant("urgent" as const) },
  )

  it.each(["drop-newest", "drop-oldest"] as const)(
    "is exact for any traffic, and nothing is reordered (%s)",
    async (overflow) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          const { outbox, sink, owner, send, turn } = outboxBench({ overflow, maxBufferedBytes: 200 })
          sink.stall()
          const results: Record<string, number> = { sent: 0, queued: 0, dropped: 0, closed: 0 }
          let serial = 0
          for (const it of steps) {
            if (it === "turn") await turn()
            else if (it === "urgent") outbox.sendUrgent(frame("!"))
            else if ("leave" in it) sink.leave(it.leave)
            else {
              serial += 1
              const result = send(String(serial).padEnd(it.send))
              results[result] = (results[result] ?? 0) + 1
            }
          }
          await turn()
          outbox.finish()
          const arrived = sink.messages.filter((it) => it !== "!").map(Number)
          expect(arrived).toEqual([...arrived].sort((a, b) => a - b))
          const lost = owner.lags.reduce((sum, { count }) => sum + count, 0)
          expect(arrived.length + lost).toBe(serial)
          if (overflow === "drop-newest") expect(lost).toBe(results.dropped)
          expect(results.closed).toBe(0)
        }),
      )
    },
  )
})

describe("S2 a message somebody waits for", () => {
  it.each([
    ["close", "b"],
    ["drop-newest", "b"],
    ["drop-oldest", "a"],
    ["latest", "a"],
  ] as const)("is told when %s gives it up", async (overflow, lost) => {
    const { send } = await blocked(overflow, 1)
    const settled = { a: vi.fn(), b: vi.fn() }
    send("a", { settled: settled.a })
    send("b", { settled: settled.b })
    expect(settled[lost]).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "QUEUE_FULL" }))
    expect(settled[lost === "a" ? "b" : "a"]).not.toHaveBeenCalled()
  })
})
