import { describe, expect, it, vi } from "vitest"
import { systemClock } from "../../../src/core/timer.js"
import type { Lag, OverflowPolicy } from "../../../src/wire/backlog.js"
import { binary } from "../../../src/wire/codec.js"
import { inTime, until } from "../../support/deadline.js"
import { fill, rawPair, turn, WAYS, wirePair } from "../../support/wire-server.js"

const SIZE = 20_000
const LIMIT = 1_048_576

/** A message that begins with its number. */
function numbered(n: number): Uint8Array {
  const bytes = Buffer.alloc(SIZE)
  bytes.writeUInt32BE(n)
  return bytes
}

describe.each(WAYS)("a reader that has stopped reading, $way", ({ isRaw }) => {
  const options = { isRaw, codec: binary(), maxBufferedBytes: LIMIT }

  async function stalled(overflow: OverflowPolicy) {
    const pair = await wirePair({ ...options, overflow })
    pair.client.socket.pause()
    const lags: Lag[] = []
    pair.connection.on("lagged", (lag) => void lags.push(lag))
    return { ...pair, lags, lost: () => lags.reduce((sum, { count }) => sum + count, 0) }
  }

  it("S20 S22 close: is closed with 1013, and later sends say closed", async () => {
    const { client, connection } = await stalled("close")
    const results = new Set<string>()
    let sent = 0
    while (connection.state === "open") {
      sent += 1
      results.add(connection.send(numbered(sent)))
      expect(connection.bufferedBytes).toBeLessThanOrEqual(LIMIT)
      await turn()
    }
    expect([...results]).toEqual(["sent", "queued", "dropped"])
    expect(connection.send(numbered(0))).toBe("closed")
    client.socket.resume()
    expect(await client.closed()).toEqual({ code: 1013, reason: expect.any(String) })
    const { cause, unsent } = await connection.closed
    expect(cause).toBe("overflow")
    expect(client.waiting + unsent.count).toBe(sent)
    expect(connection.send(numbered(0))).toBe("closed")
  })

  it.each(["drop-newest", "drop-oldest", "latest"] as const)(
    "S20 S21 %s: loses an exact number, and nothing is reordered",
    async (overflow) => {
      const { client, connection, lost } = await stalled(overflow)
      const total = 1_000
      for (let n = 1; n <= total; n += 1) {
        connection.send(numbered(n))
        expect(connection.bufferedBytes).toBeLessThanOrEqual(LIMIT)
        if (n % 10 === 0) await turn()
      }
      client.socket.resume()
      await inTime(connection.drained(), "the backlog to drain")
      await connection.sendAsync(numbered(total + 1))
      await connection.close()
      const arrived = (await client.take(client.waiting)).map((it) => (it as Buffer).readUInt32BE())
      expect(arrived).toEqual([...arrived].sort((a, b) => a - b))
      expect(lost()).toBeGreaterThan(0)
      expect(arrived.length + lost()).toBe(total + 1)
      expect(arrived.at(-1)).toBe(total + 1)
      // what was lost are the newest, or those before the newest
      expect(arrived.includes(total)).toBe(overflow !== "drop-newest")
    },
  )

  it("S20 latest: keeps the newest value of every key", async () => {
    const { client, connection, lost } = await stalled("latest")
    for (let n = 1; n <= 2_000; n += 1) {
      connection.send(numbered(n), { key: `key ${n % 5}` })
      if (n % 10 === 0) await turn()
    }
    client.socket.resume()
    await inTime(connection.drained(), "the backlog to drain")
    await connection.close()
    const arrived = (await client.take(client.waiting)).map((it) => (it as Buffer).readUInt32BE())
    expect(arrived.slice(-5)).toEqual([1_996, 1_997, 1_998, 1_999, 2_000])
    expect(lost()).toBe(0)
  })

  it("S2 sendAsync waits for the kernel", async () => {
    const { client, connection } = await stalled("close")
    await fill(connection)
    const sent = vi.fn()
    const sending = connection.sendAsync(numbered(1)).then(sent)
    await turn(50)
    expect(sent).not.toHaveBeenCalled()
    expect(connection.bufferedBytes).toBeGreaterThan(SIZE)
    client.socket.resume()
    await inTime(sending, "the kernel to take the message")
  })

  it("S2 sendAsync rejects when the connection is cut while the kernel does not take the bytes", async () => {
    const { connection } = await stalled("close")
    await fill(connection)
    const waiting = connection.sendAsync(numbered(1))
    connection.terminate()
    await expect(waiting).rejects.toMatchObject({ code: "CONNECTION_LOST" })
    expect(await connection.closed).toMatchObject({ code: 1006, cause: "local" })
  })

  it.each(["is cut", "is reset by the peer"])(
    "S2 sendAsync rejects for bytes on their way when the connection %s",
    async (end) => {
      const { client, connection } = await rawPair({ ...options, maxBufferedBytes: 64 * LIMIT })
      client.socket.pause()
      // more than the kernel's buffers of both ends take
      const sending = connection.sendAsync(new Uint8Array(32 * LIMIT))
      await turn(20)
      expect(connection.bufferedBytes).toBeGreaterThan(0)
      if (end === "is cut") connection.terminate()
      else client.socket.resetAndDestroy()
      await expect(sending).rejects.toMatchObject({ code: "CONNECTION_LOST" })
    },
  )

  it("S2 drained() resolves from events: no timer asks for room", async () => {
    const waits: number[] = []
    const clock = {
      ...systemClock,
      setTimer(callback: () => void, ms: number) {
        waits.push(ms)
        return systemClock.setTimer(callback, ms)
      },
    }
    const { client, connection } = await wirePair({ ...options, clock })
    client.socket.pause()
    await fill(connection)
    const drained = connection.drained()
    client.socket.resume()
    await inTime(drained, "room")
    expect(connection.writable).toBe(true)
    expect(waits.filter((ms) => ms < 1_000)).toEqual([])
  })

  it("S33 is cut when it takes nothing for writeTimeoutMs", async () => {
    const { connection, client } = await wirePair({ ...options, writeTimeoutMs: 120 })
    client.socket.pause()
    await fill(connection)
    const since = performance.now()
    expect(await inTime(connection.closed, "the cut")).toMatchObject({ code: 1006, cause: "write-timeout" })
    expect(performance.now() - since).toBeGreaterThan(60)
  })

  it("S4 finishes the closing handshake though busy listeners of this side had stopped the reading", async () => {
    const { connection, client } = await wirePair({ ...options, concurrency: 1 })
    connection.on("message", () => new Promise(() => {}))
    client.send(new Uint8Array(10))
    await until(() => connection.isReadingPaused, "reading to stop")
    void connection.close(1012)
    expect(await inTime(connection.closed, "the end")).toMatchObject({ code: 1012, cause: "local" })
    expect(await client.closed()).toMatchObject({ code: 1012 })
  })

  it("S4 is terminated when it does not finish the closing handshake in time", async () => {
    const { connection, client } = await wirePair({ ...options, closeTimeoutMs: 80 })
    client.socket.pause()
    expect(await inTime(connection.close(1001), "the end")).toMatchObject({ code: 1006, cause: "local" })
  })
})
