import { describe, expect, it, vi } from "vitest"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { CHUNK_BYTES } from "../../../src/wire/backlog.js"
import { BufferBudget } from "../../../src/wire/buffer-budget.js"
import { Flusher } from "../../../src/wire/flusher.js"
import { Outbox } from "../../../src/wire/outbox.js"
import { checkOutbox, OUTBOX_DEFAULTS } from "../../../src/wire/outbox-options.js"
import { FakeSink } from "../../support/fake-sink.js"
import { frame } from "../../support/frames.js"
import { outboxBench, RecordingOwner } from "../../support/outbox-bench.js"

describe("Outbox while the way is free", () => {
  it("S11 joins what is sent in one turn into one write, in call order", async () => {
    const { outbox, send, sink, turn } = outboxBench()
    expect([send("a"), send("b"), send("c")]).toEqual(["sent", "sent", "sent"])
    expect(sink.writes).toEqual([])
    expect(outbox.bufferedBytes).toBe(9)
    await turn()
    send("d")
    await turn()
    expect(sink.writes).toEqual([["a", "b", "c"], ["d"]])
    expect(outbox).toMatchObject({ bufferedBytes: 0, writtenBytes: 12, isWritable: true })
  })

  it("S11 writes each message at once with flush: immediate", () => {
    const { send, sink } = outboxBench({ flush: "immediate" })
    send("a")
    send("b")
    expect(sink.writes).toEqual([["a"], ["b"]])
  })

  it("S11 outboxes that hold the same frames write the same batch", async () => {
    const clock = new VirtualClock()
    const shared = {
      ...OUTBOX_DEFAULTS,
      clock,
      flusher: new Flusher(clock),
      budget: new BufferBudget(false),
    }
    const sinks = [new FakeSink(), new FakeSink(), new FakeSink()]
    const outboxes = sinks.map((sink) => new Outbox(sink, shared, new RecordingOwner()))
    for (const text of ["a", "b", "c"]) {
      const it = frame(text)
      for (const outbox of outboxes) outbox.send(it)
    }
    outboxes[2]?.send(frame("to this one only"))
    await clock.advance(0)
    const [one, two, three] = sinks.map((sink) => sink.batches[0])
    expect(one).toBe(two)
    expect(one?.bytes).toBe(two?.bytes)
    expect(three).not.toBe(one)
    expect(sinks[2]?.messages).toEqual(["a", "b", "c", "to this one only"])
  })

  it("writes early when as much has gathered as makes one write", async () => {
    const { send, sink, turn } = outboxBench({ markBytes: 1_000_000 })
    send("x".repeat(CHUNK_BYTES))
    expect(sink.writes).toHaveLength(1)
    send("tail")
    await turn()
    expect(sink.messages.at(-1)).toBe("tail")
  })

  it("takes nothing for a socket that is closing", async () => {
    const { outbox, send, sink, turn } = outboxBench()
    const settled = vi.fn()
    sink.isWritable = false
    expect(send("a", { settled })).toBe("closed")
    expect(settled).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "CONNECTION_LOST" }))
    expect(outbox.isWritable).toBe(false)
    await turn()
    expect(sink.writes).toEqual([])
  })

  it("does not write what gathered before the socket began to close", async () => {
    const { outbox, send, sink, turn } = outboxBench()
    send("a")
    sink.isWritable = false
    expect(send("b")).toBe("sent")
    await turn()
    expect(sink.writes).toEqual([])
    expect(send("c")).toBe("closed")
    expect(outbox.abandon(() => new Error("gone"))).toEqual({ count: 2, bytes: 6 })
  })
})

describe("Outbox while the sink is full", () => {
  it("S2 queues, and goes on in order when there is room", async () => {
    const { outbox, send, sink, turn, block } = outboxBench()
    await block()
    expect(outbox.isWritable).toBe(false)
    expect([send("a"), send("b")]).toEqual(["queued", "queued"])
    await turn()
    expect(sink.writes).toEqual([])
    sink.leave()
    expect(sink.messages).toEqual(["a", "b"])
    sink.unstall()
    expect(outbox.isWritable).toBe(true)
    expect(send("c")).toBe("sent")
    await turn()
    expect(sink.messages).toEqual(["a", "b", "c"])
  })

  it("goes on in pieces, no more of them than the sink takes", async () => {
    const { send, sink, block, turn } = outboxBench()
    await block()
    const half = "x".repeat(CHUNK_BYTES / 2)
    for (let i = 0; i < 5; i += 1) send(half)
    for (const writes of [1, 2, 3]) {
      sink.leave()
      expect(sink.writes).toHaveLength(writes)
    }
    sink.unstall()
    await turn()
    expect(sink.messages).toEqual(Array(5).fill(half))
  })

  it("asks the sink once for room", async () => {
    const { send, sink, block, outbox } = outboxBench()
    await block()
    for (let i = 0; i < 10; i += 1) send("a")
    outbox.sendUrgent(frame("pong"))
    expect(sink.waiters).toBe(1)
    sink.leave()
    expect(sink.waiters).toBeLessThanOrEqual(1)
  })

  it("keeps what gathered before the sink was full ahead of what came after", async () => {
    const { send, sink, turn } = outboxBench()
    sink.stall()
    send("x".repeat(60))
    await turn()
    send("y".repeat(60))
    await turn()
    expect(send("z")).toBe("queued")
    sink.unstall()
    expect(sink.messages.map((it) => it[0])).toEqual(["x", "y", "z"])
  })
})

describe("S2 drained()", () => {
  it("resolves at once where nothing waits for room", async () => {
    const { outbox, send } = outboxBench()
    await outbox.drained()
    send("a")
    await outbox.drained()
  })

  it("resolves when the sink has room and the backlog is empty", async () => {
    const { outbox, send, sink, turn, block, clock } = outboxBench()
    await block()
    send("a")
    const drained = vi.fn()
    void outbox.drained().then(drained)
    void outbox.drained().then(drained)
    await clock.advance(5_000)
    expect(drained).not.toHaveBeenCalled()
    sink.unstall()
    await turn()
    expect(drained).toHaveBeenCalledTimes(2)
  })

  it("rejects when the connection ends first, and from then on", async () => {
    const { outbox, block } = outboxBench()
    await block()
    const drained = outbox.drained()
    outbox.abandon(() => new Error("gone"))
    await expect(drained).rejects.toThrow("gone")
    await expect(outbox.drained()).rejects.toMatchObject({ code: "CONNECTION_LOST" })
  })
})

describe("S22 an urgent frame", () => {
  it("passes what has gathered", async () => {
    const { outbox, send, sink, turn } = outboxBench()
    send("a")
    outbox.sendUrgent(frame("pong"))
    await turn()
    expect(sink.messages).toEqual(["pong", "a"])
  })

  it("passes what waits, and only the newest waits itself", async () => {
    const { outbox, send, sink, block } = outboxBench()
    await block()
    send("a")
    for (const text of ["pong 1", "pong 2", "pong 3"]) outbox.sendUrgent(frame(text))
    sink.unstall()
    expect(sink.messages).toEqual(["pong 3", "a"])
  })

  it("does not pile up in the sink when nothing else is sent", () => {
    const { outbox, sink } = outboxBench()
    sink.stall()
    for (let i = 0; i < 10_000; i += 1) outbox.sendUrgent(frame(`pong ${i}`))
    expect(sink.bufferedBytes).toBeLessThan(200)
    expect(outbox.bufferedBytes).toBeLessThan(200)
    sink.unstall()
    expect(sink.messages.at(-1)).toBe("pong 9999")
    expect(outbox.isWritable).toBe(true)
  })

  it("that fills the sink lets what has gathered go before what comes later", async () => {
    const { outbox, send, sink, turn } = outboxBench({ markBytes: 8 })
    sink.stall()
    send("a")
    outbox.sendUrgent(frame("a long pong"))
    expect(send("b")).toBe("queued")
    await turn()
    expect(sink.waiters).toBe(1)
    sink.unstall()
    await turn()
    expect(sink.messages).toEqual(["a long pong", "a", "b"])
  })

  it("goes nowhere once the connection is closing", () => {
    const { outbox, sink } = outboxBench()
    outbox.finish()
    outbox.sendUrgent(frame("pong"))
    expect(sink.writes).toEqual([])
  })
})

describe("checkOutbox", () => {
  it.each([
    [{ maxBufferedBytes: 0 }, /^hub\.maxBufferedBytes .* received 0$/],
    [{ maxBufferedBytes: Number.POSITIVE_INFINITY }, /^hub\.maxBufferedBytes .* received Infinity$/],
    [{ maxTotalBufferedBytes: 0 }, /^hub\.maxTotalBufferedBytes .* received 0$/],
    [{ maxTotalBufferedBytes: null as never }, /^hub\.maxTotalBufferedBytes .* received null$/],
    [{ overflow: "drop" as never }, /^hub\.overflow .* received "drop"$/],
    [{ writeTimeoutMs: 0 }, /^hub\.writeTimeoutMs .* received 0$/],
    [{ flush: false as never }, /^hub\.flush .* received false$/],
  ])("refuses %o", (options, message) => {
    expect(() => checkOutbox("hub", { ...OUTBOX_DEFAULTS, ...options })).toThrow(message)
  })

  it("S20 S24 S33 passes the defaults, which are the documented ones", () => {
    checkOutbox("hub", OUTBOX_DEFAULTS)
    expect(OUTBOX_DEFAULTS).toEqual({
      maxBufferedBytes: 1_048_576,
      maxTotalBufferedBytes: 268_435_456,
      overflow: "close",
      writeTimeoutMs: 10_000,
      flush: "tick",
    })
  })
})
