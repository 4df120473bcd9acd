import {
  createRequests,
  createRouter,
  type HubConnection,
  json,
  jsonRpc,
  jsonRpcParseError,
  RequestError,
} from "holdfast"
import { describe, expect, it } from "vitest"
import { dial, RestartingServer } from "../../support/client-servers.js"
import { until } from "../../support/deadline.js"
import { startHub } from "../../support/hub-server.js"

type Message = { type: string } & Record<string, unknown>

describe("T5: requests over real sockets", () => {
  it("go both ways between a client and a hub, at the same time", async () => {
    await using server = await startHub<Message, Message>()
    const ofServer = createRequests()
    const routed = createRouter<Message, HubConnection<Message, Message>>()
      // asks back before it answers
      .answer("greet", async ({ peer }) => `hello ${await ofServer.request(peer, { type: "name" })}`)
    routed.mount(server.hub)
    const { client } = dial<Message, Message>(server.url, { codec: json() })
    createRouter<Message>()
      .answer("name", () => "Ada")
      .mount(client as never)
    const ofClient = createRequests()
    const greetings = await Promise.all([1, 2, 3].map(() => ofClient.request(client, { type: "greet" })))
    expect(greetings).toEqual(["hello Ada", "hello Ada", "hello Ada"])
    expect([ofServer.unmatched, ofClient.unmatched, client.state]).toEqual([0, 0, "open"])
  })

  it("are refused in words, time out, and are lost with the connection", async () => {
    await using server = await startHub<Message, Message>({ logger: false })
    createRouter<Message, HubConnection<Message, Message>>()
      .answer("refuse", () => {
        throw new RequestError("NOT_FOUND", "there is none", { data: { key: 7 } })
      })
      .answer("never", () => new Promise(() => {}))
      .mount(server.hub)
    const { client } = dial<Message, Message>(server.url, { codec: json() })
    const requests = createRequests()
    await expect(requests.request(client, { type: "refuse" })).rejects.toMatchObject({
      code: "REQUEST_FAILED",
      reason: "NOT_FOUND",
      message: "there is none",
      data: { key: 7 },
    })
    await expect(requests.request(client, { type: "unknown" })).rejects.toMatchObject({
      reason: "UNKNOWN_TYPE",
    })
    await expect(requests.request(client, { type: "never" }, { timeoutMs: 30 })).rejects.toMatchObject({
      code: "REQUEST_TIMEOUT",
    })
    const lost = requests.request(client, { type: "never" })
    for (const connection of server.hub.connections.values()) connection.terminate()
    await expect(lost).rejects.toMatchObject({ code: "CONNECTION_LOST" })
  })

  it("wait for a server that is down, and idempotent ones for the next when it dies", async () => {
    const server = await RestartingServer.find()
    const answers: unknown[] = []
    let isDying = true
    server.onConnection = (socket) => {
      socket.on("message", (data) => {
        const { id, type } = JSON.parse(String(data))
        answers.push(type)
        if (isDying) void server.stop()
        else socket.send(JSON.stringify({ type: "reply", id, data: `${type}!` }))
      })
    }
    const { client } = dial<Message, Message>(server.url, { codec: json() })
    const requests = createRequests()
    const [once, again] = [
      requests.request(client, { type: "once" }).catch((error: { code: string }) => error.code),
      requests.request(client, { type: "again" }, { idempotent: true }),
    ]
    await until(() => client.state === "waiting", "the first attempt to fail")
    await server.start()
    expect(await once).toBe("CONNECTION_LOST")
    isDying = false
    await server.start()
    expect(await again).toBe("again!")
    expect(answers.filter((it) => it === "once")).toEqual(["once"])
  })

  it("of JSON-RPC work between a hub and a client that knows nothing but the specification", async () => {
    await using server = await startHub<unknown, unknown>({ onDecodeError: jsonRpcParseError })
    createRouter<unknown, HubConnection, Record<string, unknown>, "method">({ framing: jsonRpc() })
      .answer("subtract", ({ message: { params } }) => (params as number[]).reduce((a, b) => a - b))
      .mount(server.hub)
    const { client, connection } = await server.connect()
    client.send('{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":1}')
    expect(JSON.parse(String(await client.next()))).toEqual({ jsonrpc: "2.0", result: 19, id: 1 })
    client.send("{")
    expect(JSON.parse(String(await client.next()))).toMatchObject({ error: { code: -32700 }, id: null })
    const requests = createRequests<{ "window/ask": string }, "method">({ framing: jsonRpc() })
    const answer = requests.request(connection, { method: "window/ask", params: { text: "sure?" } })
    const asked = JSON.parse(String(await client.next()))
    expect(asked).toEqual({ jsonrpc: "2.0", method: "window/ask", params: { text: "sure?" }, id: 1 })
    client.send(JSON.stringify({ jsonrpc: "2.0", result: "yes", id: asked.id }))
    expect(await answer).toBe("yes")
  })
})

describe("T6: requestAll over real sockets", () => {
  it("collects the answers of a room, and names who left and who is late", async () => {
    await using server = await startHub<Message, Message>()
    const requests = createRequests()
    server.hub.on("connection", ({ connection }) => void connection.join("lobby"))
    const { client: good } = dial<Message, Message>(server.url, { codec: json() })
    createRouter<Message>()
      .answer("vote", () => "yes")
      .mount(good as never)
    await until(() => server.hub.size === 1, "the first member")
    const leaver = await server.connect()
    const silent = await server.connect()
    const [first] = server.hub.connections.keys()
    const asked = requests.requestAll(server.hub.to("lobby"), { type: "vote" }, { timeoutMs: 300 })
    await leaver.client.next()
    leaver.client.close()
    const { replies, missing } = await asked
    expect(replies).toEqual([{ id: first, reply: "yes" }])
    expect(missing.map(({ id, error }) => [id, (error as { code: string }).code])).toEqual([
      [leaver.connection.id, "CONNECTION_LOST"],
      [silent.connection.id, "REQUEST_TIMEOUT"],
    ])
  })
})
