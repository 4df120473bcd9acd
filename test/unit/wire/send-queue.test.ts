import { describe, expect, it } from "vitest"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import {
  type DropReason,
  type QueuedMessage,
  resolveSendQueue,
  SendQueue,
  type SendQueueOptions,
} from "../../../src/wire/send-queue.js"
import { fc } from "../../support/properties.js"

function setUp(options: SendQueueOptions = {}) {
  const clock = new VirtualClock()
  const dropped: [message: string, reason: DropReason][] = []
  const queue = new SendQueue<string>(resolveSendQueue(options), clock, ({ message }, reason) =>
    dropped.push([message, reason]),
  )
  const push = (message: string, more: Partial<QueuedMessage<string>> = {}) =>
    queue.push({ message, payload: message, size: message.length, ...more })
  /** Takes out what is left. */
  const clear = () => queue.clear().map(({ message }) => message)
  return { clock, queue, dropped, push, clear }
}

describe("SendQueue", () => {
  it("gives messages back in order, and counts them and their bytes", () => {
    const { queue, push, clear } = setUp()
    expect([push("a"), push("bb"), push("ccc")]).toEqual([true, true, true])
    expect(queue).toMatchObject({ size: 3, bytes: 6 })
    expect(queue.peek()?.message).toBe("a")
    expect([queue.shift()?.message, queue.shift()?.message]).toEqual(["a", "bb"])
    expect(queue).toMatchObject({ size: 1, bytes: 3 })
    expect(clear()).toEqual(["ccc"])
    expect(queue).toMatchObject({ size: 0, bytes: 0 })
    expect(queue.shift()).toBe(undefined)
  })

  it.each([{ maxMessages: 2 }, { maxBytes: 2 }])(
    "takes no more above its limits, by default: %o",
    (limit) => {
      const { dropped, push, clear } = setUp(limit)
      expect([push("a"), push("b"), push("c")]).toEqual([true, true, false])
      expect(dropped).toEqual([["c", "queue-full"]])
      expect(clear()).toEqual(["a", "b"])
    },
  )

  it("drop-oldest makes room", () => {
    const { dropped, push, clear } = setUp({ maxBytes: 4, overflow: "drop-oldest" })
    for (const message of ["a", "bb", "c"]) push(message)
    expect(push("dd")).toBe(true)
    expect(dropped).toEqual([
      ["a", "queue-full"],
      ["bb", "queue-full"],
    ])
    expect(clear()).toEqual(["c", "dd"])
  })

  it("gives up nothing for a message that would never fit", () => {
    const { dropped, push, clear } = setUp({ maxBytes: 4, overflow: "drop-oldest" })
    push("a")
    expect(push("too long")).toBe(false)
    expect(dropped).toEqual([["too long", "queue-full"]])
    expect(clear()).toEqual(["a"])
  })

  it("keeps the newest message of a key, at the newest's place", () => {
    const { dropped, push, clear } = setUp()
    push("x1", { key: "x" })
    push("b")
    push("x2", { key: "x" })
    expect(dropped).toEqual([["x1", "replaced"]])
    expect(clear()).toEqual(["b", "x2"])
  })

  it("passes over what has expired", async () => {
    const { clock, queue, dropped, push, clear } = setUp()
    push("short", { expiresAt: 100 })
    push("long", { expiresAt: 101 })
    push("for ever")
    await clock.advance(100)
    expect(queue.peek()?.message).toBe("long")
    expect(dropped).toEqual([["short", "expired"]])
    await clock.advance(1)
    queue.expire(clock.now())
    expect(clear()).toEqual(["for ever"])
    expect(dropped).toHaveLength(2)
  })

  it("makes room by what has expired, wherever it stands, before it gives up anything", async () => {
    const { clock, dropped, push, clear } = setUp({ maxMessages: 3, overflow: "drop-oldest" })
    push("a")
    push("b", { expiresAt: 100 })
    push("c", { expiresAt: 200 })
    await clock.advance(150)
    expect(push("d")).toBe(true)
    expect(dropped).toEqual([["b", "expired"]])
    await clock.advance(150)
    expect(push("e")).toBe(true)
    expect(clear()).toEqual(["a", "d", "e"])
  })

  it("takes a message out when its signal says so, and not once it has been sent", () => {
    const { queue, dropped, push } = setUp()
    const [early, late, first] = [new AbortController(), new AbortController(), new AbortController()]
    first.abort()
    expect(push("never", { signal: first.signal })).toBe(false)
    push("a", { signal: early.signal })
    push("b", { signal: late.signal })
    early.abort()
    expect(queue.shift()?.message).toBe("b")
    late.abort()
    expect(dropped).toEqual([
      ["never", "aborted"],
      ["a", "aborted"],
    ])
    expect(queue).toMatchObject({ size: 0, bytes: 0 })
  })

  it("loses nothing untold, for any traffic", async () => {
    const step = fc.record({
      size: fc.integer({ min: 0, max: 12 }),
      key: fc.option(fc.constantFrom("x", "y"), { nil: undefined }),
      livesMs: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }),
      shifts: fc.boolean(),
    })
    const overflow = fc.constantFrom("reject", "drop-newest", "drop-oldest" as const)
    await fc.assert(
      fc.asyncProperty(overflow, fc.array(step), async (policy, steps) => {
        const { clock, queue, dropped, push, clear } = setUp({
          maxMessages: 4,
          maxBytes: 20,
          overflow: policy,
        })
        const sent: string[] = []
        for (const [i, { size, key, livesMs, shifts }] of steps.entries()) {
          const expiresAt = livesMs === undefined ? undefined : clock.now() + livesMs
          push(`${i}`, { size, key, expiresAt })
          expect(queue.size).toBeLessThanOrEqual(4)
          expect(queue.bytes).toBeLessThanOrEqual(20)
          if (shifts && queue.peek()) sent.push(queue.shift()?.message as string)
          await clock.advance(10)
        }
        sent.push(...clear())
        const order = sent.map(Number)
        expect(order).toEqual([...order].sort((a, b) => a - b))
        expect(sent.length + dropped.length).toBe(steps.length)
        expect(queue).toMatchObject({ size: 0, bytes: 0 })
      }),
    )
  })
})

describe("resolveSendQueue", () => {
  it.each([
    [{ maxMessages: 0 }, /^queue\.maxMessages .* received 0$/],
    [{ maxBytes: Number.NaN }, /^queue\.maxBytes .* received NaN$/],
    [{ overflow: "close" as never }, /^queue\.overflow .* received "close"$/],
  ])("refuses %o", (options, message) => {
    expect(() => resolveSendQueue(options)).toThrow(message)
  })
})
