import { describe, expect, it, vi } from "vitest"
import { binary, text } from "../../../src/wire/codec.js"
import { connectedPair } from "../../support/connected-pair.js"

const LIMIT = { maxBufferedBytes: 200_000 }
const big = "x".repeat(70_000)

/** A connection whose socket holds more than it wants to. */
async function stalled(options = {}) {
  const pair = connectedPair<string, string>({ codec: text(), ...LIMIT, ...options })
  pair.socket.stall()
  pair.connection.send(big)
  await pair.turn()
  return pair
}

describe("S2 send()", () => {
  it("returns sent while the way is free, and the message leaves with this turn", async () => {
    const { connection, received, socket, turn } = connectedPair()
    expect(connection.writable).toBe(true)
    expect(connection.send({ n: 1 })).toBe("sent")
    expect(connection.send({ n: 2 })).toBe("sent")
    expect(socket.sent).toEqual([])
    await turn()
    expect(received).toEqual(['{"n":1}', '{"n":2}'])
  })

  it("returns queued while the reader is slow, and the message leaves later, in order", async () => {
    const { connection, received, socket, clock } = await stalled()
    expect(connection.writable).toBe(false)
    expect(connection.send("a")).toBe("queued")
    expect(connection.bufferedBytes).toBe(70_000 + 3)
    socket.unstall()
    await clock.advance(100)
    expect(received).toEqual([big, "a"])
    expect(connection).toMatchObject({ writable: true, bufferedBytes: 0 })
  })

  it("returns dropped where the policy gives the message up", async () => {
    const { connection } = await stalled({ overflow: "drop-newest" })
    connection.send(big)
    expect(connection.send(big)).toBe("dropped")
    expect(connection.state).toBe("open")
  })

  it("returns closed once the connection is closing or closed", async () => {
    const { connection, turn } = connectedPair()
    void connection.close()
    expect(connection.send("a")).toBe("closed")
    await turn()
    expect(connection.state).toBe("closed")
    expect(connection.send("a")).toBe("closed")
  })

  it("throws what the codec cannot encode, and the connection lives on", async () => {
    const { connection, received, turn } = connectedPair()
    expect(() => connection.send(1n)).toThrow(expect.objectContaining({ code: "ENCODE_FAILED" }))
    connection.send("fine")
    await turn()
    expect(received).toEqual(['"fine"'])
  })

  it("sends bytes as they were, whatever becomes of them later", async () => {
    const { connection, received, turn } = connectedPair({ codec: binary() })
    const bytes = Buffer.from([1, 2, 3])
    connection.send(bytes)
    bytes.fill(9)
    await turn()
    expect([...new Uint8Array(received[0] as ArrayBuffer)]).toEqual([1, 2, 3])
  })

  it("keeps one message per key under the policy latest", async () => {
    const { connection, received, socket, clock } = await stalled({ overflow: "latest" })
    for (const [i, key] of ["x", "y", "x", "x"].entries()) connection.send(`${key}${i}`, { key })
    socket.unstall()
    await clock.advance(100)
    expect(received).toEqual([big, "y1", "x3"])
  })
})

describe("S2 sendAsync()", () => {
  it("resolves when the bytes have left this process, not before", async () => {
    const { connection, clock, socket } = connectedPair()
    socket.stall()
    const sent = vi.fn()
    void connection.sendAsync("a").then(sent)
    await clock.advance(1_000)
    expect(sent).not.toHaveBeenCalled()
    socket.unstall()
    await clock.advance(100)
    expect(sent).toHaveBeenCalledOnce()
  })

  it.each([
    [undefined, 5_000],
    [300, 300],
  ])("rejects with SendTimeoutError after timeoutMs %s", async (timeoutMs, ms) => {
    const { connection, clock, socket } = connectedPair()
    socket.stall()
    const failed = vi.fn()
    connection.sendAsync("a", timeoutMs === undefined ? {} : { timeoutMs }).catch(failed)
    await clock.advance(ms - 1)
    expect(failed).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(failed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "SEND_TIMEOUT" }))
  })

  it("rejects with ConnectionLostError when the connection ends first", async () => {
    const { connection, clock, socket } = await stalled()
    const waiting = connection.sendAsync("a")
    const behind = connection.sendAsync("b")
    const outcome = Promise.allSettled([waiting, behind])
    await clock.advance(10)
    socket.reset()
    const lost = { status: "rejected", reason: expect.objectContaining({ code: "CONNECTION_LOST" }) }
    expect(await outcome).toEqual([lost, lost])
  })

  it("rejects with ConnectionLostError when the connection is closed already", async () => {
    const { connection } = connectedPair()
    void connection.close()
    await expect(connection.sendAsync("a")).rejects.toMatchObject({ code: "CONNECTION_LOST" })
  })

  it.each(["close", "drop-newest"] as const)(
    "rejects with QueueFullError when %s gives it up",
    async (overflow) => {
      const { connection } = await stalled({ overflow })
      connection.send(big)
      await expect(connection.sendAsync(big)).rejects.toMatchObject({ code: "QUEUE_FULL" })
    },
  )

  it("rejects with QueueFullError when a later message pushes it out", async () => {
    const { connection } = await stalled({ overflow: "drop-oldest" })
    const early = connection.sendAsync(big)
    connection.send(big)
    await expect(early).rejects.toMatchObject({ code: "QUEUE_FULL" })
  })

  it("rejects what the codec cannot encode, and a timeout that cannot be", async () => {
    const { connection, clock } = connectedPair()
    await expect(connection.sendAsync(1n)).rejects.toMatchObject({ code: "ENCODE_FAILED" })
    await expect(connection.sendAsync("a", { timeoutMs: 0 })).rejects.toThrow(/received 0$/)
    expect(clock.pending).toBe(0)
  })

  it("S15 resolves for what was sent before an orderly close", async () => {
    const { connection, received, turn } = connectedPair()
    const sent = connection.sendAsync("a")
    void connection.close()
    await turn()
    await sent
    expect(received).toEqual(['"a"'])
  })

  it("leaves no timer behind", async () => {
    const { connection, clock } = connectedPair({ writeTimeoutMs: 1_000 })
    const sent = connection.sendAsync("a")
    await clock.advance(1_000)
    await sent
    expect(clock.pending).toBe(0)
  })
})

describe("S2 drained()", () => {
  it("resolves when there is room again, and at once where there is", async () => {
    const { connection, clock, socket } = await stalled()
    const drained = vi.fn()
    void connection.drained().then(drained)
    await clock.advance(100)
    expect(drained).not.toHaveBeenCalled()
    socket.unstall()
    await clock.advance(100)
    expect(drained).toHaveBeenCalledOnce()
    await connection.drained()
  })

  it("rejects when the connection ends", async () => {
    const { connection } = await stalled()
    const drained = connection.drained()
    connection.terminate()
    await expect(drained).rejects.toMatchObject({ code: "CONNECTION_LOST" })
  })
})

describe("backpressure of a connection", () => {
  it("S20 S22 closes with 1013 above the limit, and takes no more, also when the buffer drains", async () => {
    const { connection, socket, received, clock } = await stalled()
    expect(connection.send(big)).toBe("queued")
    expect(connection.send(big)).toBe("dropped")
    expect(connection.state).toBe("closing")
    expect(connection.send("small")).toBe("closed")
    socket.unstall()
    await clock.advance(10)
    expect(connection.send("small")).toBe("closed")
    expect(received).toEqual([big])
    expect(await connection.closed).toMatchObject({
      code: 1013,
      cause: "overflow",
      unsent: { count: 2, bytes: 2 * 70_010 },
    })
  })

  it("S21 tells the exact number of messages and bytes that were lost", async () => {
    const { connection, socket, clock } = await stalled({ overflow: "drop-oldest" })
    const lags: unknown[] = []
    connection.on("lagged", (lag) => lags.push(lag))
    for (let i = 0; i < 5; i += 1) connection.send(big)
    socket.unstall()
    await clock.advance(100)
    expect(lags).toEqual([{ count: 4, bytes: 4 * 70_010 }])
    expect(connection.state).toBe("open")
  })

  it("S21 puts a notice of the application into the stream, where messages were lost", async () => {
    const onLag = ({ count }: { count: number }) => `${count} lost`
    const { connection, socket, received, clock } = await stalled({ overflow: "drop-oldest", onLag })
    connection.send(big)
    connection.send(`${big}!`)
    socket.unstall()
    await clock.advance(100)
    expect(received).toEqual([big, "1 lost", `${big}!`])
  })

  it("S21 survives a notice that cannot be made or encoded", async () => {
    for (const onLag of [
      () => {
        throw new Error("no notice")
      },
      () => 1n,
    ]) {
      const pair = connectedPair<unknown, unknown>({ ...LIMIT, overflow: "drop-oldest", onLag })
      pair.socket.stall()
      for (let i = 0; i < 4; i += 1) {
        pair.connection.send(big)
        await pair.turn()
      }
      pair.socket.unstall()
      await pair.clock.advance(100)
      expect(pair.received).toHaveLength(2)
      expect(pair.errors).toEqual([{ stage: "listener", error: expect.any(Error) }])
    }
  })

  it("S33 is cut when nothing leaves for writeTimeoutMs, with a cause of its own", async () => {
    const { connection, clock } = await stalled({ writeTimeoutMs: 2_000 })
    await clock.advance(1_999)
    expect(connection.state).toBe("open")
    await clock.advance(1)
    expect(await connection.closed).toMatchObject({ code: 1006, cause: "write-timeout" })
  })
})
