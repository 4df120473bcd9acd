import type { HubOptions, Lag, OverflowPolicy } from "holdfast"
import { describe, expect, it } from "vitest"
import { stubHub } from "../../support/stub-hub.js"

/** Room for ten messages of 8 bytes, which are frames of 10. */
const LIMIT = 100

/** A message of 8 bytes with its number in front. */
const numbered = (i: number) => `${i}`.padEnd(8, ".")
const numbers = (messages: unknown[]) => messages.map((it) => Number.parseInt(it as string, 10))

/** A hub with one reader that has stalled, one that has not, and what is told of losses. */
async function stalledHub(overflow: OverflowPolicy, options: Partial<HubOptions<string, string>> = {}) {
  const it = stubHub({ overflow, maxBufferedBytes: LIMIT, ...options })
  const [slow, quick] = [it.add("slow", "r"), it.add("quick", "r")]
  slow.stream.writableHighWaterMark = 1
  slow.stream.stall()
  const lags: (Lag & { id: string })[] = []
  it.hub.on("lagged", ({ connection, count, bytes }) => lags.push({ id: connection.id, count, bytes }))
  /** Sends messages with the numbers from `from` to `to`, and returns what became of them. */
  const sendAll = async (from: number, to: number, key?: string) => {
    const total = { matched: 0, sent: 0, queued: 0, dropped: 0 }
    for (let i = from; i <= to; i += 1) {
      const report = it.hub.to("r").send(numbered(i), key === undefined ? undefined : { key })
      for (const name of ["matched", "sent", "queued", "dropped"] as const) total[name] += report[name]
      await it.flush()
    }
    return total
  }
  return { ...it, slow, quick, lags, sendAll }
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

describe("S20: maxBufferedBytes counts outbox, socket and the new message", () => {
  it.each<OverflowPolicy>(["drop-newest", "drop-oldest", "latest"])(
    "with %s never more than that waits, and the quick reader loses nothing",
    async (overflow) => {
      const { slow, quick, sendAll } = await stalledHub(overflow)
      for (let i = 1; i <= 30; i += 1) {
        await sendAll(i, i)
        expect(slow.connection.bufferedBytes).toBe(Math.min(i * 10, LIMIT))
        expect(slow.connection.state).toBe("open")
      }
      expect(numbers(quick.received())).toEqual(upTo(30))
    },
  )

  it("drop-newest keeps what waited", async () => {
    const { slow, sendAll, flush } = await stalledHub("drop-newest")
    await sendAll(1, 30)
    slow.stream.unstall()
    await flush()
    expect(numbers(slow.received())).toEqual(upTo(10))
  })

  it("drop-oldest keeps what is new, behind what had left", async () => {
    const { slow, sendAll, flush } = await stalledHub("drop-oldest")
    await sendAll(1, 30)
    slow.stream.unstall()
    await flush()
    expect(numbers(slow.received())).toEqual([1, ...upTo(9).map((i) => i + 21)])
  })

  it("latest keeps the newest of each key, where the newest stands in the order", async () => {
    const { hub, slow, flush, lags } = await stalledHub("latest")
    const send = async (i: number, key?: string) => {
      hub.to("r").send(numbered(i), key === undefined ? undefined : { key })
      await flush()
    }
    await send(0)
    for (let i = 1; i <= 30; i += 1) await send(i, `key-${i % 3}`)
    await send(31)
    slow.stream.unstall()
    await flush()
    expect(numbers(slow.received())).toEqual([0, 28, 29, 30, 31])
    expect(lags).toEqual([])
  })

  it("close ends the slow reader with 1013 and cause overflow; the hub and the others live on", async () => {
    const { hub, slow, quick, sendAll } = await stalledHub("close")
    const closes: unknown[] = []
    hub.on("close", ({ connection, code, cause, unsent }) =>
      closes.push([connection.id, code, cause, unsent]),
    )
    await sendAll(1, 11)
    expect(slow.socket.closes).toEqual([{ code: 1013, reason: "messages are read too slowly" }])
    expect(closes).toEqual([["slow", 1013, "overflow", { count: 10, bytes: 100 }]])
    expect([hub.size, hub.members("r").size]).toEqual([1, 1])
    expect(numbers(quick.received())).toEqual(upTo(11))
  })

  it("limits one message as well: a bigger one than the limit is given up at once", () => {
    const { hub, add } = stubHub({ overflow: "drop-newest", maxBufferedBytes: LIMIT })
    const { connection } = add("a")
    expect(hub.broadcast("x".repeat(99))).toEqual({ matched: 1, sent: 0, queued: 0, dropped: 1 })
    expect(hub.broadcast("x".repeat(98))).toEqual({ matched: 1, sent: 1, queued: 0, dropped: 0 })
    expect(connection.messagesOut).toBe(1)
  })
})

describe("S21: whoever lost messages gets the exact number", () => {
  it.each<OverflowPolicy>(["drop-newest", "drop-oldest", "latest"])(
    "with %s, once there is room again, on the hub and on the connection",
    async (overflow) => {
      const { slow, lags, sendAll, flush } = await stalledHub(overflow)
      const onConnection: Lag[] = []
      slow.connection.on("lagged", (lag) => onConnection.push(lag))
      await sendAll(1, 30)
      expect(lags).toEqual([])
      slow.stream.unstall()
      await flush()
      expect(lags).toEqual([{ id: "slow", count: 20, bytes: 200 }])
      expect(onConnection).toEqual([{ count: 20, bytes: 200 }])
      expect(slow.received()).toHaveLength(10)
      slow.stream.stall()
      await sendAll(31, 45)
      slow.stream.unstall()
      await flush()
      expect(lags[1]).toEqual({ id: "slow", count: 5, bytes: 50 })
      expect(lags).toHaveLength(2)
    },
  )

  it.each<[OverflowPolicy, unknown[]]>([
    ["drop-newest", [...upTo(10).map(numbered), "lost 20", numbered(31)]],
    ["drop-oldest", [numbered(1), "lost 20", ...upTo(9).map((i) => numbered(i + 21)), numbered(31)]],
    ["latest", [numbered(1), "lost 20", ...upTo(9).map((i) => numbered(i + 21)), numbered(31)]],
  ])("and by option a notice in the stream, where the gap is: %s", async (overflow, expected) => {
    const { slow, quick, sendAll, flush } = await stalledHub(overflow, {
      onLag: ({ count }) => `lost ${count}`,
    })
    await sendAll(1, 30)
    slow.stream.unstall()
    await flush()
    await sendAll(31, 31)
    expect(slow.received()).toEqual(expected)
    expect(quick.received()).toHaveLength(31)
  })

  it("and no notice where onLag gives none", async () => {
    const { slow, sendAll, flush } = await stalledHub("drop-newest", { onLag: () => undefined })
    await sendAll(1, 30)
    slow.stream.unstall()
    await flush()
    expect(slow.received()).toHaveLength(10)
  })
})

describe("S22: control frames and limit closes", () => {
  it("pings do not wait behind data", async () => {
    const { slow, sendAll, clock } = await stalledHub("drop-newest", { writeTimeoutMs: 3_600_000 })
    await sendAll(1, 30)
    await clock.advance(16_000)
    expect(slow.socket.pings).toHaveLength(1)
  })

  it("close does not wait behind data, and everything accepted goes before it", async () => {
    const { slow, sendAll } = await stalledHub("drop-oldest")
    await sendAll(1, 30)
    void slow.connection.close(4000)
    expect(slow.socket.closes).toEqual([{ code: 4000, reason: "" }])
    expect(slow.received()).toHaveLength(10)
  })

  it("after a limit close every send returns closed, even when the buffer drains", async () => {
    const { hub, slow, sendAll, flush } = await stalledHub("close")
    slow.socket.isMute = true
    await sendAll(1, 11)
    expect(slow.connection.send("more")).toBe("closed")
    slow.stream.unstall()
    await flush()
    expect(hub.send("slow", "more")).toBe("closed")
    expect(hub.to("r").send("more")).toEqual({ matched: 2, sent: 1, queued: 0, dropped: 0 })
    await flush()
    expect(numbers(slow.received())).toEqual([1])
  })
})

describe("S23: the report of a send says what became of it on this node", () => {
  it.each<[OverflowPolicy, object]>([
    ["drop-newest", { matched: 60, sent: 31, queued: 9, dropped: 20 }],
    ["drop-oldest", { matched: 60, sent: 31, queued: 29, dropped: 0 }],
    ["latest", { matched: 60, sent: 31, queued: 29, dropped: 0 }],
    ["close", { matched: 41, sent: 31, queued: 9, dropped: 1 }],
  ])("with %s", async (overflow, expected) => {
    const { sendAll } = await stalledHub(overflow)
    expect(await sendAll(1, 30)).toEqual(expected)
  })
})
