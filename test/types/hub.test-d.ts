import {
  type CloseInfo,
  type ClusterResult,
  createHub,
  type Hub,
  type HubConnection,
  type HubSendResult,
  json,
  type SendReport,
  text,
} from "holdfast"
import { assertType, describe, expectTypeOf, it } from "vitest"
import { type WebSocket, WebSocketServer } from "ws"

type Incoming = { type: "say"; text: string }
type Outgoing = { type: "said"; text: string }
interface User {
  readonly name: string
}

const hub = createHub<Incoming, Outgoing, User>()
declare const socket: WebSocket
declare const connection: HubConnection<Incoming, Outgoing, User>

describe("a hub's messages", () => {
  it("go out as Outgoing, by every way of sending", () => {
    const said: Outgoing = { type: "said", text: "hello" }
    expectTypeOf(hub.broadcast(said, { except: connection, key: "k" })).toEqualTypeOf<SendReport>()
    expectTypeOf(
      hub.to("r").to(["r2"]).except(["id", connection]).exceptRooms("r3").local.send(said),
    ).toEqualTypeOf<SendReport>()
    expectTypeOf(hub.user("ada").send(said, { key: "k" })).toEqualTypeOf<SendReport>()
    expectTypeOf(hub.to(connection.rooms).send(said)).toEqualTypeOf<SendReport>()
    expectTypeOf(hub.everybody.send(said)).toEqualTypeOf<SendReport>()
    expectTypeOf(hub.send("id", said)).toEqualTypeOf<HubSendResult>()
  })

  it("of another kind do not compile", () => {
    // @ts-expect-error a client's message is not the server's
    hub.broadcast({ type: "say", text: "hello" })
    // @ts-expect-error the text is missing
    hub.to("r").send({ type: "said" })
    // @ts-expect-error no strings without text()
    hub.send("id", "hello")
    // @ts-expect-error nor to users
    hub.user("ada").send(undefined)
  })

  it("come in as Incoming", () => {
    hub.on("message", ({ data, connection }) => {
      expectTypeOf(data).toEqualTypeOf<Incoming>()
      expectTypeOf(connection).toEqualTypeOf<HubConnection<Incoming, Outgoing, User>>()
      expectTypeOf(connection.data).toEqualTypeOf<User>()
    })
    // @ts-expect-error Outgoing does not come in
    hub.on("message", ({ data }: { data: Outgoing }) => data)
  })

  it("are unknown where nobody says what they are", () => {
    createHub().on("message", ({ data, connection }) => {
      expectTypeOf(data).toBeUnknown()
      expectTypeOf(connection.data).toBeUnknown()
    })
    assertType(createHub().broadcast({ anything: true }))
  })
})

describe("a hub's codec", () => {
  it("says what the messages are", () => {
    expectTypeOf(createHub({ codec: text() })).toEqualTypeOf<Hub<string, string, unknown>>()
    expectTypeOf(createHub({ codec: json<Incoming, Outgoing>() })).toEqualTypeOf<
      Hub<Incoming, Outgoing, unknown>
    >()
    createHub({
      codec: json<Incoming, Outgoing>(),
      onLag: ({ count }) => ({ type: "said", text: `${count} lost` }),
      onDecodeError: ({ preview }) => ({ type: "said", text: preview }),
    })
  })

  it("must fit them", () => {
    // @ts-expect-error text() carries strings
    createHub<Incoming, Outgoing>({ codec: text() })
    // @ts-expect-error a notice goes out, so it is an Outgoing
    createHub<Incoming, Outgoing>({ onLag: () => ({ type: "say", text: "" }) })
  })
})

describe("a hub's events", () => {
  it("have one payload object each", () => {
    hub.on("close", (event) => expectTypeOf(event).toExtend<CloseInfo & { connection: typeof connection }>())
    hub.on("lagged", ({ count, bytes }) => expectTypeOf([count, bytes]).toEqualTypeOf<number[]>())
    hub.on("room-created", ({ room }) => expectTypeOf(room).toBeString())
    hub.on("join", ({ room, connection }) => [room, connection.rooms])
    hub.on("gap", ({ channels }) => expectTypeOf(channels).toEqualTypeOf<readonly string[] | "all">())
    hub.on("error", ({ error, stage, connection }) => {
      expectTypeOf(error).toBeUnknown()
      expectTypeOf(stage).toBeString()
      expectTypeOf(connection).toEqualTypeOf<HubConnection<Incoming, Outgoing, User> | undefined>()
    })
  })

  it("are known by name, and on returns its undo", () => {
    expectTypeOf(hub.on("close", () => {})).toEqualTypeOf<() => void>()
    expectTypeOf(hub.once("message", async () => {})).toEqualTypeOf<() => void>()
    // @ts-expect-error there is no such event
    hub.on("connect", () => {})
    // @ts-expect-error a room that is created has no connection
    hub.on("room-created", ({ connection }) => connection)
    // @ts-expect-error only the hub emits
    hub.emit("close", {})
  })
})

describe("hub.add", () => {
  it("takes a ws socket and the request that came with it, as they are", () => {
    new WebSocketServer({ noServer: true }).on("connection", (socket, request) => {
      expectTypeOf(hub.add(socket, { request })).toEqualTypeOf<HubConnection<Incoming, Outgoing, User>>()
    })
    hub.add(socket, {
      id: "c1",
      data: { name: "Ada" },
      params: { room: "r" },
      userId: "ada",
      request: undefined,
    })
  })

  it("takes nothing else", () => {
    // @ts-expect-error data is a User
    hub.add(socket, { data: { nick: "Ada" } })
    // @ts-expect-error ids are strings
    hub.add(socket, { id: 7 })
    // @ts-expect-error no socket
    hub.add({})
    // @ts-expect-error no such option
    hub.add(socket, { requests: undefined })
  })
})

describe("a hub's options", () => {
  it("are off with false, and not given with undefined", () => {
    createHub({ heartbeat: false, logger: false, literalPing: false, adapter: undefined, codec: undefined })
    createHub({
      heartbeat: { intervalMs: 5_000 },
      overflow: "latest",
      flush: "immediate",
      maxBufferedBytes: 1,
    })
  })

  it("are known by name and type", () => {
    // @ts-expect-error off is false
    createHub({ heartbeat: null })
    // @ts-expect-error no such policy
    createHub({ overflow: "drop" })
    // @ts-expect-error milliseconds are numbers
    createHub({ heartbeat: { intervalMs: "5s" } })
    // @ts-expect-error no such option
    createHub({ hartbeat: false })
    // @ts-expect-error not every object is an adapter
    createHub({ adapter: {} })
  })
})

describe("what a hub shows", () => {
  it("can be read and not be changed", () => {
    expectTypeOf(hub.connections.get("id")).toEqualTypeOf<typeof connection | undefined>()
    expectTypeOf(hub.members("r")).toEqualTypeOf<ReadonlySet<typeof connection>>()
    // @ts-expect-error the hub alone adds and removes
    hub.connections.delete("id")
    // @ts-expect-error and so for rooms
    hub.members("r").clear()
    // @ts-expect-error join does it
    connection.rooms.add("r")
    // @ts-expect-error a count
    hub.size = 0
    // @ts-expect-error identity does not change
    connection.userId = "eve"
  })

  it("names the nodes that answered and those that did not", async () => {
    expectTypeOf(hub.count("r")).resolves.toEqualTypeOf<ClusterResult<number>>()
    expectTypeOf(hub.to("r").joinRoom("s")).resolves.toEqualTypeOf<ClusterResult<number>>()
    expectTypeOf(hub.to("r").close(4403)).resolves.toEqualTypeOf<ClusterResult<readonly CloseInfo[]>>()
    const { results, missing } = await hub.list("r")
    expectTypeOf(results[0]?.value[0]?.userId).toEqualTypeOf<string | undefined>()
    expectTypeOf(missing).toEqualTypeOf<readonly string[]>()
  })

  it("ends with await using", async () => {
    await using ended = createHub()
    expectTypeOf(ended).toExtend<AsyncDisposable>()
  })
})
