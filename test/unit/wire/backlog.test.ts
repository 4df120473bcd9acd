import { describe, expect, it, vi } from "vitest"
import { Backlog, CHUNK_BYTES, type OverflowPolicy } from "../../../src/wire/backlog.js"
import type { Frame } from "../../../src/wire/frame.js"
import { frame, payloads } from "../../support/frames.js"
import { fc } from "../../support/properties.js"

const FRAME_BYTES = 10
const wide = (name: string, options = {}) => frame(name.padEnd(FRAME_BYTES - 2, "."), options)
const names = (frames: readonly Frame[]) => payloads(frames).map((it) => String(it).replace(/\.+$/, ""))

/** A backlog of so many frames at most, filled with `a`, `b`, `c`, … */
function setUp(policy: OverflowPolicy, room: number, ...held: string[]) {
  const backlog = new Backlog(policy)
  const hasRoom = () => backlog.byteLength + FRAME_BYTES <= room * FRAME_BYTES
  for (const name of held) backlog.push(wide(name))
  return { backlog, hasRoom, rest: () => names(backlog.clear()) }
}

describe("Backlog", () => {
  it("counts frames and their bytes", () => {
    const { backlog, rest } = setUp("close", 9, "a", "b", "c")
    expect(backlog).toMatchObject({ length: 3, byteLength: 30 })
    expect(rest()).toEqual(["a", "b", "c"])
    expect(backlog).toMatchObject({ length: 0, byteLength: 0 })
  })

  it.each(["close", "drop-newest"] as const)("S20 %s gives up nothing that waits", (policy) => {
    const { backlog, hasRoom, rest } = setUp(policy, 2, "a", "b")
    expect(backlog.makeRoom(undefined, hasRoom)).toBe(false)
    expect(backlog.takeLag()).toBe(undefined)
    expect(rest()).toEqual(["a", "b"])
  })

  it.each(["close", "drop-newest", "drop-oldest", "latest"] as const)(
    "%s changes nothing while there is room",
    (policy) => {
      const { backlog, hasRoom, rest } = setUp(policy, 3, "a", "b")
      expect(backlog.makeRoom(undefined, hasRoom)).toBe(true)
      expect(backlog.takeLag()).toBe(undefined)
      expect(rest()).toEqual(["a", "b"])
    },
  )

  it.each(["drop-oldest", "latest"] as const)(
    "S21 %s gives up the oldest, and counts them exactly",
    (policy) => {
      const { backlog, hasRoom, rest } = setUp(policy, 3, "a", "b", "c")
      let needed = 2
      expect(backlog.makeRoom(undefined, () => hasRoom() && needed-- === 0)).toBe(true)
      expect(backlog.takeLag()).toEqual({ count: 3, bytes: 30 })
      expect(backlog.takeLag()).toBe(undefined)
      expect(rest()).toEqual([])
    },
  )

  it("says when giving up everything was not enough", () => {
    const { backlog } = setUp("drop-oldest", 3, "a", "b")
    expect(backlog.makeRoom(undefined, () => false)).toBe(false)
    expect(backlog).toMatchObject({ length: 0, byteLength: 0 })
  })

  it("S20 latest replaces the message of the same key by the newest, at the newest's place, and counts no loss", () => {
    const { backlog, rest } = setUp("latest", 9)
    backlog.push(wide("x1", { key: "x" }))
    backlog.push(wide("b"))
    backlog.push(wide("x2", { key: "x" }))
    expect(backlog).toMatchObject({ length: 2, byteLength: 20 })
    expect(backlog.takeLag()).toBe(undefined)
    expect(rest()).toEqual(["b", "x2"])
  })

  it("S20 latest makes room by the replaced message first", () => {
    const { backlog, hasRoom, rest } = setUp("latest", 2, "a")
    backlog.push(wide("x1", { key: "x" }))
    expect(backlog.makeRoom("x", hasRoom)).toBe(true)
    expect(backlog.takeLag()).toBe(undefined)
    expect(rest()).toEqual(["a"])
  })

  it.each(["close", "drop-newest", "drop-oldest"] as const)(
    "%s keeps messages of the same key side by side",
    (policy) => {
      const { backlog, rest } = setUp(policy, 9)
      backlog.push(wide("x1", { key: "x" }))
      backlog.push(wide("x2", { key: "x" }))
      expect(rest()).toEqual(["x1", "x2"])
    },
  )

  it("tells whoever waits for a message that it was given up or replaced", () => {
    const { backlog, hasRoom } = setUp("latest", 1)
    const [settledFirst, settledSecond] = [vi.fn(), vi.fn()]
    backlog.push(wide("x1", { key: "x", settled: settledFirst }))
    backlog.push(wide("x2", { key: "x", settled: settledSecond }))
    expect(settledFirst).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "QUEUE_FULL" }))
    expect(settledSecond).not.toHaveBeenCalled()
    backlog.makeRoom(undefined, hasRoom)
    expect(settledSecond).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "QUEUE_FULL" }))
  })

  it("counts a message that never got in", () => {
    const { backlog } = setUp("drop-newest", 1, "a")
    const settled = vi.fn()
    backlog.lose(wide("b", { settled }), "12 of 10 bytes")
    backlog.lose(wide("c"), "12 of 10 bytes")
    expect(backlog.takeLag()).toEqual({ count: 2, bytes: 20 })
    expect(settled.mock.calls[0]?.[0].message).toContain("12 of 10 bytes")
  })

  it("hands out the oldest frames in pieces of one write", () => {
    const { backlog } = setUp("close", 9)
    const size = CHUNK_BYTES / 2
    for (const name of ["a", "b", "c"]) backlog.push(frame(name.repeat(size)))
    const chunks = [backlog.takeChunk(), backlog.takeChunk()]
    expect(chunks.map((it) => it.length)).toEqual([2, 1])
    expect(chunks.flatMap((it) => payloads(it).map((text) => text[0]))).toEqual(["a", "b", "c"])
    expect(backlog).toMatchObject({ length: 0, byteLength: 0 })
    expect(backlog.takeChunk().length).toBe(0)
  })

  it("hands out a frame larger than a piece whole", () => {
    const { backlog } = setUp("close", 9)
    backlog.push(frame("x".repeat(CHUNK_BYTES * 3)))
    expect(backlog.takeChunk().length).toBe(1)
  })

  it("S21 loses nothing uncounted: pushed = handed out + waiting + replaced + lost", () => {
    const push = fc.record({
      size: fc.integer({ min: 0, max: 40 }),
      key: fc.option(fc.constantFrom("x", "y"), { nil: undefined }),
      takes: fc.boolean(),
    })
    const policy = fc.constantFrom<OverflowPolicy>("drop-newest", "drop-oldest", "latest")
    fc.assert(
      fc.property(policy, fc.array(push), (overflow, pushes) => {
        const backlog = new Backlog(overflow)
        const seen = { offered: 0, bytes: 0, out: 0, lost: 0, lostBytes: 0, replaced: 0 }
        for (const { size, key, takes } of pushes) {
          const it = frame("x".repeat(size), { key })
          const before = backlog.length
          seen.offered += 1
          if (backlog.makeRoom(key, () => backlog.byteLength + it.byteLength <= 100)) backlog.push(it)
          else backlog.lose(it, "no room")
          const lag = backlog.takeLag() ?? { count: 0, bytes: 0 }
          seen.lost += lag.count
          seen.lostBytes += lag.bytes
          seen.replaced += before + 1 - lag.count - backlog.length
          if (takes) seen.out += backlog.takeChunk().length
        }
        expect(seen.replaced).toBeGreaterThanOrEqual(0)
        if (overflow !== "latest") expect(seen.replaced).toBe(0)
        const waiting = backlog.length
        expect(backlog.clear()).toHaveLength(waiting)
        expect(seen.offered).toBe(seen.out + waiting + seen.replaced + seen.lost)
      }),
    )
  })
})
