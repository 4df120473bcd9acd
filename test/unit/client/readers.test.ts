import { binary, ConnectionLostError, json, text } from "holdfast"
import { describe, expect, it } from "vitest"
import { openClient } from "../../support/client-fake.js"
import type { FrameSocket } from "../../support/client-network.js"

/** Reads to the end. */
async function readAll<T>(messages: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const message of messages) into.push(message)
  return into
}

describe("for await", () => {
  it("C38 goes on across reconnects, and ends with the client", async () => {
    const { client, clock, network } = await openClient()
    const all = readAll(client)
    for (let i = 0; i < 3; i += 1) {
      network.last.deliver(`${i}`)
      network.last.cut()
      await clock.advance(5_000)
      expect(client.state).toBe("open")
    }
    network.last.deliver("last")
    await Promise.all([client.close(), clock.advance(1)])
    await expect(all).resolves.toEqual(["0", "1", "2", "last"])
  })

  it("C38 pauses reading while its buffer is full, and resumes when there is room", async () => {
    const { client, clock, network } = await openClient({ make: "frames" })
    const socket = network.last as FrameSocket
    const reader = client.iterate({ maxMessages: 2 })
    for (let i = 0; i < 6; i += 1) socket.deliver(`${i}`)
    expect(socket.isPaused).toBe(true)
    const read: unknown[] = []
    for (let i = 0; i < 6; i += 1) read.push((await reader.next()).value)
    expect(read).toEqual(["0", "1", "2", "3", "4", "5"])
    expect(socket.isPaused).toBe(false)
    await Promise.all([client.close(), clock.advance(1)])
    await expect(reader.next()).resolves.toEqual({ value: undefined, done: true })
  })

  it("C38 does not leave a new connection paused, nor read past a full buffer", async () => {
    const { client, clock, network } = await openClient({ make: "frames" })
    const reader = client.iterate({ maxMessages: 1 })
    network.last.deliver("one")
    expect((network.last as FrameSocket).isPaused).toBe(true)
    network.last.cut()
    await clock.advance(1_050)
    const socket = network.last as FrameSocket
    socket.deliver("two")
    expect(socket.isPaused).toBe(true)
    await reader.next()
    await reader.next()
    expect(socket.isPaused).toBe(false)
    socket.deliver("three")
    expect((await reader.next()).value).toBe("three")
  })

  it("C38 resumes reading when the slow reader leaves", async () => {
    const { client, network } = await openClient({ make: "frames" })
    const socket = network.last as FrameSocket
    const slow = client.iterate({ maxMessages: 1 })
    const quick = client.iterate()
    for (const message of ["a", "b", "c"]) socket.deliver(message)
    expect(socket.isPaused).toBe(true)
    await slow.return?.()
    expect(socket.isPaused).toBe(false)
    for (const value of ["a", "b", "c"]) await expect(quick.next()).resolves.toEqual({ value, done: false })
  })

  it("C38 ends with QUEUE_FULL where reading cannot pause, after what it has", async () => {
    const { client, network, log } = await openClient({ make: "browser" })
    const slow = client.iterate({ maxMessages: 2 })
    const roomy = client.iterate()
    for (const message of ["a", "b", "c"]) network.last.deliver(message)
    const read: string[] = []
    await expect(readAll(slow, read)).rejects.toMatchObject({ code: "QUEUE_FULL" })
    expect(read).toEqual(["a", "b"])
    for (const value of ["a", "b", "c"]) await expect(roomy.next()).resolves.toEqual({ value, done: false })
    expect(log.messages).toEqual(["a", "b", "c"])
    expect(client.state).toBe("open")
  })

  it("C38 is told nothing any more after break", async () => {
    const { client, network } = await openClient()
    const reader = client.iterate({ maxMessages: 1 })
    network.last.deliver("one")
    for await (const message of reader) {
      expect(message).toBe("one")
      break
    }
    for (let i = 0; i < 10; i += 1) network.last.deliver("more")
    await expect(reader.next()).resolves.toEqual({ value: undefined, done: true })
    expect(client.state).toBe("open")
  })

  it("C38 gives every reader every message", async () => {
    const { client, clock, network } = await openClient()
    const all = [readAll(client), readAll(client), readAll(client.iterate({ maxMessages: 5 }))]
    for (const message of ["a", "b"]) network.last.deliver(message)
    await Promise.all([client.close(), clock.advance(1)])
    await expect(Promise.all(all)).resolves.toEqual([
      ["a", "b"],
      ["a", "b"],
      ["a", "b"],
    ])
  })

  it("C38 throws when the client ends for another reason, after what came in", async () => {
    const { client, clock, network, log } = await openClient()
    const read: string[] = []
    const all = readAll(client, read)
    all.catch(() => {})
    network.last.deliver("one")
    network.last.end(1008, "go away")
    await clock.advance(1)
    await expect(all).rejects.toBeInstanceOf(ConnectionLostError)
    expect(read).toEqual(["one"])
    expect(log.ends).toMatchObject([{ cause: "close-code" }])
  })

  it("C38 after the end is over at once, or throws", async () => {
    const closed = await openClient()
    await Promise.all([closed.client.close(), closed.clock.advance(1)])
    await expect(readAll(closed.client)).resolves.toEqual([])
    const stopped = await openClient()
    stopped.network.last.end(1008)
    await stopped.clock.advance(1)
    await expect(readAll(stopped.client)).rejects.toBeInstanceOf(ConnectionLostError)
  })

  it.each([0, -1, 1.5, "2"])("C38 throws for room for %s messages", async (maxMessages) => {
    const { client } = await openClient()
    expect(() => client.iterate({ maxMessages: maxMessages as number })).toThrow("maxMessages")
  })
})

describe("the codec", () => {
  it("C37 text() takes and gives strings", async () => {
    const { client, clock, network, log } = await openClient({ codec: text() })
    client.send("ü")
    network.last.deliver("€")
    await clock.advance(1)
    expect([network.received, log.messages]).toEqual([["ü"], ["€"]])
  })

  it("C37 binary() takes and gives bytes, on every connection", async () => {
    const { client, clock, network, log } = await openClient<Uint8Array, Uint8Array>({ codec: binary() })
    for (let i = 1; i < 4; i += 1) {
      expect(network.last.binaryType).toBe("arraybuffer")
      client.send(new Uint8Array([i]))
      network.last.deliver(new Uint8Array([i, i]))
      await clock.advance(1)
      network.last.cut()
      await clock.advance(10_000)
    }
    expect(network.received).toEqual([[1], [2], [3]].map((it) => new Uint8Array(it)))
    expect(log.messages.map((it) => [...it])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
  })

  it("C37 json() takes and gives values", async () => {
    const { client, clock, network, log } = await openClient<unknown, unknown>({ codec: json() })
    client.send({ type: "hello" })
    network.last.deliver('[1,null,"x"]')
    await clock.advance(1)
    expect([network.received, log.messages]).toEqual([['{"type":"hello"}'], [[1, null, "x"]]])
  })

  it.each([
    ["json", json(), "{"],
    ["json", json(), new Uint8Array([1])],
    ["text", text(), new Uint8Array([1])],
    ["binary", binary(), "text"],
  ] as const)(
    "C37 that cannot decode is an error event, and the client goes on: %s",
    async (_, codec, frame) => {
      const { client, clock, network, log } = await openClient<unknown, unknown>({ codec: codec as never })
      network.last.deliver(frame)
      await clock.advance(1)
      expect(log.errors).toMatchObject([{ stage: "decode", error: { code: "DECODE_FAILED" } }])
      expect(log.messages).toEqual([])
      expect(client.state).toBe("open")
      expect(network.sockets).toHaveLength(1)
    },
  )

  it("C37 that cannot encode throws at send, and nothing is kept", async () => {
    const { client, clock, network } = await openClient<unknown, unknown>({ codec: json() })
    expect(() => client.send(1n)).toThrow(expect.objectContaining({ code: "ENCODE_FAILED" }))
    expect(client.queued).toBe(0)
    client.send("after")
    await clock.advance(1)
    expect(network.received).toEqual(['"after"'])
  })
})
