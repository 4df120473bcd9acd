import { batch, json } from "holdfast"
import { describe, expect, it } from "vitest"
import { dial } from "../../support/client-servers.js"
import { until } from "../../support/deadline.js"
import { startHub } from "../../support/hub-server.js"

describe("T7: batches over real sockets", () => {
  it("go from a client to a hub and from a hub to a room, in order, in fewer frames", async () => {
    const codec = batch<number, number>(json(), { maxMessages: 50 })
    await using server = await startHub({ codec })
    const heard: number[] = []
    server.hub.on("connection", ({ connection }) => void connection.join("room"))
    server.hub.on("message", ({ data }) => heard.push(data))
    const { client, log } = dial(server.url, { codec })
    const plain = await server.connect()
    await until(() => server.hub.size === 2, "both")

    const numbers = Array.from({ length: 1_020 }, (_, i) => i)
    const sender = codec.sender(client)
    for (const n of numbers) sender.send(n)
    await until(() => heard.length === numbers.length, "all messages at the hub")
    expect(heard).toEqual(numbers)

    const before = server.hub.framesEncoded
    const toRoom = codec.sender(server.hub.to("room"))
    for (const n of numbers) toRoom.send(n)
    toRoom.close()
    await until(() => log.messages.length === numbers.length, "all messages at the client")
    expect(log.messages).toEqual(numbers)
    expect(server.hub.framesEncoded - before).toBe(21)

    // a peer that has never heard of batches takes them apart at the line feeds
    const lines: string[] = []
    while (lines.length < numbers.length) lines.push(...String(await plain.client.next()).split("\n"))
    expect(lines.map(Number)).toEqual(numbers)
  })

  it("wait in a client's queue like any message, and are whole in what was not sent", async () => {
    const codec = batch<number, number>(json())
    const { client } = dial("ws://127.0.0.1:9", { codec })
    const sender = codec.sender(client)
    for (const n of [1, 2, 3]) sender.send(n)
    sender.close()
    expect(client.queued).toBe(1)
    expect(client.drainQueue()).toMatchObject([{ messages: [1, 2, 3] }])
  })
})
