import { binary, text } from "holdfast"
import { describe, expect, it } from "vitest"
import { until } from "../../support/deadline.js"
import { startHub } from "../../support/hub-server.js"
import { connect, type TestClient } from "../../support/ws-server.js"

type FromClient =
  | { type: "join"; room: string }
  | { type: "say"; room: string; text: string }
  | { type: "bye" }
type ToClient =
  | { type: "welcome"; id: string }
  | { type: "joined"; room: string }
  | { type: "said"; text: string }

/** A chat of twenty lines on a hub. */
async function startChat() {
  const server = await startHub<FromClient, ToClient>()
  const { hub } = server
  hub.on("connection", ({ connection }) => {
    connection.send({ type: "welcome", id: connection.id })
  })
  hub.on("message", async ({ connection, data }) => {
    if (data.type === "join") {
      await connection.join(data.room)
      connection.send({ type: "joined", room: data.room })
    } else if (data.type === "say") {
      hub.to(data.room).except(connection).send({ type: "said", text: data.text })
    } else {
      hub.broadcast({ type: "said", text: `${connection.id} leaves` }, { except: connection })
      await connection.close(1000, "bye")
    }
  })
  return server
}

const say = (client: TestClient, message: FromClient) => client.send(JSON.stringify(message))
const heard = async (client: TestClient): Promise<ToClient> => JSON.parse(String(await client.next()))

/** A bare client that has read its welcome and joined a room. */
async function enter(url: string, room: string): Promise<{ client: TestClient; id: string }> {
  const client = await connect(url)
  const welcome = (await heard(client)) as { id: string }
  say(client, { type: "join", room })
  expect(await heard(client)).toEqual({ type: "joined", room })
  return { client, id: welcome.id }
}

describe("a bare ws client talks to a hub beside a plain ws server", () => {
  it("chats in rooms", async () => {
    await using server = await startChat()
    const [ann, bob, eve] = [
      await enter(server.url, "tea"),
      await enter(server.url, "tea"),
      await enter(server.url, "coffee"),
    ]
    say(ann.client, { type: "say", room: "tea", text: "hello" })
    expect(await heard(bob.client)).toEqual({ type: "said", text: "hello" })
    say(bob.client, { type: "say", room: "coffee", text: "psst" })
    expect(await heard(eve.client)).toEqual({ type: "said", text: "psst" })
    say(ann.client, { type: "bye" })
    expect(await ann.client.closed()).toEqual({ code: 1000, reason: "bye" })
    for (const { client } of [bob, eve]) {
      expect(await heard(client)).toEqual({ type: "said", text: `${ann.id} leaves` })
    }
    expect([ann, bob, eve].map(({ client }) => client.waiting)).toEqual([0, 0, 0])
    await until(() => server.hub.size === 2, "the hub to see the end")
  })

  it("S1: is known by the address it comes from", async () => {
    await using server = await startHub()
    const { connection } = await server.connect()
    expect(connection).toMatchObject({ remoteAddress: "127.0.0.1", protocol: "", state: "open" })
  })

  it("S5: may speak before anybody listens, and nothing is lost", async () => {
    await using server = await startHub<number, number>()
    const { client, connection } = await server.connect()
    for (let i = 0; i < 10; i += 1) client.send(String(i))
    await until(() => connection.messagesIn === 10, "ten messages")
    const numbers: number[] = []
    server.hub.on("message", ({ data }) => numbers.push(data))
    await until(() => numbers.length === 10, "ten messages to be handed over")
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it("S34: the word ping is answered with pong", async () => {
    await using server = await startHub()
    const { client } = await server.connect()
    client.send("ping")
    expect(await client.next()).toBe("pong")
  })

  it("hears how the hub closes: 1001 to all", async () => {
    await using server = await startHub()
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(server.url)))
    await until(() => server.hub.size === 5, "five connections")
    await server.hub.close()
    for (const client of clients) expect(await client.closed()).toEqual({ code: 1001, reason: "" })
    expect(server.hub.size).toBe(0)
  })
})

describe("the other codecs", () => {
  it("text() carries strings as text frames, whatever is in them", async () => {
    await using server = await startHub({ codec: text() })
    server.hub.on("message", ({ data }) => server.hub.broadcast(data))
    const { client } = await server.connect()
    for (const message of [
      "",
      "ping",
      "plain",
      "ä€🦀",
      "x".repeat(125),
      "y".repeat(126),
      "z".repeat(70_000),
    ]) {
      client.send(message)
      expect(await client.next()).toBe(message)
    }
  })

  it("binary() carries bytes as binary frames, of any length", async () => {
    await using server = await startHub({ codec: binary() })
    server.hub.on("message", ({ data }) => server.hub.broadcast(data))
    const { client } = await server.connect()
    for (const length of [0, 1, 125, 126, 65_535, 65_536, 90_000]) {
      const bytes = Buffer.alloc(length, length % 251)
      client.send(bytes)
      expect(bytes.equals((await client.next()) as Buffer)).toBe(true)
    }
  })
})

describe("a ws server with permessage-deflate", () => {
  it("still lets the hub write frames of its own, and reads compressed ones", async () => {
    await using server = await startHub({ codec: text() }, { perMessageDeflate: { threshold: 0 } })
    server.hub.on("message", ({ data }) => server.hub.broadcast(data))
    const { client } = await server.connect({ perMessageDeflate: { threshold: 0 } })
    for (const message of ["hello", "x".repeat(50_000)]) {
      client.send(message)
      expect(await client.next()).toBe(message)
    }
  })
})
