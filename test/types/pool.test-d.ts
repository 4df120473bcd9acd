import {
  binary,
  type CloseInfo,
  type Connection,
  ConnectionPool,
  dial,
  type ErrorEvent,
  json,
  Lease,
  type PoolClose,
  type SendResult,
  text,
} from "holdfast"
import { describe, expectTypeOf, it } from "vitest"
import type { WebSocket as NodeWebSocket } from "ws"

type Incoming = { type: "answer"; text: string }
type Outgoing = { type: "question"; text: string }

const URL_TEXT = "ws://localhost/"
const pool = new ConnectionPool<Incoming, Outgoing, { user: string }>(URL_TEXT)

describe("a pool", () => {
  it("C40 lends connections of its types", async () => {
    const lease = await pool.acquire()
    expectTypeOf(lease).toEqualTypeOf<Lease<Incoming, Outgoing, { user: string }>>()
    expectTypeOf(lease).toExtend<Connection<Incoming, Outgoing, { user: string }>>()
    expectTypeOf(lease).toExtend<Disposable & AsyncDisposable>()
    expectTypeOf(lease.data.user).toBeString()
    expectTypeOf(lease.send({ type: "question", text: "?" })).toEqualTypeOf<SendResult>()
    expectTypeOf(lease.release()).toBeVoid()
    expectTypeOf(lease.isReleased).toBeBoolean()
    lease.on("message", ({ data }) => expectTypeOf(data).toEqualTypeOf<Incoming>())
    for await (const message of lease) expectTypeOf(message).toEqualTypeOf<Incoming>()
    // @ts-expect-error a server's message
    lease.send({ type: "answer", text: "!" })
    // @ts-expect-error the other direction
    lease.on("message", ({ data }: { data: Outgoing }) => data)
  })

  it("C40 lends to whom a plain connection will do", async () => {
    const ask = (connection: Connection<Incoming, Outgoing>) =>
      connection.send({ type: "question", text: "?" })
    expectTypeOf(ask).toBeCallableWith(await new ConnectionPool<Incoming, Outgoing>(URL_TEXT).acquire())
  })

  it("C40 returns what the work returns", () => {
    expectTypeOf(pool.use((lease) => lease.id)).resolves.toBeString()
    expectTypeOf(pool.use(async (lease) => lease.data)).resolves.toEqualTypeOf<{ user: string }>()
    expectTypeOf(pool.use(() => {}, { timeoutMs: false })).resolves.toBeVoid()
  })

  it("C40 tells what it does, with types", () => {
    pool.on("open", ({ id }) => expectTypeOf(id).toBeString())
    pool.on("close", (close) => {
      expectTypeOf(close).toEqualTypeOf<PoolClose>()
      expectTypeOf(close).toExtend<CloseInfo>()
    })
    pool.on("error", (event) => expectTypeOf(event).toEqualTypeOf<ErrorEvent>())
    expectTypeOf([pool.size, pool.idle, pool.leased, pool.waiting]).toEqualTypeOf<number[]>()
    expectTypeOf(pool.close({ graceMs: 1 })).resolves.toBeVoid()
    expectTypeOf(pool).toExtend<AsyncDisposable>()
    // @ts-expect-error no such event
    pool.on("acquire", () => {})
    // @ts-expect-error its own affair
    pool.size = 1
  })

  it("C40 has messages of its codec's types", () => {
    expectTypeOf(new ConnectionPool(URL_TEXT, { codec: text() })).toEqualTypeOf<
      ConnectionPool<string, string>
    >()
    expectTypeOf(new ConnectionPool(URL_TEXT, { codec: binary() })).toEqualTypeOf<
      ConnectionPool<Uint8Array, Uint8Array>
    >()
    // @ts-expect-error a codec of other messages
    new ConnectionPool<Incoming, Outgoing>(URL_TEXT, { codec: text() })
    // @ts-expect-error the two directions are not the same
    new ConnectionPool<Incoming, Outgoing>(URL_TEXT, { codec: json<Outgoing, Incoming>() })
  })

  it("C40 checks its options", () => {
    new ConnectionPool<Incoming, Outgoing, { user: string }>(
      async ({ attempt, signal }) => {
        expectTypeOf(attempt).toBeNumber()
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
        return new URL(URL_TEXT)
      },
      {
        max: 3,
        idleTimeoutMs: false,
        acquireTimeoutMs: false,
        maxAgeMs: undefined,
        heartbeat: false,
        idleMessages: "evict",
        WebSocket: {} as typeof NodeWebSocket,
        node: { headers: async () => ({ authorization: "Bearer" }), perMessageDeflate: false },
        onOpen: async (connection) => {
          connection.data = { user: "ada" }
          connection.send({ type: "question", text: "may I?" })
        },
        validate: async (connection) => connection.data.user !== "",
      },
    )
    // @ts-expect-error times have units
    new ConnectionPool(URL_TEXT, { idleTimeout: 1 })
    // @ts-expect-error off is false
    new ConnectionPool(URL_TEXT, { idleTimeoutMs: null })
    // @ts-expect-error an acquire has a signal, a pool has none
    new ConnectionPool(URL_TEXT, { signal: AbortSignal.abort() })
    // @ts-expect-error yes or no
    new ConnectionPool(URL_TEXT, { validate: () => "yes" })
    // @ts-expect-error it has to be given
    new ConnectionPool()
    // @ts-expect-error only a pool makes one
    new Lease()
  })
})

describe("dial", () => {
  it("C40 promises a connection of its types", () => {
    expectTypeOf(dial<Incoming, Outgoing>(URL_TEXT)).resolves.toEqualTypeOf<Connection<Incoming, Outgoing>>()
    expectTypeOf(dial(URL_TEXT, { codec: text(), signal: AbortSignal.timeout(1) })).resolves.toEqualTypeOf<
      Connection<string, string>
    >()
    // @ts-expect-error no address
    dial(80)
    // @ts-expect-error it dials once
    dial(URL_TEXT, { backoff: {} })
  })
})
