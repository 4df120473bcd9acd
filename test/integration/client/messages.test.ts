import { binary } from "holdfast"
import { describe, expect, it } from "vitest"
import { dial, echo, RestartingServer } from "../../support/client-servers.js"
import { inTime, until } from "../../support/deadline.js"
import { startServer } from "../../support/ws-server.js"

describe("C37 codecs", () => {
  it("C37 carries text as it is", async () => {
    const server = await startServer()
    echo(server.wss)
    const { client, log } = dial(server.url)
    const messages = ["", "é€😀", "ping", "x".repeat(100_000), "\0"]
    for (const message of messages) client.send(message)
    await until(() => log.messages.length === messages.length, "the echoes")
    expect(log.messages).toEqual(messages)
  })

  it("C37 carries bytes as they are, across reconnects", async () => {
    const server = await RestartingServer.start()
    const { client, log } = dial<Uint8Array, Uint8Array>(server.url, { codec: binary() })
    for (const [size, round] of [0, 1, 65_536].map((it, index) => [it, index] as const)) {
      client.send(new Uint8Array(size).fill(round))
      const { socket } = await server.accepted.next()
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }))
      await until(() => log.messages.length === round + 1, "the echo")
      socket.terminate()
      await until(() => client.state !== "open", "the end of the connection")
    }
    expect(log.messages.every((it) => it instanceof Uint8Array)).toBe(true)
    expect(log.messages.map(({ length }) => length)).toEqual([0, 1, 65_536])
    expect(log.messages[2]?.every((byte) => byte === 2)).toBe(true)
    expect(log.errors.filter(({ stage }) => stage === "decode")).toEqual([])
  })

  it("C37 reports what cannot be decoded, and stays connected", async () => {
    const server = await startServer()
    const { client, log } = dial(server.url)
    const { socket } = await server.accepted()
    socket.send(Buffer.from([1, 2, 3]))
    socket.send("fine")
    await until(() => log.messages.length > 0, "the message after it")
    expect(log.messages).toEqual(["fine"])
    expect(log.errors).toMatchObject([{ stage: "decode", error: { code: "DECODE_FAILED" } }])
    expect([client.state, server.wss.clients.size]).toEqual(["open", 1])
  })
})

describe("C38 for await", () => {
  it("C38 goes on over a restart of the server, and ends with the client", async () => {
    const server = await RestartingServer.start()
    const { client } = dial(server.url)
    const read: string[] = []
    const loops = [1, 2].map(async () => {
      for await (const message of client) read.push(message)
    })
    for (const round of [1, 2, 3]) {
      const { socket } = await server.accepted.next()
      socket.send(`message ${round}`)
      await until(() => read.length === round * 2, "the message")
      await server.stop()
      await server.start()
    }
    await client.close()
    await inTime(Promise.all(loops), "the loops to end")
    expect(read).toEqual([1, 1, 2, 2, 3, 3].map((round) => `message ${round}`))
  })

  it("C38 throws where the client ends for another reason", async () => {
    const server = await startServer()
    const { client } = dial(server.url)
    const loop = (async () => {
      for await (const _ of client);
    })()
    const { socket } = await server.accepted()
    socket.close(1008, "go away")
    await expect(inTime(loop, "the loop to end")).rejects.toMatchObject({ code: "CONNECTION_LOST" })
  })

  it("C38 makes the server feel a slow reader, and loses nothing", async () => {
    const COUNT = 2_000
    const server = await startServer()
    const { client } = dial(server.url)
    const reader = client.iterate({ maxMessages: 10 })
    const { socket } = await server.accepted()
    const body = "x".repeat(16_384)
    for (let number = 0; number < COUNT; number += 1) socket.send(`${number} ${body}`)
    const numbers: number[] = []
    const read = async () => numbers.push(Number.parseInt(String((await reader.next()).value), 10))
    await inTime(read(), "the first message")
    // what is left fits into no buffer of the system: only a reader can make it go
    await settled(() => socket.bufferedAmount)
    expect(socket.bufferedAmount).toBeGreaterThan(0)
    for (let left = COUNT - 1; left > 0; left -= 1) await inTime(read(), "the next message")
    expect(numbers).toEqual(Array.from({ length: COUNT }, (_, number) => number))
    await until(() => socket.bufferedAmount === 0, "the server to be rid of it")
    expect(client.state).toBe("open")
  })
})

/** Waits until a number has stayed the same for a hundred turns of the event loop. */
async function settled(read: () => number): Promise<void> {
  let last = read()
  let turns = 0
  await until(() => {
    turns = read() === last ? turns + 1 : 0
    last = read()
    return turns === 100
  }, "the buffers to be full")
}
