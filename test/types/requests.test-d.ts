import {
  type Connection,
  createHub,
  createRequests,
  type Framing,
  type Gathered,
  jsonRpc,
  jsonRpcParseError,
  ReconnectingClient,
} from "holdfast"
import { describe, expectTypeOf, it } from "vitest"

type FromClient = { type: "get-user"; name: string } | { type: "count" } | { type: "say"; text: string }
type FromServer = { type: "confirm"; what: string } | { type: "said"; text: string }
interface User {
  readonly name: string
}
interface ServerReplies {
  "get-user": User
  count: number
}
interface ClientReplies {
  confirm: boolean
}

const client = new ReconnectingClient<FromServer, FromClient>("ws://x")
declare const connection: Connection<FromClient, FromServer>
const hub = createHub<FromClient, FromServer>()

describe("T10: a request", () => {
  const ofServer = createRequests<ServerReplies>()
  const ofClient = createRequests<ClientReplies>()

  it("resolves with the reply of its type, in both directions", () => {
    expectTypeOf(ofServer.request(client, { type: "get-user", name: "ada" })).resolves.toEqualTypeOf<User>()
    expectTypeOf(
      ofServer.request(client, { type: "count" }, { timeoutMs: 1, idempotent: true }),
    ).resolves.toEqualTypeOf<number>()
    expectTypeOf(
      ofClient.request(connection, { type: "confirm", what: "it" }),
    ).resolves.toEqualTypeOf<boolean>()
  })

  it("is a message that the peer takes and that has a reply", () => {
    // @ts-expect-error the name is missing
    ofServer.request(client, { type: "get-user" })
    // @ts-expect-error nothing answers it
    ofServer.request(client, { type: "say", text: "hello" })
    // @ts-expect-error the server's own message
    ofServer.request(client, { type: "confirm", what: "it" })
    // @ts-expect-error a client's message to a client
    ofClient.request(connection, { type: "count" })
    // @ts-expect-error a hub is many
    ofClient.request(hub, { type: "confirm", what: "it" })
    // @ts-expect-error there is no such option
    ofServer.request(client, { type: "count" }, { retries: 1 })
  })

  it("of nobody knows what is unknown", () => {
    const any = createRequests()
    expectTypeOf(any.request(client, { type: "count" })).resolves.toBeUnknown()
    expectTypeOf(
      any.request(new ReconnectingClient("ws://x"), { type: "anything", more: 1 }),
    ).resolves.toBeUnknown()
  })

  it("may go to many at once", () => {
    expectTypeOf(ofClient.requestAll(hub.to("room"), { type: "confirm", what: "it" })).resolves.toEqualTypeOf<
      Gathered<boolean>
    >()
    ofClient.requestAll(hub.everybody, { type: "confirm", what: "it" }, { timeoutMs: 5 })
    // @ts-expect-error nothing answers it
    ofClient.requestAll(hub.to("room"), { type: "said", text: "it" })
    // @ts-expect-error one is not many
    ofClient.requestAll(connection, { type: "confirm", what: "it" })
    // @ts-expect-error many connections cannot be waited for
    ofClient.requestAll(hub.to("room"), { type: "confirm", what: "it" }, { idempotent: true })
  })

  it("of JSON-RPC goes by its method", () => {
    const rpc = createRequests<{ subtract: number }, "method">({ framing: jsonRpc() })
    const caller = new ReconnectingClient("ws://x")
    expectTypeOf(
      rpc.request(caller, { method: "subtract", params: [42, 23] }),
    ).resolves.toEqualTypeOf<number>()
    expectTypeOf(jsonRpc()).toEqualTypeOf<Framing<"method">>()
    createHub({ onDecodeError: jsonRpcParseError })
    // @ts-expect-error no such method
    rpc.request(caller, { method: "add", params: [42, 23] })
    // @ts-expect-error the method is the key here
    createRequests<{ subtract: number }>({ framing: jsonRpc() })
  })
})

describe("T10: a selection's connections", () => {
  it("are the hub's own", () => {
    const typed = createHub<FromClient, FromServer, User>()
    expectTypeOf(typed.to("room").connections[0]?.data.name).toEqualTypeOf<string | undefined>()
    // @ts-expect-error a view
    typed.to("room").connections.push()
  })
})
