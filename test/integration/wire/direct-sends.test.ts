import { randomBytes } from "node:crypto"
import { once } from "node:events"
import type { IncomingMessage } from "node:http"
import { describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import type { Payload } from "../../../src/core/types.js"
import type { Codec } from "../../../src/wire/codec.js"
import { Connection } from "../../../src/wire/connection.js"
import type { ConnectionOptions } from "../../../src/wire/connection-options.js"
import type { SocketLike } from "../../../src/wire/socket.js"
import { guard } from "../../../src/wire/socket-guard.js"
import { inTime } from "../../support/deadline.js"
import { FrameParser, type ParsedFrame } from "../../support/frame-parser.js"
import { fc, runs } from "../../support/properties.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { turn } from "../../support/wire-server.js"
import { connect, startServer, type TestServer } from "../../support/ws-server.js"

/** Whatever is sent, as it is. */
const asIs: Codec<Payload, Payload> = { encode: (message) => message, decode: (data) => data }

/** Its sockets ask their owner first, as those of `attach` do. */
class GuardedWebSocket extends WebSocket {}
guard(GuardedWebSocket.prototype)

/** The kinds of server: which stream the connection has, and what the socket would do by itself. */
const SERVERS = [
  { kind: "with the stream", isRaw: true, deflate: false as const, hub: {} },
  {
    kind: "with the stream, of a class with a guard",
    isRaw: true,
    deflate: false as const,
    hub: {},
    WebSocket: GuardedWebSocket,
  },
  {
    kind: "without the stream, of a class with a guard",
    isRaw: false,
    deflate: false as const,
    hub: {},
    WebSocket: GuardedWebSocket,
  },
  {
    kind: "with the stream, compressing",
    isRaw: true,
    deflate: { serverNoContextTakeover: true },
    hub: { compression: "shared" as const },
  },
  {
    kind: "with the stream, where the socket would compress with context takeover",
    isRaw: true,
    deflate: { threshold: 0 },
    hub: {},
  },
  { kind: "without the stream", isRaw: false, deflate: false as const, hub: {} },
] as const

const size = fc.oneof(
  { weight: 5, arbitrary: fc.nat(300) },
  { weight: 2, arbitrary: fc.constantFrom(125, 126, 2_000, 65_536, 200_000) },
)

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("connection.send" as const), size }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("socket.send" as const), size, isText: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("blob" as const), size: fc.nat(50_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("fragment" as const), size, isLast: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "turn" as const,
        "drained" as const,
        "connection.ping" as const,
        "socket.ping" as const,
        "socket.pong" as const,
      ),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** As text in which a byte is a character: quick to compare. */
const shown = (type: string, payload: Uint8Array) => `${type} ${Buffer.from(payload).toString("latin1")}`

async function open(server: TestServer, options: (typeof SERVERS)[number]) {
  const raw = await RawClient.open(server)
  const headers = options.deflate ? { "Sec-WebSocket-Extensions": "permessage-deflate" } : {}
  raw.socket.write(upgradeRequest({ headers }))
  const { socket, request } = await server.accepted()
  const connection = new Connection<Payload, Payload>(
    socket,
    options.isRaw ? { stream: request.socket } : {},
    { codec: asIs, maxBufferedBytes: 64_000_000, logger: false, ...options.hub } as ConnectionOptions<
      Payload,
      Payload
    >,
  )
  return { raw, socket, connection }
}

describe.each(SERVERS)(
  "S15, S22: the bytes of a connection whose socket is used directly as well, $kind",
  (options) => {
    it("are whole frames in the order of the calls, whatever is sent in which way", async () => {
      const WebSocket = "WebSocket" in options ? options.WebSocket : undefined
      const server = await startServer({
        perMessageDeflate: options.deflate,
        ...(WebSocket && { WebSocket }),
      })
      const property = fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.constantFrom("connection.close" as const, "socket.close" as const),
        (steps, end) => play(server, steps, end),
      )
      await fc.assert(property, runs(50))
    })

    async function play(
      server: TestServer,
      steps: readonly Step[],
      end: "connection.close" | "socket.close",
    ) {
      const { raw, socket, connection } = await open(server, options)
      const sent: { type: string; parts: Buffer[] }[] = []
      const control = { ping: 0, pong: 0 }
      let [unfinished, callbacks, called] = [undefined as { type: string; parts: Buffer[] } | undefined, 0, 0]
      const callback = () => {
        called += 1
      }
      /** Within an unfinished message the socket takes whatever it is given for the next part of it. */
      const note = (payload: Buffer, type: string, isLast = true) => {
        if (unfinished) unfinished.parts.push(payload)
        else sent.push({ type, parts: [payload] })
        unfinished = isLast ? undefined : (unfinished ?? sent.at(-1))
      }
      const act = (it: Step, i: number) => {
        const bytes = Buffer.alloc("size" in it ? it.size : 0, `${i} `)
        if (it.do === "connection.send") {
          connection.send(i % 2 === 0 ? bytes : String(bytes))
          sent.push({ type: i % 2 === 0 ? "binary" : "text", parts: [bytes] })
        } else if (it.do === "socket.send") {
          callbacks += 1
          if (i % 3 === 0) socket.send(bytes, { binary: !it.isText, compress: true }, callback)
          else socket.send(it.isText ? String(bytes) : bytes, callback)
          note(bytes, it.isText ? "text" : "binary")
        } else if (it.do === "blob") {
          socket.send(new Blob([bytes]) as never)
          note(bytes, "binary")
        } else if (it.do === "fragment") {
          socket.send(bytes, { fin: it.isLast, binary: true })
          note(bytes, "binary", it.isLast)
        } else if (it.do === "connection.ping") connection.ping("p")
        else if (it.do === "socket.ping") socket.ping("p")
        else if (it.do === "socket.pong") socket.pong("p")
      }
      for (const [i, it] of steps.entries()) {
        if (it.do === "turn") await turn()
        else if (it.do === "drained") {
          // nothing of the connection's own leaves within an unfinished message
          if (!unfinished) await connection.drained()
        } else act(it, i)
        if (it.do.endsWith("ping")) control.ping += 1
        if (it.do.endsWith("pong")) control.pong += 1
      }
      if (unfinished) act({ do: "fragment", size: 10, isLast: true }, 0)
      if (end === "socket.close") socket.close(4000)
      else void connection.close(4000)
      expect(connection.send("too late")).toBe("closed")
      const bytes = () => Buffer.from(raw.received.slice(raw.received.indexOf("\r\n\r\n") + 4), "latin1")
      const isWhole = () =>
        bytes()
          .subarray(-4)
          .equals(Buffer.from([0x88, 2, 0x0f, 0xa0]))
      await raw.until(isWhole, "the close frame")
      raw.socket.destroy()
      await connection.closed
      const parser = new FrameParser({ mayFragment: true, ...(options.deflate && { windowBits: 15 }) })
      const frames = parser.push(bytes())
      const of = (...types: ParsedFrame["type"][]) => frames.filter((it) => types.includes(it.type))
      expect(of("text", "binary").map(({ type, payload }) => shown(type, payload))).toEqual(
        sent.map(({ type, parts }) => shown(type, Buffer.concat(parts))),
      )
      expect(parser.isAtBoundary).toBe(true)
      expect({ ping: of("ping").length, pong: of("pong").length }).toEqual(control)
      expect(frames.at(-1)?.type).toBe("close")
      expect(called).toBe(callbacks)
    }
  },
)

describe("a socket that a connection has taken over", () => {
  async function pair(options: ConnectionOptions<Payload, Payload> = {}, serverOptions = {}) {
    const server = await startServer(serverOptions)
    const client = await connect(server.url)
    const { socket, request } = await server.accepted()
    const wrap = () =>
      new Connection<Payload, Payload>(
        socket,
        { stream: request.socket },
        { codec: asIs, logger: false, ...options },
      )
    return { client, socket, request, wrap }
  }

  it("S15 sends what its own send is given behind what the connection was given, and counts it", async () => {
    const { client, socket, wrap } = await pair()
    const connection = wrap()
    connection.send("one")
    socket.send("two")
    connection.send("three")
    socket.send(4 as never)
    socket.send(Buffer.from("five"), { binary: false })
    socket.send(new Uint8Array([6]).buffer)
    socket.send(new DataView(new Uint8Array([0, 7, 0]).buffer, 1, 1))
    socket.send("eight", { binary: true })
    expect(await client.take(8)).toEqual([
      ...["one", "two", "three", "4", "five"],
      Buffer.of(6),
      Buffer.of(7),
      Buffer.from("eight"),
    ])
    expect(connection.messagesOut).toBe(8)
  })

  it("S20 holds its own send to the limits as well", async () => {
    const { client, socket, wrap } = await pair({ overflow: "drop-newest", maxBufferedBytes: 100_000 })
    const connection = wrap()
    client.socket.pause()
    const errors: unknown[] = []
    for (let i = 0; i < 500; i += 1) {
      socket.send(Buffer.alloc(50_000), (error) => error && errors.push(error))
      expect(connection.bufferedBytes).toBeLessThanOrEqual(100_000)
      await turn()
    }
    expect(errors.length).toBeGreaterThan(100)
    expect(errors[0]).toMatchObject({ code: "QUEUE_FULL" })
  })

  it("S13 compresses what its own send is given, once and as the connection does", async () => {
    const { client, socket, wrap } = await pair({ compression: "shared" }, { perMessageDeflate: true })
    const connection = wrap()
    socket.send("again and ".repeat(500))
    expect(await client.next()).toBe("again and ".repeat(500))
    expect(connection.bytesOut).toBeLessThan(100)
  })

  it("S15 sends what it was given before, compressed by itself, ahead of everything later", async () => {
    const { client, socket, wrap } = await pair({}, { perMessageDeflate: { threshold: 0 } })
    const early = randomBytes(100_000).toString("hex")
    socket.send(early)
    socket.send("early too")
    const connection = wrap()
    connection.send("late")
    await turn()
    connection.send("later")
    void connection.close(4000)
    expect(await client.take(4)).toEqual([early, "early too", "late", "later"])
    expect(await client.closed()).toMatchObject({ code: 4000 })
  })

  it("S15 closes behind what the connection was given, when its own close is called", async () => {
    const { client, socket, wrap } = await pair()
    const connection = wrap()
    connection.send("one")
    socket.close(4001, "bye")
    expect(connection.send("two")).toBe("closed")
    expect(await client.take(1)).toEqual(["one"])
    expect(await client.closed()).toEqual({ code: 4001, reason: "bye" })
    expect(await connection.closed).toMatchObject({ code: 4001, unsent: { count: 0 } })
  })

  it("S15 sends what gathered in the same turn before it answers a peer's close", async () => {
    const { client, socket, wrap } = await pair()
    const connection = wrap()
    socket.on("message", () => connection.send("answer"))
    client.send("question")
    client.socket.close(1000)
    expect(await client.next()).toBe("answer")
    expect(await connection.closed).toMatchObject({ code: 1000, cause: "peer", unsent: { count: 0 } })
  })

  it("holds back the connection's messages while one is sent in fragments, within the limits", async () => {
    const { client, socket, wrap } = await pair({ overflow: "drop-newest", maxBufferedBytes: 100 })
    const connection = wrap()
    socket.send("begin ", { fin: false })
    expect(connection.send("behind it")).toBe("queued")
    expect(connection.writable).toBe(false)
    expect(connection.send("x".repeat(100))).toBe("dropped")
    await turn(3)
    expect(client.waiting).toBe(0)
    socket.send("end", { fin: true })
    expect(await client.take(2)).toEqual(["begin end", "behind it"])
    expect(connection.writable).toBe(true)
  })

  it("gives up the connection's messages when it is closed within a message in fragments", async () => {
    const { client, socket, wrap } = await pair()
    const connection = wrap()
    socket.send("begin", { fin: false })
    connection.send("never")
    void connection.close(4000)
    expect(await client.closed()).toMatchObject({ code: 4000 })
    expect(await connection.closed).toMatchObject({ unsent: { count: 1, bytes: 7 } })
  })

  it("S15 sends an empty blob where it was sent, alone and within a message in fragments", async () => {
    const { client, socket, wrap } = await pair()
    const connection = wrap()
    socket.send(new Blob([]) as never)
    connection.send("one")
    socket.send("begin", { fin: false })
    connection.send("two")
    socket.send(new Blob([]) as never)
    connection.send("three")
    expect(await client.take(5)).toEqual([Buffer.alloc(0), "one", "begin", "two", "three"])
  })

  it.each([
    ["with the stream", (request: IncomingMessage) => ({ stream: request.socket })],
    ["without the stream", () => ({})],
  ])("S25 has room again once its own large messages have left, %s", async (_kind, partsOf) => {
    const { client, socket, request } = await pair()
    const connection = new Connection<Payload, Payload>(socket, partsOf(request), { codec: asIs })
    socket.send(new Blob([Buffer.alloc(300_000)]) as never)
    socket.send("begin", { fin: false })
    socket.send(Buffer.alloc(300_000), { fin: true })
    await inTime(connection.drained(), "room")
    expect(connection.writable).toBe(true)
    connection.send("later")
    expect((await client.take(3))[2]).toBe("later")
  })

  it("throws what it would throw, and everything goes on", async () => {
    const { client, socket, wrap } = await pair()
    const connection = wrap()
    connection.send("one")
    expect(() => socket.send({} as never)).toThrow(TypeError)
    expect(() => socket.send(Symbol("x") as never, { fin: false })).toThrow(TypeError)
    socket.send(undefined as never)
    connection.send("two")
    expect(await client.take(3)).toEqual(["one", Buffer.alloc(0), "two"])
  })

  it("has its own methods back when the connection has ended, and can tell that it is closed", async () => {
    const { client, socket, wrap } = await pair()
    const connection = wrap()
    expect(Object.keys(socket)).not.toContain("send")
    await client.close()
    await connection.closed
    expect([socket.send, socket.close]).toEqual([WebSocket.prototype.send, WebSocket.prototype.close])
    const [error] = await new Promise<unknown[]>((resolve) => socket.send("late", (...args) => resolve(args)))
    expect(error).toBeInstanceOf(Error)
  })

  it("is left as it was, but for a field, where its class has a guard", async () => {
    const { client, socket, wrap } = await pair({}, { WebSocket: GuardedWebSocket })
    const untouched = Object.getOwnPropertyNames(socket)
    const connection = wrap()
    expect(wrap).toThrow(/socket must be one that no other connection has taken over/)
    expect(Object.getOwnPropertyNames(socket)).toEqual(untouched)
    connection.send("one")
    socket.send("two")
    expect(await client.take(2)).toEqual(["one", "two"])
    await client.close()
    await connection.closed
    const [error] = await new Promise<unknown[]>((resolve) => socket.send("late", (...args) => resolve(args)))
    expect(error).toBeInstanceOf(Error)
    expect(socket).toBeInstanceOf(WebSocket)
  })

  it("cannot be taken over a second time", async () => {
    const { client, socket, wrap } = await pair()
    const connection = wrap()
    const listeners = socket.listenerCount("message")
    expect(wrap).toThrow(/socket must be one that no other connection has taken over/)
    expect(socket.listenerCount("message")).toBe(listeners)
    connection.send("still here")
    expect(await client.next()).toBe("still here")
  })

  it("may be one that cannot be changed", async () => {
    const { client, socket, request } = await pair()
    const facade: SocketLike = Object.freeze({
      get readyState() {
        return socket.readyState
      },
      get bufferedAmount() {
        return socket.bufferedAmount
      },
      send: socket.send.bind(socket),
      close: socket.close.bind(socket),
      terminate: socket.terminate.bind(socket),
      on: socket.on.bind(socket) as never,
      off: socket.off.bind(socket) as never,
    })
    const connection = new Connection<Payload, Payload>(facade, { stream: request.socket }, { codec: asIs })
    connection.send("hello")
    expect(await client.next()).toBe("hello")
    await connection.close(4000)
    expect(await client.closed()).toMatchObject({ code: 4000 })
  })

  it("may be a stream of bytes for the rest of Node", async () => {
    const { client, socket, wrap } = await pair()
    const connection = wrap()
    const { createWebSocketStream } = await import("ws")
    const stream = createWebSocketStream(socket)
    connection.send("first")
    stream.write("from the stream")
    connection.send("last")
    expect((await client.take(3)).map(String)).toEqual(["first", "from the stream", "last"])
    stream.end()
    await inTime(once(stream, "finish"), "the stream's end")
    await connection.closed
  })
})
