import { lengthPrefixed, type OutgoingPacket, type Packet } from "holdfast"
import { describe, expect, it } from "vitest"
import { dial } from "../../support/client-servers.js"
import { until } from "../../support/deadline.js"
import { startHub } from "../../support/hub-server.js"
import { startServer } from "../../support/ws-server.js"

type Name = "hello" | "samples"
type Out = OutgoingPacket<Name> | readonly OutgoingPacket<Name>[]

const codec = lengthPrefixed({ types: { hello: 1, samples: 2 } })
const bytes = (...values: number[]) => new Uint8Array(values)
const shown = ({ type, payload }: Packet<Name>) => `${type} ${[...payload].join(",")}`

describe("T3: packets over real sockets", () => {
  it("come in at a hub as they were sent by a bare client, in any pieces, and errors end nothing", async () => {
    await using server = await startHub<Packet<Name>, Out>({ codec })
    const heard: string[] = []
    const errors: unknown[] = []
    server.hub.on("message", ({ data }) => heard.push(shown(data)))
    server.hub.on("error", ({ error, stage }) => errors.push([stage, (error as { code: string }).code]))
    const { client, connection } = await server.connect()
    client.send(bytes(1, 0, 0, 0, 2, 0, 3, 0, 1)) // one packet, and the beginning of another
    client.send("no packet at all")
    client.send(bytes(2, 3, 9)) // the rest, and a type that nobody knows
    client.send(bytes(0, 2, 0, 0xff))
    client.send(bytes(0xff, 2, 0, 1, 0, 4))
    await until(() => heard.length === 3, "the packets")
    expect(heard).toEqual(["hello ", "samples 1,2,3", "samples 4"])
    expect(errors).toEqual([
      ["decode", "DECODE_FAILED"],
      ["decode", "PACKET_TYPE_UNKNOWN"],
    ])
    expect([connection.state, connection.messagesIn]).toEqual(["open", 3])
  })

  it("go out to everybody in one frame, several at once", async () => {
    await using server = await startHub<Packet<Name>, Out>({ codec })
    const [one, two] = [await server.connect(), await server.connect()]
    const before = server.hub.framesEncoded
    server.hub.broadcast([
      { type: "hello", payload: bytes() },
      { type: "samples", payload: bytes(7) },
    ])
    for (const { client } of [one, two]) {
      expect([...((await client.next()) as Uint8Array)]).toEqual([1, 0, 0, 0, 2, 0, 1, 0, 7])
    }
    expect(server.hub.framesEncoded - before).toBe(1)
  })

  it("are spoken by the client too, which forgets half a packet with its connection", async () => {
    const server = await startServer()
    const { client, log } = dial<Packet<Name>, Out>(server.url, { codec })
    const { socket } = await server.accepted()
    socket.send(bytes(1, 0, 1, 0, 9, 2, 0, 9))
    await until(() => log.messages.length === 1, "the packet")
    socket.terminate()
    const { socket: next } = await server.accepted()
    next.send(bytes(2, 0, 1, 0, 8))
    await until(() => log.messages.length === 2, "the packet of the next connection")
    expect(log.messages.map(shown)).toEqual(["hello 9", "samples 8"])
    expect(log.errors.filter(({ stage }) => stage === "decode")).toMatchObject([
      { error: { code: "PACKET_TRUNCATED", preview: "02 00 09" } },
    ])
    const arrived = new Promise((resolve) => next.once("message", (data) => resolve([...(data as Buffer)])))
    client.send({ type: "hello", payload: bytes(5) })
    expect(await arrived).toEqual([1, 0, 1, 0, 5])
  })

  it("go between a client and a hub", async () => {
    await using server = await startHub<Packet<Name>, Out>({ codec })
    server.hub.on("message", ({ connection, data }) =>
      connection.send({ type: "samples", payload: data.payload.map((it) => it * 2) }),
    )
    const { client, log } = dial<Packet<Name>, Out>(server.url, { codec })
    const payload = new Uint8Array(50_000).map((_, i) => i % 100)
    client.send([
      { type: "hello", payload },
      { type: "hello", payload: bytes(21) },
    ])
    await until(() => log.messages.length === 2, "the answers")
    expect([...(log.messages[0]?.payload ?? [])]).toEqual([...payload.map((it) => it * 2)])
    expect(shown(log.messages[1] as Packet<Name>)).toBe("samples 42")
    expect(client.state).toBe("open")
  })
})
