import { describe, expect, it, vi } from "vitest"
import { binary, text } from "../../../src/wire/codec.js"
import { Connection } from "../../../src/wire/connection.js"
import { until } from "../../support/deadline.js"
import { WAYS, wirePair } from "../../support/wire-server.js"

const COUNT = 10_000
const numbers = Array.from({ length: COUNT }, (_, i) => i)

describe.each(WAYS)("a connection over a ws server socket, $way", ({ isRaw }) => {
  it("S15 sends 10,000 messages in order", async () => {
    const { client, connection } = await wirePair({ isRaw })
    const arrived = client.take(COUNT)
    for (const n of numbers) expect(connection.send(n)).toBe("sent")
    expect((await arrived).map(Number)).toEqual(numbers)
    expect(connection).toMatchObject({ messagesOut: COUNT, bufferedBytes: 0 })
  })

  it("S15 sends 10,000 messages in order, over as many turns as it takes", async () => {
    const { client, connection } = await wirePair({ isRaw })
    const arrived = client.take(COUNT)
    for (const n of numbers) {
      connection.send(n)
      if (n % 100 === 0) await connection.drained()
      if (n % 250 === 0) await connection.sendAsync(n)
    }
    void connection.close()
    const order = (await arrived).map(Number)
    expect(order).toEqual([...order].sort((a, b) => a - b))
  })

  it("S5 receives 10,000 messages in order", async () => {
    const { client, connection } = await wirePair<number, unknown>({ isRaw })
    const messages: number[] = []
    connection.on("message", ({ data }) => messages.push(data))
    for (const n of numbers) client.send(String(n))
    await until(() => messages.length === COUNT, "all messages")
    expect(messages).toEqual(numbers)
    expect(connection.messagesIn).toBe(COUNT)
  })

  it("S5 receives in order what came before the listener", async () => {
    const { client, connection } = await wirePair<number, unknown>({ isRaw })
    // a socket stops between two reads, so there must be several
    for (let n = 0; n < 100; n += 1) client.send(String(n).padStart(10_000))
    await until(() => connection.isReadingPaused, "reading to stop")
    expect(connection.messagesIn).toBeLessThan(100)
    const messages: number[] = []
    connection.on("message", ({ data }) => messages.push(data))
    await until(() => messages.length === 100, "all messages")
    expect(messages).toEqual(numbers.slice(0, 100))
  })

  it("S3 reads in a loop, at its own pace, and ends with the connection", async () => {
    const { client, connection } = await wirePair<number, unknown>({ isRaw })
    for (let n = 0; n < 2_000; n += 1) client.send(String(n))
    client.socket.close(1000)
    const messages: number[] = []
    for await (const message of connection.iterate({ maxMessages: 8 })) {
      messages.push(message)
      if (message % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(messages).toEqual(numbers.slice(0, 2_000))
    expect(await connection.closed).toMatchObject({ code: 1000, cause: "peer" })
  })

  it("S15 delivers what is sent in the same turn before a close", async () => {
    const { client, connection } = await wirePair({ isRaw })
    for (const n of [1, 2, 3]) connection.send(n)
    void connection.close(1012, "restart")
    connection.send(4)
    expect(await client.take(3)).toEqual(["1", "2", "3"])
    expect(await client.closed()).toEqual({ code: 1012, reason: "restart" })
    expect(client.waiting).toBe(0)
    expect(await connection.closed).toMatchObject({
      code: 1012,
      cause: "local",
      unsent: { count: 0, bytes: 0 },
    })
  })

  it("sends bytes as they were, whatever becomes of them later", async () => {
    const { client, connection } = await wirePair({ isRaw, codec: binary() })
    const bytes = Buffer.alloc(1_000, 1)
    connection.send(bytes)
    bytes.fill(2)
    connection.send(bytes)
    bytes.fill(3)
    expect(await client.take(2)).toEqual([Buffer.alloc(1_000, 1), Buffer.alloc(1_000, 2)])
  })

  it.each([0, 125, 126, 65_535, 65_536, 1_048_576, 5_242_880])(
    "carries %i bytes, both ways",
    async (length) => {
      const { client, connection } = await wirePair({ isRaw, codec: binary(), maxBufferedBytes: 8_388_608 })
      const sent = Buffer.alloc(length, "0123456789")
      const received = vi.fn()
      connection.on("message", received)
      await connection.sendAsync(sent)
      expect(sent.equals((await client.next()) as Buffer)).toBe(true)
      client.send(sent)
      await until(() => received.mock.calls.length > 0, "the message")
      expect(sent.equals(received.mock.calls[0]?.[0].data)).toBe(true)
    },
  )

  it("carries any text, both ways", async () => {
    const { client, connection } = await wirePair<string, string>({ isRaw, codec: text() })
    connection.on("message", ({ data }) => connection.send(data))
    const samples = ["", "€", "😀".repeat(1_000), "\u0000", "line\nline"]
    for (const sample of samples) client.send(sample)
    expect(await client.take(samples.length)).toEqual(samples)
  })

  it("works where permessage-deflate was negotiated, both ways", async () => {
    const server = { perMessageDeflate: { threshold: 0 } }
    const { client, connection } = await wirePair<unknown, unknown>({ isRaw, server })
    expect(client.socket.extensions).toContain("permessage-deflate")
    connection.on("message", ({ data }) => connection.send(data))
    const samples = Array.from({ length: 300 }, (_, i) => ({ i, text: "deflate me ".repeat(i) }))
    for (const sample of samples) client.send(JSON.stringify(sample))
    const echoes = await client.take(samples.length)
    expect(echoes.map((it) => JSON.parse(String(it)))).toEqual(samples)
    void connection.close(4000, "done")
    expect(await client.closed()).toEqual({ code: 4000, reason: "done" })
  })

  it("S34 answers a literal ping", async () => {
    const { client } = await wirePair({ isRaw })
    client.send("ping")
    expect(await client.next()).toBe("pong")
  })

  it("S6 lives on after a frame that cannot be decoded", async () => {
    const onDecodeError = () => "not understood"
    const { client, connection } = await wirePair<unknown, unknown>({ isRaw, logger: false, onDecodeError })
    connection.on("message", ({ data }) => connection.send(data))
    client.send("{")
    client.send("1")
    expect(await client.take(2)).toEqual(['"not understood"', "1"])
  })
})

describe("a connection over a ws client socket", () => {
  it("speaks the same as over a server's", async () => {
    const { client, connection } = await wirePair<unknown, unknown>({ isRaw: true })
    connection.on("message", ({ data }) => connection.send({ echo: data }))
    const near = new Connection(client.socket)
    near.send(1)
    near.send(2)
    const replies: unknown[] = []
    for await (const message of near) {
      replies.push(message)
      if (replies.length === 2) break
    }
    expect(replies).toEqual([{ echo: 1 }, { echo: 2 }])
    await near.close()
    expect(await connection.closed).toMatchObject({ code: 1000, cause: "peer" })
  })
})
