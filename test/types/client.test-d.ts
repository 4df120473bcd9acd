import {
  binary,
  type ClientEnd,
  type ClientSendResult,
  type ClientState,
  json,
  ReconnectingClient,
  type StateChange,
  text,
} from "holdfast"
import { describe, expectTypeOf, it } from "vitest"
import type { WebSocket as NodeWebSocket } from "ws"

type Incoming = { type: "say"; text: string }
type Outgoing = { type: "said"; text: string }

const client = new ReconnectingClient<Incoming, Outgoing>("ws://localhost/")

describe("a reconnecting client", () => {
  it("C37 sends Outgoing and nothing else", () => {
    expectTypeOf(client.send({ type: "said", text: "hello" })).toEqualTypeOf<ClientSendResult>()
    client.send(
      { type: "said", text: "" },
      { volatile: true, ttlMs: 1, key: "k", signal: AbortSignal.abort() },
    )
    expectTypeOf(client.drainQueue()).toEqualTypeOf<Outgoing[]>()
    // @ts-expect-error a server's message
    client.send({ type: "say", text: "hello" })
    // @ts-expect-error the text is missing
    client.send({ type: "said" })
    // @ts-expect-error times have units
    client.send({ type: "said", text: "hello" }, { ttl: 1 })
  })

  it("C37 receives Incoming, as events and in a loop", async () => {
    client.on("message", ({ data }) => expectTypeOf(data).toEqualTypeOf<Incoming>())
    for await (const message of client) expectTypeOf(message).toEqualTypeOf<Incoming>()
    for await (const message of client.iterate({ maxMessages: 1 })) {
      expectTypeOf(message).toEqualTypeOf<Incoming>()
    }
    // @ts-expect-error Outgoing does not come in
    client.on("message", ({ data }: { data: Outgoing }) => data)
  })

  it("C37 tells what it did, with types", () => {
    client.on("state", (change) => expectTypeOf(change).toEqualTypeOf<StateChange>())
    client.on("end", (end) => expectTypeOf(end).toEqualTypeOf<ClientEnd>())
    client.on("dropped", ({ message }) => expectTypeOf(message).toEqualTypeOf<Outgoing>())
    client.on("pong", ({ rttMs }) => expectTypeOf(rttMs).toBeNumber())
    expectTypeOf(client.on("state", () => {})).toEqualTypeOf<() => void>()
    expectTypeOf(client.state).toEqualTypeOf<ClientState>()
    expectTypeOf(client.retryAt).toEqualTypeOf<number | undefined>()
    expectTypeOf(client.opened).resolves.toBeVoid()
    expectTypeOf(client.closed).resolves.toEqualTypeOf<ClientEnd>()
    expectTypeOf(client.close(4_000, "done")).resolves.toEqualTypeOf<ClientEnd>()
    // @ts-expect-error no such event
    client.on("open", () => {})
    // @ts-expect-error codes are numbers
    client.close("1000")
    // @ts-expect-error where it stands is its own affair
    client.state = "open"
  })

  it("C37 has messages of its codec's types", () => {
    expectTypeOf(new ReconnectingClient("ws://localhost/", { codec: text() })).toEqualTypeOf<
      ReconnectingClient<string, string>
    >()
    expectTypeOf(new ReconnectingClient("ws://localhost/", { codec: binary() })).toEqualTypeOf<
      ReconnectingClient<Uint8Array, Uint8Array>
    >()
    expectTypeOf(
      new ReconnectingClient("ws://localhost/", { codec: json<Incoming, Outgoing>() }),
    ).toEqualTypeOf<ReconnectingClient<Incoming, Outgoing>>()
    expectTypeOf(new ReconnectingClient("ws://localhost/")).toEqualTypeOf<
      ReconnectingClient<unknown, unknown>
    >()
    // @ts-expect-error a codec of other messages
    new ReconnectingClient<Incoming, Outgoing>("ws://localhost/", { codec: text() })
    // @ts-expect-error the two directions are not the same
    new ReconnectingClient<Incoming, Outgoing>("ws://localhost/", { codec: json<Outgoing, Incoming>() })
  })

  it("C37 takes an address, or asks for it", () => {
    new ReconnectingClient(new URL("ws://localhost/"))
    new ReconnectingClient(({ attempt, lastClose, signal }) => {
      expectTypeOf(attempt).toBeNumber()
      expectTypeOf(lastClose?.code).toEqualTypeOf<number | undefined>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      return "ws://localhost/"
    })
    new ReconnectingClient(async () => new URL("ws://localhost/"))
    // @ts-expect-error no address
    new ReconnectingClient(80)
    // @ts-expect-error nor is this function's
    new ReconnectingClient(() => 80)
    // @ts-expect-error it has to be given
    new ReconnectingClient()
  })

  it("C37 checks its options", () => {
    new ReconnectingClient<Incoming, Outgoing>("ws://localhost/", {
      heartbeat: false,
      maxRetries: false,
      logger: false,
      WebSocket: {} as typeof WebSocket,
      protocols: async () => ["v1", "v2"],
      closeCodes: { 4000: "never" },
      shouldReconnect: ({ code }) => (code === 1000 ? { delayMs: 1 } : undefined),
      onOpen: async ({ sendNow, isReconnect, protocol }) => {
        expectTypeOf(isReconnect).toBeBoolean()
        expectTypeOf(protocol).toBeString()
        sendNow({ type: "said", text: "login" })
        // @ts-expect-error a server's message
        sendNow({ type: "say", text: "login" })
      },
    })
    new ReconnectingClient("ws://localhost/", { WebSocket: {} as typeof NodeWebSocket })
    // @ts-expect-error no such policy
    new ReconnectingClient("ws://localhost/", { queue: { overflow: "block" } })
    // @ts-expect-error no such advice
    new ReconnectingClient("ws://localhost/", { closeCodes: { 4000: "maybe" } })
    // @ts-expect-error times have units
    new ReconnectingClient("ws://localhost/", { connectTimeout: 1 })
    // @ts-expect-error true says nothing
    new ReconnectingClient("ws://localhost/", { heartbeat: true })
    // @ts-expect-error a decision is no word
    new ReconnectingClient("ws://localhost/", { shouldReconnect: () => "yes" })
  })
})
