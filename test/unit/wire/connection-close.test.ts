import { describe, expect, it, vi } from "vitest"
import { Connection } from "../../../src/wire/connection.js"
import type { CloseInfo } from "../../../src/wire/connection-events.js"
import { connectedPair } from "../../support/connected-pair.js"

const nothingUnsent = { count: 0, bytes: 0 }

function closings(target: { addEventListener(type: string, listener: (event: unknown) => void): void }) {
  const seen: { code: number; reason: string }[] = []
  target.addEventListener("close", (event) => {
    const { code, reason } = event as CloseInfo
    seen.push({ code, reason })
  })
  return seen
}

describe("S4 close()", () => {
  it("ends with the code and reason given, on both sides, and says how", async () => {
    const { connection, peer, turn } = connectedPair()
    const seen = closings(peer)
    const closed = connection.close(4001, "enough")
    expect(connection.state).toBe("closing")
    await turn()
    expect(seen).toEqual([{ code: 4001, reason: "enough" }])
    expect(await closed).toEqual({ code: 4001, reason: "enough", cause: "local", unsent: nothingUnsent })
    expect(connection.state).toBe("closed")
  })

  it("sends 1000 when nothing else is said, also at the end of await using", async () => {
    const { connection, peer, turn } = connectedPair()
    const seen = closings(peer)
    const disposed = connection[Symbol.asyncDispose]()
    await turn()
    await disposed
    expect(seen).toEqual([{ code: 1000, reason: "" }])
  })

  it("is idempotent: later calls change nothing and give the same answer", async () => {
    const { connection, turn } = connectedPair()
    const answers = [connection.close(4001), connection.close(4002), connection.close()]
    await turn()
    answers.push(connection.close(4003))
    for (const answer of await Promise.all(answers)) expect(answer.code).toBe(4001)
  })

  it("S15 lets arrive what was sent before it in the same turn", async () => {
    const { connection, received, turn } = connectedPair()
    connection.send("a")
    connection.send("b")
    void connection.close()
    await turn()
    expect(received).toEqual(['"a"', '"b"'])
  })

  it("S15 lets arrive what still waited for room", async () => {
    const { connection, socket, received, turn, clock } = connectedPair()
    socket.stall()
    connection.send("x".repeat(70_000))
    await turn()
    expect(connection.send("waits")).toBe("queued")
    void connection.close()
    socket.unstall()
    await clock.advance(10)
    expect(received[1]).toBe('"waits"')
    expect(await connection.closed).toMatchObject({ code: 1000, unsent: nothingUnsent })
  })

  it("cuts the reason to 123 bytes at a character boundary", async () => {
    const { connection, peer, turn } = connectedPair()
    const seen = closings(peer)
    void connection.close(4000, `${"x".repeat(122)}😀`)
    await turn()
    expect(seen).toEqual([{ code: 4000, reason: "x".repeat(122) }])
  })

  it.each([undefined, 700])(
    "terminates when the handshake takes longer than closeTimeoutMs %s",
    async (closeTimeoutMs) => {
      const { connection, socket, clock } = connectedPair(closeTimeoutMs ? { closeTimeoutMs } : {})
      socket.blackHole()
      const closed = vi.fn()
      void connection.close(4001).then(closed)
      await clock.advance((closeTimeoutMs ?? 5_000) - 1)
      expect(closed).not.toHaveBeenCalled()
      await clock.advance(1)
      expect(closed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 1006, cause: "local" }))
      expect(socket.readyState).toBe(3)
    },
  )

  it("is over after closeTimeoutMs also on a socket that cannot be terminated and never closes", async () => {
    const { clock, logger } = connectedPair()
    const stuck = { readyState: 1, bufferedAmount: 0, send() {}, close() {}, addEventListener() {} }
    const connection = new Connection(stuck, {}, { clock, logger })
    const closed = vi.fn()
    void connection.close().then(closed)
    await clock.advance(5_000)
    expect(closed).toHaveBeenCalledOnce()
    expect(connection.state).toBe("closed")
  })

  it("finishes its handshake though a busy reader had stopped the reading", async () => {
    const { connection, receive, clock } = connectedPair({ concurrency: 1 })
    connection.on("message", () => new Promise(() => {}))
    await receive(1, 2)
    expect(connection.isReadingPaused).toBe(true)
    void connection.close()
    await clock.advance(10)
    expect(await connection.closed).toMatchObject({ code: 1000, cause: "local" })
  })

  it.each([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, Number.NaN])("refuses the code %d", (code) => {
    const { connection } = connectedPair()
    expect(() => connection.close(code)).toThrow(`received ${code}`)
    expect(connection.state).toBe("open")
  })

  it("leaves no timer", async () => {
    const { connection, clock, turn } = connectedPair()
    void connection.close()
    await turn()
    expect(clock.pending).toBe(0)
  })
})

describe("the end of a connection", () => {
  it("is told once, and the promise resolves for those who ask before and after", async () => {
    const { connection, peer, turn } = connectedPair()
    const ends: CloseInfo[] = []
    connection.on("close", (info) => void ends.push(info))
    const before = connection.closed
    peer.close(1001, "bye")
    await turn()
    const expected = { code: 1001, reason: "bye", cause: "peer", unsent: nothingUnsent }
    expect(ends).toEqual([expected])
    expect([await before, await connection.closed]).toEqual([expected, expected])
    connection.terminate()
    await turn()
    expect(ends).toHaveLength(1)
  })

  it("by terminate() is at once, and tells how much was lost", async () => {
    const { connection, socket, turn } = connectedPair()
    socket.stall()
    connection.send("x".repeat(70_000))
    await turn()
    connection.send("a")
    connection.send("bb")
    connection.terminate()
    expect(connection.state).toBe("closed")
    expect(await connection.closed).toEqual({
      code: 1006,
      reason: "",
      cause: "local",
      unsent: { count: 2, bytes: 5 + 6 },
    })
  })

  it("by the peer tells what was never handed to the socket", async () => {
    const { connection, peer, turn } = connectedPair()
    peer.terminate()
    await turn()
    expect(connection.send("a")).toBe("closed")
    expect(await connection.closed).toMatchObject({ code: 1006, cause: "peer", unsent: nothingUnsent })
  })

  it("is what the first cause was, though another followed", async () => {
    const { connection, socket, clock } = connectedPair({ writeTimeoutMs: 1_000 })
    socket.stall()
    connection.send("x")
    await clock.advance(500)
    void connection.close(4001)
    await clock.advance(60_000)
    expect(await connection.closed).toMatchObject({ code: 1006, cause: "local" })
  })

  it("leaves nothing on the socket and no timer", async () => {
    const { connection, socket, peer, clock, errors } = connectedPair()
    connection.send("x")
    await clock.advance(0)
    peer.terminate()
    await clock.advance(0)
    expect(clock.pending).toBe(0)
    socket.reset()
    expect(errors).toEqual([])
  })

  it("may be brought about by a listener of lag, in the middle of a flush", async () => {
    const { connection, socket, received, clock } = connectedPair({
      overflow: "drop-oldest",
      maxBufferedBytes: 100_000,
      onLag: () => "notice",
    })
    connection.on("lagged", () => void connection.close(4002))
    socket.stall()
    for (let i = 0; i < 3; i += 1) {
      connection.send("x".repeat(70_000))
      await clock.advance(0)
    }
    socket.unstall()
    await clock.advance(100)
    expect(await connection.closed).toMatchObject({ code: 4002, cause: "local" })
    expect(received).not.toContain('"notice"')
  })
})
