import { describe, expect, it, vi } from "vitest"
import { outboxBench } from "../../support/outbox-bench.js"

describe("Outbox.finish()", () => {
  it("S15 writes what has gathered, and takes no more", async () => {
    const { outbox, send, sink, turn } = outboxBench()
    send("a")
    outbox.finish()
    expect(sink.messages).toEqual(["a"])
    expect(send("b")).toBe("closed")
    await turn()
    outbox.finish()
    expect(sink.messages).toEqual(["a"])
    expect(outbox.isWritable).toBe(false)
  })

  it("S15 writes what waits for room, however full the sink is", async () => {
    const { outbox, send, sink, block } = outboxBench()
    await block()
    send("a")
    send("b")
    outbox.finish()
    expect(sink.messages).toEqual(["a", "b"])
  })

  it("lets whoever waits for a written message still hear that it left", async () => {
    const { outbox, send, sink, block } = outboxBench()
    await block()
    const settled = vi.fn()
    send("a", { settled })
    outbox.finish()
    expect(settled).not.toHaveBeenCalled()
    sink.unstall()
    expect(settled).toHaveBeenCalledExactlyOnceWith(undefined)
  })
})

describe("Outbox.abandon()", () => {
  it("returns exactly what was not written, and takes no more", async () => {
    const { outbox, send, sink, block, turn } = outboxBench()
    await block()
    send("a")
    send("bb")
    const error = new Error("gone")
    expect(outbox.abandon(() => error)).toEqual({ count: 2, bytes: 7 })
    expect(outbox.abandon(() => error)).toEqual({ count: 0, bytes: 0 })
    expect(send("c")).toBe("closed")
    expect(sink.end).toEqual({ error, isOrderly: false })
    sink.unstall()
    await turn()
    expect(sink.messages).toEqual([])
  })

  it("S21 counts what was lost and not yet told", async () => {
    const { outbox, send, block } = outboxBench({ overflow: "drop-newest", maxBufferedBytes: 110 })
    await block()
    send("x".repeat(8))
    send("x".repeat(8))
    expect(outbox.abandon(() => new Error("gone"))).toEqual({ count: 2, bytes: 20 })
  })

  it("counts what gathered in this turn, and does not write it later", async () => {
    const { outbox, send, sink, turn } = outboxBench()
    const settled = vi.fn()
    send("a", { settled })
    const error = new Error("gone")
    expect(outbox.abandon(() => error)).toEqual({ count: 1, bytes: 3 })
    expect(settled).toHaveBeenCalledExactlyOnceWith(error)
    await turn()
    expect(sink.writes).toEqual([])
  })

  it("leaves no timer", async () => {
    const { outbox, block, clock } = outboxBench()
    await block()
    expect(clock.pending).toBe(1)
    outbox.abandon(() => new Error("gone"))
    expect(clock.pending).toBe(0)
  })
})

describe("S2 a message somebody waits for", () => {
  it("is settled when the sink says that it left, not before", async () => {
    const { send, sink, turn } = outboxBench()
    const settled = vi.fn()
    sink.stall()
    send("a", { settled })
    await turn()
    expect(settled).not.toHaveBeenCalled()
    sink.leave(2)
    expect(settled).not.toHaveBeenCalled()
    sink.leave()
    expect(settled).toHaveBeenCalledExactlyOnceWith(undefined)
  })

  it("is lost when its write fails, with the cause", async () => {
    const { send, sink, turn } = outboxBench()
    const [settled, cause] = [vi.fn(), new Error("ECONNRESET")]
    sink.stall()
    send("a", { settled })
    await turn()
    sink.fail(cause)
    expect(settled).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: "CONNECTION_LOST", cause }),
    )
  })
})

describe("S33 a sink that takes nothing", () => {
  it("is reported after writeTimeoutMs, and not before", async () => {
    const { clock, owner, block } = outboxBench()
    await block()
    await clock.advance(9_999)
    expect(owner.stalls).toBe(0)
    await clock.advance(1)
    expect(owner.stalls).toBe(1)
    await clock.advance(60_000)
    expect(owner.stalls).toBe(1)
  })

  it("is no matter while nothing waits", async () => {
    const { clock, owner, send } = outboxBench()
    send("a")
    await clock.advance(60_000)
    expect(owner.stalls).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it("is not reported while some bytes leave within each timeout", async () => {
    const { clock, owner, sink, block } = outboxBench({ writeTimeoutMs: 1_000 })
    await block()
    for (let i = 0; i < 50; i += 1) {
      await clock.advance(900)
      sink.leave(1)
    }
    expect(owner.stalls).toBe(0)
  })

  it("is reported soon after the last byte left, not a whole timeout later", async () => {
    const { clock, owner, sink, block } = outboxBench()
    await block()
    await clock.advance(100)
    sink.leave(1)
    await clock.advance(10_000)
    expect(owner.stalls).toBe(0)
    await clock.advance(2_500)
    expect(owner.stalls).toBe(1)
  })

  it("counts from the first byte that waits, whatever is sent later", async () => {
    const { clock, owner, send, block } = outboxBench()
    await block()
    for (let i = 0; i < 10; i += 1) {
      await clock.advance(1_000)
      send("more")
    }
    expect(owner.stalls).toBe(1)
  })

  it("S32 is not held to the time this process was stalled itself", async () => {
    const { clock, owner, sink, block } = outboxBench()
    await block()
    await clock.advance(2_400)
    clock.stall(30_000)
    await clock.advance(50)
    expect(owner.stalls).toBe(0)
    sink.unstall()
    await clock.advance(60_000)
    expect(owner.stalls).toBe(0)
  })
})
