import { describe, expect, it, vi } from "vitest"
import { socketPair } from "../../../src/testing/socket-pair.js"
import { VirtualClock } from "../../../src/testing/virtual-clock.js"
import { Connection } from "../../../src/wire/connection.js"
import { connectedPair } from "../../support/connected-pair.js"
import { StubSocket } from "../../support/stub-socket.js"

const range = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

async function readAll<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const message of messages) all.push(message)
  return all
}

describe("S3 for await", () => {
  it("reads every message in order and ends with the connection", async () => {
    const { connection, peer, receive, turn } = connectedPair()
    const all = readAll(connection)
    await receive(1, 2, 3)
    peer.close(1000)
    await turn()
    expect(await all).toEqual([1, 2, 3])
  })

  it("begins with what came before it", async () => {
    const { connection, peer, receive, turn } = connectedPair()
    await receive(1, 2)
    const all = readAll(connection)
    await receive(3)
    peer.close(1000)
    await turn()
    expect(await all).toEqual([1, 2, 3])
  })

  it("stops reading when the iterator's buffer is full, and reads on when there is room", async () => {
    const { connection, receive } = connectedPair()
    const iterator = connection.iterate({ maxMessages: 3 })
    await receive(1, 2)
    expect(connection.isReadingPaused).toBe(false)
    await receive(3, 4, 5, 6, 7)
    expect(connection.isReadingPaused).toBe(true)
    expect(connection.messagesIn).toBe(3)
    for (const expected of range(7)) expect((await iterator.next()).value).toBe(expected)
    expect(connection.isReadingPaused).toBe(false)
    expect(connection.messagesIn).toBe(7)
  })

  it("buffers 64 messages when nothing else is said", async () => {
    const { connection, receive } = connectedPair()
    connection.iterate()
    await receive(...range(63))
    expect(connection.isReadingPaused).toBe(false)
    await receive(64)
    expect(connection.isReadingPaused).toBe(true)
  })

  it("gives several readers everything, at the pace of the slowest", async () => {
    const { connection, peer, receive, turn } = connectedPair<number, unknown>()
    const listener = vi.fn()
    connection.on("message", listener)
    const slow = connection.iterate({ maxMessages: 1 })
    const quick = connection.iterate()
    await receive(1, 2, 3)
    expect(listener).toHaveBeenCalledTimes(1)
    const [all, same] = [readAll(slow), readAll(quick)]
    await turn()
    peer.close(1000)
    await turn()
    expect(await all).toEqual([1, 2, 3])
    expect(await same).toEqual([1, 2, 3])
    expect(listener).toHaveBeenCalledTimes(3)
  })

  it("may be left by break, and holds nobody up any more", async () => {
    const { connection, receive } = connectedPair()
    const listener = vi.fn()
    connection.on("message", listener)
    const iterator = connection.iterate({ maxMessages: 1 })
    await receive(1, 2, 3)
    expect(listener).toHaveBeenCalledTimes(1)
    for await (const message of iterator) {
      expect(message).toBe(1)
      break
    }
    expect(listener).toHaveBeenCalledTimes(3)
    expect(connection.isReadingPaused).toBe(false)
  })

  it("may be begun anew after a break, and misses nothing", async () => {
    const { connection, peer, receive, turn } = connectedPair()
    await receive(1)
    for await (const message of connection) {
      expect(message).toBe(1)
      break
    }
    await receive(2, 3)
    peer.close(1000)
    await turn()
    expect(await readAll(connection)).toEqual([2, 3])
  })

  it("gives what had come in before the end, also more than its buffer holds", async () => {
    const clock = new VirtualClock()
    const [socket, peer] = socketPair({ clock })
    // without pause, as in browsers, more comes in than the reader wants
    Object.assign(socket, { pause: undefined, resume: undefined })
    const connection = new Connection(socket, {}, { clock })
    const iterator = connection.iterate({ maxMessages: 2 })
    for (const message of range(10)) peer.send(String(message))
    peer.close(1000)
    await clock.advance(0)
    expect(connection.state).toBe("closed")
    expect(await readAll(iterator)).toEqual(range(10))
  })

  it("ends at once on a connection that has ended and holds nothing", async () => {
    const { connection, turn } = connectedPair()
    void connection.close()
    await turn()
    expect(await readAll(connection)).toEqual([])
  })

  it("refuses a buffer that cannot be", () => {
    const { connection } = connectedPair()
    expect(() => connection.iterate({ maxMessages: 0 })).toThrow(/^iterate\.maxMessages .* received 0$/)
  })
})

describe("a socket that cannot be paused", () => {
  it("is closed with 1013 when 1,024 messages wait for busy readers", async () => {
    const clock = new VirtualClock()
    const [socket, peer] = socketPair({ clock })
    Object.assign(socket, { pause: undefined, resume: undefined })
    const connection = new Connection(socket, {}, { clock })
    connection.iterate({ maxMessages: 1 })
    for (const message of range(1_024)) peer.send(String(message))
    await clock.advance(0)
    expect(connection.state).toBe("open")
    peer.send("1")
    await clock.advance(0)
    expect(await connection.closed).toMatchObject({ code: 1013, cause: "overflow" })
  })
})

describe("S3 a loop that is left in the middle of a burst", () => {
  /** A connection over a socket whose reads bring many messages at once, as those of `ws` do. */
  function bursting() {
    const clock = new VirtualClock()
    const socket = new StubSocket()
    const connection = new Connection<number, unknown>(socket, {}, { clock, logger: false })
    const burst = (count: number) => {
      for (const n of range(count)) socket.receive(String(n))
    }
    return { clock, socket, connection, burst }
  }

  // nothing was read any more, and so the end of the connection never seen, until somebody read again
  it("has reading taken up after 10 s without another reader", async () => {
    const { clock, socket, connection, burst } = bursting()
    const loop = connection.iterate({ maxMessages: 2 })
    burst(100)
    expect(socket.isPaused).toBe(true)
    await loop.return?.()
    await clock.advance(9_999)
    expect(socket.isPaused).toBe(true)
    await clock.advance(1)
    expect(socket.isPaused).toBe(false)
    socket.end(1000)
    expect(clock.pending).toBe(0)
  })

  it("leaves what it has not seen to the next one", async () => {
    const { connection, socket, burst } = bursting()
    const seen: number[] = []
    const read = async (count: number) => {
      for await (const message of connection.iterate({ maxMessages: 1 })) {
        seen.push(message)
        if (seen.length >= count) break
      }
    }
    burst(100)
    await read(30)
    await read(60)
    socket.end(1000)
    await read(1_000)
    // a message that had come into the buffer of a loop that was left went with it
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b))
    expect(seen.length).toBeGreaterThanOrEqual(98)
  })
})
