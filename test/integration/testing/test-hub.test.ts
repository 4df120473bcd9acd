import { createHub, json, lengthPrefixed, text } from "holdfast"
import { connectTestClient } from "holdfast/testing"
import { startTestHub } from "holdfast/testing/node"
import { describe, expect, it, vi } from "vitest"
import { dial } from "../../support/client-servers.js"
import { until } from "../../support/deadline.js"
import { startServer } from "../../support/ws-server.js"

describe("K4: startTestHub", () => {
  it("is a hub on a real server, with clients whose messages wait for the test", async () => {
    await using server = await startTestHub<{ n: number }, { doubled: number }, { name: string }>({
      attach: { path: "/ws/:room", authenticate: () => ({ data: { name: "ada" } }) },
    })
    server.hub.on("message", ({ connection, data }) => connection.send({ doubled: data.n * 2 }))
    const { client, connection } = await server.connect({ path: "/ws/lobby?x=1" })
    expect([connection.params.room, connection.data.name]).toEqual(["lobby", "ada"])
    for (const n of [1, 2, 3]) client.send({ n })
    await until(() => client.waiting === 3, "the answers")
    expect(await client.next()).toEqual({ doubled: 2 })
    expect(await client.take(2)).toEqual([{ doubled: 4 }, { doubled: 6 }])
    expect(client.waiting).toBe(0)
  })

  it("gives each of many clients its own connection", async () => {
    await using server = await startTestHub<unknown, string>()
    const pairs = await Promise.all(Array.from({ length: 10 }, () => server.connect()))
    expect(new Set(pairs.map(({ connection }) => connection.id)).size).toBe(10)
    for (const { connection } of pairs) connection.send(connection.id)
    for (const { client, connection } of pairs) expect(await client.next()).toBe(connection.id)
  })

  it("speaks the hub's codec, and takes clients of any kind", async () => {
    await using server = await startTestHub({ hub: { codec: lengthPrefixed() } })
    const { client, connection } = await server.connect()
    connection.send([
      { type: 1, payload: new Uint8Array([7]) },
      { type: 2, payload: new Uint8Array() },
    ])
    expect(await client.take(2)).toMatchObject([{ type: 1 }, { type: 2 }])
    const { client: other } = dial(server.url, { codec: lengthPrefixed() })
    await other.opened
    expect(server.hub.size).toBe(2)
  })

  it("says why a client was not let in", async () => {
    await using server = await startTestHub({
      attach: {
        path: ["/refused", "/closed", "/open"],
        authenticate: ({ url }) => {
          if (url === "/refused") return { status: 401 }
          return url === "/closed" ? { status: 403, closeCode: 4403, closeReason: "not you" } : {}
        },
      },
    })
    await expect(server.connect({ path: "/refused" })).rejects.toMatchObject({
      code: "CONNECT_FAILED",
      status: 401,
    })
    await expect(server.connect({ path: "/closed" })).rejects.toMatchObject({
      code: "CONNECT_FAILED",
      message: "the connection was accepted and closed with 4403 (not you)",
    })
    const { connection } = await server.connect({ path: "/open" })
    expect(connection.state).toBe("open")
  })

  it("ends with everything in it, once", async () => {
    const server = await startTestHub()
    const { client } = await server.connect()
    const { url } = server
    await Promise.all([server.close(), server.close()])
    expect(await client.closed()).toMatchObject({ code: 1001 })
    expect(server.hub.size).toBe(0)
    await expect(connectTestClient(url)).rejects.toMatchObject({ code: "CONNECT_FAILED" })
  })
})

describe("K4: connectTestClient", () => {
  it("rejects next() after the deadline, with a stack that leads to the test, and loses nothing by it", async () => {
    const server = await startServer()
    await using client = await connectTestClient(server.url, { timeoutMs: 30 })
    const { socket } = await server.accepted()
    const late = await client.next().catch((error: Error) => error)
    expect(late).toMatchObject({ message: "no message within 30 ms" })
    expect((late as Error).stack).toContain("test-hub.test.ts")
    await expect(client.next(5)).rejects.toThrow("no message within 5 ms")
    socket.send('"after all"')
    expect(await client.next(1_000)).toBe("after all")
    await expect(client.closed(5)).rejects.toThrow("no end of the connection within 5 ms")
  })

  it("waits for a second, unless it is told otherwise", async () => {
    const server = await startServer()
    await using client = await connectTestClient(server.url)
    await server.accepted()
    const begun = performance.now()
    await expect(client.next()).rejects.toThrow("no message within 1000 ms")
    expect(performance.now() - begun).toBeGreaterThan(990) // timers may be early by a little
  })

  it("has what came before the end, and then says how it ended", async () => {
    const server = await startServer()
    await using client = await connectTestClient(server.url)
    const { socket } = await server.accepted()
    socket.send("1")
    socket.send("2")
    socket.close(4000, "enough")
    expect(await client.closed()).toMatchObject({ code: 4000, reason: "enough", cause: "peer" })
    expect(await client.take(2)).toEqual([1, 2])
    await expect(client.next()).rejects.toThrow(
      "no message any more: the connection ended with 4000 (enough)",
    )
  })

  it("tells whoever waits of the end at once", async () => {
    const server = await startServer()
    await using client = await connectTestClient(server.url)
    const { socket } = await server.accepted()
    const waiting = [client.next(60_000), client.next(60_000)].map((it) =>
      it.catch((error: Error) => error.message),
    )
    socket.terminate()
    const message = "no message any more: the connection ended with 1006"
    expect(await Promise.all(waiting)).toEqual([message, message])
  })

  it("gives messages to several who wait in the order of their asking", async () => {
    const server = await startServer()
    await using client = await connectTestClient(server.url)
    const { socket } = await server.accepted()
    const [first, second] = [client.next(), client.next()]
    socket.send("1")
    socket.send("2")
    expect(await Promise.all([first, second])).toEqual([1, 2])
  })

  it("rejects next() for a frame that cannot be decoded, in its place", async () => {
    const server = await startServer()
    await using client = await connectTestClient(server.url)
    const { socket } = await server.accepted()
    for (const frame of ["1", "{no", "3"]) socket.send(frame)
    expect(await client.next()).toBe(1)
    await expect(client.next()).rejects.toMatchObject({ code: "DECODE_FAILED" })
    expect(await client.next()).toBe(3)
  })

  it("sends messages by its codec, and whatever else as it is", async () => {
    const server = await startServer()
    await using client = await connectTestClient(server.url, { codec: json<unknown, unknown>() })
    const { socket } = await server.accepted()
    const arrived: unknown[] = []
    socket.on("message", (data, isBinary) => arrived.push(isBinary ? [...(data as Buffer)] : String(data)))
    client.send({ a: 1 })
    client.sendRaw("{no json")
    client.sendRaw(new Uint8Array([1, 2]))
    expect(() => client.send(1n)).toThrow(expect.objectContaining({ code: "ENCODE_FAILED" }))
    await until(() => arrived.length === 3, "the frames")
    expect(arrived).toEqual(['{"a":1}', "{no json", [1, 2]])
  })

  it("closes in order, and at once where it is disposed of", async () => {
    const server = await startServer()
    const client = await connectTestClient(server.url, { codec: text() })
    const { socket } = await server.accepted()
    const ends: number[] = []
    socket.on("close", (code) => ends.push(code))
    expect(await client.close(4001, "bye")).toMatchObject({ code: 4001, cause: "local" })
    {
      await using other = await connectTestClient(server.url)
      ;(await server.accepted()).socket.on("close", (code) => ends.push(code))
      expect(other.connection.state).toBe("open")
    }
    await until(() => ends.length === 2, "the ends")
    expect(ends).toEqual([4001, 1006])
  })

  it("logs nothing, and rejects what cannot be", async () => {
    const log = vi.spyOn(console, "error")
    await expect(connectTestClient("ws://127.0.0.1:9", { connectTimeoutMs: 500 })).rejects.toMatchObject({
      code: expect.stringMatching(/^CONNECT_/),
    })
    await expect(connectTestClient("ws://x", { timeoutMs: 0 })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: "connectTestClient.timeoutMs must be a number from 1 to 2147483647, received 0",
    })
    await expect(startTestHub({ hub: { codec: 5 as never } })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    })
    expect(log).not.toHaveBeenCalled()
    expect(createHub().size).toBe(0)
  })
})
