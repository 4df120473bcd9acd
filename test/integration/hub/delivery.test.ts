import { text } from "holdfast"
import { describe, expect, it } from "vitest"
import { until } from "../../support/deadline.js"
import { type Pair as AnyPair, type HubServer, startHub } from "../../support/hub-server.js"

type Pair = AnyPair<string, string, unknown>

async function connectOneByOne(server: HubServer<string, string, unknown>, count: number): Promise<Pair[]> {
  const pairs: Pair[] = []
  while (pairs.length < count) pairs.push(await server.connect())
  return pairs
}

describe("S10, S11: over real sockets", () => {
  it("one broadcast to 100 clients is one frame, and a burst one write each", async () => {
    await using server = await startHub({ codec: text() })
    const pairs = await connectOneByOne(server, 100)
    expect(server.hub.broadcast("hello")).toEqual({ matched: 100, sent: 100, queued: 0, dropped: 0 })
    for (const { client } of pairs) expect(await client.next()).toBe("hello")
    expect(server.hub.framesEncoded).toBe(1)
    const burst = Array.from({ length: 50 }, (_, i) => `message ${i}`)
    for (const message of burst) server.hub.broadcast(message)
    for (const { client } of pairs) expect(await client.take(50)).toEqual(burst)
    expect(server.hub.framesEncoded).toBe(51)
  })
})

describe("S15: over real sockets", () => {
  it("the order of calls is the order of arrival, across every way of sending", async () => {
    await using server = await startHub({ codec: text() })
    const { hub } = server
    const { client, connection } = await server.connect()
    await connection.join(["r1", "r2"])
    const ways = [
      (message: string) => connection.send(message),
      (message: string) => hub.send(connection.id, message),
      (message: string) => hub.to("r1").send(message),
      (message: string) => hub.to(["r1", "r2"]).send(message),
      (message: string) => hub.broadcast(message),
      (message: string) => hub.everybody.except("nobody").send(message),
    ]
    const sent: string[] = []
    for (let i = 0; i < 600; i += 1) {
      // now and then a message that takes many packets, and now and then a new turn of the event loop
      const message = `${i} `.repeat(i % 50 === 0 ? 20_000 : 1)
      sent.push(message)
      ways[i % ways.length]?.(message)
      if (i % 37 === 0) await connection.drained()
    }
    expect(await client.take(600)).toEqual(sent)
  })

  it("what is sent before a leave or a close in the same turn arrives", async () => {
    await using server = await startHub({ codec: text() })
    const { hub } = server
    const { client, connection } = await server.connect()
    await connection.join("r")
    hub.to("r").send("before the leave")
    connection.leave("r")
    hub.to("r").send("after the leave")
    hub.broadcast("before the close")
    await connection.close(4000, "done")
    expect(await client.take(2)).toEqual(["before the leave", "before the close"])
    expect(await client.closed()).toEqual({ code: 4000, reason: "done" })
    expect(client.waiting).toBe(0)
  })
})

describe("S60, S62: over real sockets", () => {
  it("connections that are reset, closed or ended leave their rooms", async () => {
    await using server = await startHub({ codec: text() })
    const { hub } = server
    const events: string[] = []
    hub.on("room-deleted", ({ room }) => events.push(room))
    const pairs = await connectOneByOne(server, 9)
    await Promise.all(pairs.map(({ connection }) => connection.join(["all", connection.id])))
    const ends = [
      ({ client }: Pair) => client.socket.terminate(),
      ({ client }: Pair) => client.socket.close(),
      ({ connection }: Pair) => void connection.close(),
    ]
    for (const [i, pair] of pairs.entries()) ends[i % ends.length]?.(pair)
    await until(() => hub.size === 0, "every connection to end")
    expect(hub.members("all").size).toBe(0)
    expect(events.sort()).toEqual(["all", ...pairs.map(({ connection }) => connection.id)].sort())
  })

  it("a selection closes all it means with one code, on both ends", async () => {
    await using server = await startHub({ codec: text() })
    const pairs = await connectOneByOne(server, 4)
    for (const { connection } of pairs.slice(1)) await connection.join("r")
    const { results, missing } = await server.hub.to("r").close(4403, "revoked")
    expect(missing).toEqual([])
    expect(results[0]?.value.map(({ code, cause }) => [code, cause])).toEqual(Array(3).fill([4403, "local"]))
    for (const { client } of pairs.slice(1)) {
      expect(await client.closed()).toEqual({ code: 4403, reason: "revoked" })
    }
    expect(server.hub.size).toBe(1)
  })
})

describe("S31: over real sockets", () => {
  it("a client that answers no ping is closed with cause heartbeat, and one that does is not", async () => {
    await using server = await startHub({ codec: text(), heartbeat: { intervalMs: 200, timeoutMs: 500 } })
    const causes: string[] = []
    server.hub.on("close", ({ connection, cause }) => causes.push(`${connection.id} ${cause}`))
    const alive = await server.connect()
    const dead = await server.connect({ autoPong: false })
    expect((await dead.client.closed()).code).toBe(1006)
    expect((await dead.connection.closed).cause).toBe("heartbeat")
    expect(causes).toEqual([`${dead.connection.id} heartbeat`])
    expect(alive.connection.state).toBe("open")
    expect(alive.connection.rttMs).toBeGreaterThan(0)
  })
})
