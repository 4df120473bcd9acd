import { type CloseInfo, Connection, json, type SendResult, type SocketLike, text } from "holdfast"
import { socketPair } from "holdfast/testing"
import { describe, expectTypeOf, it } from "vitest"
import type { WebSocket as NodeWebSocket } from "ws"

type Incoming = { type: "say"; text: string }
type Outgoing = { type: "said"; text: string }

const [socket] = socketPair()
const connection = new Connection<Incoming, Outgoing, { name: string }>(socket, { data: { name: "Ada" } })

describe("a connection", () => {
  it("wraps a ws socket, a browser's WebSocket and a socket in memory, as they are", () => {
    expectTypeOf<NodeWebSocket>().toExtend<SocketLike>()
    expectTypeOf<WebSocket>().toExtend<SocketLike>()
    expectTypeOf(socket).toExtend<SocketLike>()
    // @ts-expect-error an address is no socket
    new Connection("ws://localhost")
  })

  it("sends Outgoing and nothing else", () => {
    expectTypeOf(connection.send({ type: "said", text: "hello" }, { key: "k" })).toEqualTypeOf<SendResult>()
    expectTypeOf(connection.sendAsync({ type: "said", text: "hello" }, { timeoutMs: 1 })).resolves.toBeVoid()
    // @ts-expect-error a client's message
    connection.send({ type: "say", text: "hello" })
    // @ts-expect-error the text is missing
    connection.sendAsync({ type: "said" })
  })

  it("receives Incoming, as events and in a loop", async () => {
    connection.on("message", ({ data }) => expectTypeOf(data).toEqualTypeOf<Incoming>())
    for await (const message of connection) expectTypeOf(message).toEqualTypeOf<Incoming>()
    for await (const message of connection.iterate({ maxMessages: 1 })) {
      expectTypeOf(message).toEqualTypeOf<Incoming>()
    }
    // @ts-expect-error Outgoing does not come in
    connection.on("message", ({ data }: { data: Outgoing }) => data)
  })

  it("has data of the application's own type, to change at will", () => {
    expectTypeOf(connection.data).toEqualTypeOf<{ name: string }>()
    connection.data.name = "Eve"
    // @ts-expect-error of that type only
    connection.data = { nick: "Eve" }
    // @ts-expect-error and the id stays
    connection.id = "other"
  })

  it("has messages of its codec's types", () => {
    expectTypeOf(new Connection(socket, {}, { codec: text() })).toEqualTypeOf<
      Connection<string, string, unknown>
    >()
    expectTypeOf(new Connection(socket, {}, { codec: json<Incoming, Outgoing>() })).toEqualTypeOf<
      Connection<Incoming, Outgoing, unknown>
    >()
    // @ts-expect-error a codec of other messages
    new Connection<Incoming, Outgoing>(socket, {}, { codec: text() })
  })

  it("tells how it ended", () => {
    expectTypeOf(connection.closed).resolves.toEqualTypeOf<CloseInfo>()
    expectTypeOf(connection.close(4000, "done")).resolves.toEqualTypeOf<CloseInfo>()
    connection.on("close", ({ code, reason, cause, unsent }) => {
      expectTypeOf(code).toBeNumber()
      expectTypeOf(reason).toBeString()
      expectTypeOf(cause).toEqualTypeOf<CloseInfo["cause"]>()
      expectTypeOf(unsent.count).toBeNumber()
    })
    expectTypeOf(connection.state).toEqualTypeOf<"open" | "closing" | "closed">()
    // @ts-expect-error codes are numbers
    connection.close("1000")
  })

  it("knows no rooms: those are a hub's", () => {
    // @ts-expect-error only hub.add makes one that can join
    connection.join("r")
  })
})
