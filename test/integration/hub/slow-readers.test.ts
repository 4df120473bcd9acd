import { setImmediate as turn } from "node:timers/promises"
import type { HubOptions, Lag, OverflowPolicy, SendReport } from "holdfast"
import { describe, expect, it } from "vitest"
import { startHub } from "../../support/hub-server.js"
import type { TestClient } from "../../support/ws-server.js"

type Message = { n: number; padding: string } | { lost: number } | { end: true }

const LIMIT = 524_288
const PADDING = "x".repeat(16_000)
/** Enough to fill the kernel's buffers and the outbox behind them several times over. */
const MESSAGES = 2_000

/** A hub that sends a numbered stream to a room of two, one of whom has stopped reading. */
async function startStream(overflow: OverflowPolicy, options: Partial<HubOptions<unknown, Message>> = {}) {
  const server = await startHub<unknown, Message>({ overflow, maxBufferedBytes: LIMIT, ...options })
  const { hub } = server
  const slow = await server.connect()
  const quick = await server.connect()
  for (const { connection } of [slow, quick]) await connection.join("r")
  slow.client.socket.pause()
  const lags: (Lag & { id: string })[] = []
  hub.on("lagged", ({ connection: { id }, count, bytes }) => lags.push({ id, count, bytes }))
  const total = { matched: 0, sent: 0, queued: 0, dropped: 0 }
  let n = 0
  return {
    hub,
    slow,
    quick,
    lags,
    total,
    /** Sends so many numbered messages, four in each turn, as fast as the quick reader takes them. */
    async stream(count: number, keyOf?: (n: number) => string) {
      for (const until = n + count; n < until; n += 1) {
        const key = keyOf?.(n)
        add(total, hub.to("r").send({ n, padding: PADDING }, key === undefined ? undefined : { key }))
        expect(slow.connection.bufferedBytes).toBeLessThanOrEqual(LIMIT)
        if (n % 4 === 3) await turn()
        await quick.connection.drained()
      }
    },
    /** Lets the slow reader catch up, and returns everything it receives. */
    async catchUp(): Promise<Message[]> {
      slow.client.socket.resume()
      await slow.connection.drained()
      hub.to("r").send({ end: true })
      return readToEnd(slow.client)
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function add(total: Record<keyof SendReport, number>, report: SendReport): void {
  for (const name of Object.keys(report) as (keyof SendReport)[]) total[name] += report[name]
}

async function readToEnd(client: TestClient): Promise<Message[]> {
  const messages: Message[] = []
  for (;;) {
    const message = JSON.parse(String(await client.next())) as Message
    if ("end" in message) return messages
    messages.push(message)
  }
}

/** Walks a stream from `start` on: each number follows the one before, but where a notice says how many are missing. */
function expectGapless(messages: Message[], start = 0): number {
  let next = start
  for (const message of messages) {
    if ("lost" in message) next += message.lost
    else if ("n" in message) {
      expect(message.n).toBe(next)
      next += 1
    }
  }
  return next
}

const lost = (lags: readonly Lag[]) => lags.reduce((sum, { count }) => sum + count, 0)
const hasNumber = (message: Message) => "n" in message

describe.each<OverflowPolicy>(["drop-newest", "drop-oldest", "latest"])(
  "a reader that stalls, with %s",
  (overflow) => {
    it("S20, S21, S23: costs itself alone, and is told exactly what it lost", async () => {
      await using it = await startStream(overflow)
      await it.stream(MESSAGES)
      const messages = await it.catchUp()
      expect(lost(it.lags)).toBeGreaterThan(MESSAGES / 4)
      expect(new Set(it.lags.map(({ id }) => id))).toEqual(new Set([it.slow.connection.id]))
      expect(messages.length + lost(it.lags)).toBe(MESSAGES)
      expect(it.total.matched).toBe(2 * MESSAGES)
      expect(it.total.sent + it.total.queued + it.total.dropped).toBe(2 * MESSAGES)
      if (overflow === "drop-newest") expect(it.total.dropped).toBe(lost(it.lags))
      expect(expectGapless(await readToEnd(it.quick.client))).toBe(MESSAGES)
    })

    it("S21: finds a notice in the stream exactly where each gap is", async () => {
      await using it = await startStream(overflow, { onLag: ({ count }) => ({ lost: count }) })
      await it.stream(MESSAGES)
      const messages = await it.catchUp()
      expect(messages.filter((message) => "lost" in message)).toEqual(
        it.lags.map(({ count }) => ({ lost: count })),
      )
      expect(messages.filter(hasNumber).length).toBe(MESSAGES - lost(it.lags))
      expect(expectGapless(messages)).toBe(MESSAGES)

      // once it has caught up, everything is as before
      await it.stream(100)
      const rest = await it.catchUp()
      expect(rest).toHaveLength(100)
      expect(expectGapless(rest, MESSAGES)).toBe(MESSAGES + 100)
    })
  },
)

describe("a reader that stalls, with latest and keys", () => {
  it("S20: gets the newest value of each key, and nothing counts as lost", async () => {
    await using it = await startStream("latest")
    await it.stream(MESSAGES, (n) => `key-${n % 10}`)
    const messages = (await it.catchUp()) as { n: number }[]
    const newest = new Map(messages.map(({ n }) => [n % 10, n]))
    expect([...newest.values()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, i) => MESSAGES - 10 + i),
    )
    expect(messages.length).toBeLessThan(MESSAGES * 0.75)
    expect(messages.map(({ n }) => n)).toEqual(messages.map(({ n }) => n).sort((a, b) => a - b))
    expect(it.lags).toEqual([])
  })
})

describe("a reader that stalls, with close", () => {
  it("S20, S22, R12: is closed with 1013; sends to it return closed; nobody else notices", async () => {
    await using it = await startStream("close")
    const closes: unknown[] = []
    it.hub.on("close", ({ connection, code, cause, unsent }) => {
      closes.push({ connection, code, cause, hasUnsent: unsent.count > 0 })
    })
    await it.stream(MESSAGES)
    expect(it.slow.connection.state).not.toBe("open")
    expect(it.total.dropped).toBe(1)
    expect(it.slow.connection.send({ end: true })).toBe("closed")
    expect(it.hub.send(it.slow.connection.id, { end: true })).toBe("closed")

    it.slow.client.socket.resume()
    expect(await it.slow.client.closed()).toEqual({ code: 1013, reason: "messages are read too slowly" })
    await it.slow.connection.closed
    expect(closes).toEqual([
      { connection: it.slow.connection, code: 1013, cause: "overflow", hasUnsent: true },
    ])
    const received = await it.slow.client.take(it.slow.client.waiting)
    expectGapless(received.map((message) => JSON.parse(String(message))))
    expect(it.lags).toEqual([])

    expect([...it.hub.members("r")]).toEqual([it.quick.connection])
    it.hub.to("r").send({ end: true })
    expect(expectGapless(await readToEnd(it.quick.client))).toBe(MESSAGES)
  })
})
