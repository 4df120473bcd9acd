import { msgpack } from "holdfast/codecs/msgpack"
import { describe, expect, it } from "vitest"
import { dial } from "../../support/client-servers.js"
import { until } from "../../support/deadline.js"
import { startHub } from "../../support/hub-server.js"
import { startServer } from "../../support/ws-server.js"

type Message = { type: string; at?: Date; data?: Uint8Array; n?: bigint | number }

describe("T1: msgpack() over real sockets", () => {
  it("carries dates, bytes and large integers between a client and a hub", async () => {
    await using server = await startHub<Message, Message>({ codec: msgpack() })
    server.hub.on("message", ({ connection, data }) => connection.send({ ...data, type: "back" }))
    const { client, log } = dial<Message, Message>(server.url, { codec: msgpack() })
    const data = new Uint8Array(300).map((_, i) => i)
    client.send({ type: "there", at: new Date(1_700_000_000_000), data, n: 2n ** 60n })
    await until(() => log.messages.length === 1, "the answer")
    const [message] = log.messages
    expect(message).toMatchObject({ type: "back", at: new Date(1_700_000_000_000), n: 2n ** 60n })
    expect([...(message?.data ?? [])]).toEqual([...data])
  })

  it("reports bad input on both sides, and nobody ends", async () => {
    await using server = await startHub<Message, Message>({ codec: msgpack() })
    const problems: string[] = []
    const heard: string[] = []
    const reason = (error: unknown) =>
      ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message
    server.hub.on("error", ({ error, stage }) => problems.push(`${stage}: ${reason(error)}`))
    server.hub.on("message", ({ data }) => heard.push(data.type))
    const { client: bare } = await server.connect()
    for (const frame of ["ddffffffff", "91".repeat(50_000), "d47200", "c1"])
      bare.send(Buffer.from(frame, "hex"))
    bare.send("text")
    bare.send(Buffer.from("81a474797065a466696e65", "hex"))
    await until(() => heard.length === 1, "the message after them")
    expect(heard).toEqual(["fine"])
    expect(problems).toEqual([
      "decode: it is cut off",
      "decode: it is too deep",
      "decode: it has the extension 114",
      "decode: it has the byte c1, which is never used",
      "decode: expected a binary frame, got text: text",
    ])
  })

  it("reports bad input to a client, which stays connected", async () => {
    const server = await startServer()
    const { client, log } = dial<Message, Message>(server.url, { codec: msgpack() })
    const { socket } = await server.accepted()
    for (const frame of ["ddffffffff", "d47200"]) socket.send(Buffer.from(frame, "hex"))
    socket.send(Buffer.from("81a474797065a466696e65", "hex"))
    await until(() => log.messages.length === 1, "the message after them")
    expect(log.errors.map(({ stage, error }) => [stage, (error as { code: string }).code])).toEqual([
      ["decode", "DECODE_FAILED"],
      ["decode", "DECODE_FAILED"],
    ])
    expect([log.messages, client.state]).toEqual([[{ type: "fine" }], "open"])
  })
})
