import {
  type CloseEvent,
  type ErrorEvent,
  type Message,
  type Options,
  ReconnectingWebSocket,
} from "holdfast/compat"
import type { Options as PartyOptions } from "partysocket/ws"
import type { Options as PladariaOptions } from "reconnecting-websocket"
import { describe, expectTypeOf, it } from "vitest"
import { WebSocket as NodeWebSocket } from "ws"

const socket = new ReconnectingWebSocket("ws://far.example")

describe("C39 the types of a drop-in socket", () => {
  it("C39 fit where a platform's WebSocket is wanted", () => {
    const use = (given: WebSocket) => given.send("x")
    use(socket)
    socket.onclose = (event: globalThis.CloseEvent) => event.wasClean
    socket.onerror = (event: Event) => event.type
    socket.onmessage = (event: MessageEvent<string>) => event.data
    socket.addEventListener("close", (event: globalThis.CloseEvent) => event.code)
    socket.addEventListener("message", { handleEvent: (event: MessageEvent) => event.data })
    socket.removeEventListener("open", null)
  })

  it("C39 tell more of an error than the platform does", () => {
    socket.addEventListener("error", (event) => expectTypeOf(event).toEqualTypeOf<ErrorEvent>())
    socket.addEventListener("close", (event) => expectTypeOf(event).toEqualTypeOf<CloseEvent>())
    socket.addEventListener("other", (event) => expectTypeOf(event).toEqualTypeOf<Event>())
  })

  it("C39 have literal constants", () => {
    expectTypeOf(ReconnectingWebSocket.OPEN).toEqualTypeOf<1>()
    expectTypeOf(socket.CLOSED).toEqualTypeOf<3>()
    // @ts-expect-error a constant
    socket.OPEN = 2
    // @ts-expect-error the standard has two
    socket.binaryType = "nodebuffer"
  })

  it("C39 take urls and protocols as functions, sync or async", () => {
    new ReconnectingWebSocket(() => "ws://a")
    new ReconnectingWebSocket(
      async () => new URL("ws://a"),
      async () => null,
    )
    new ReconnectingWebSocket(new URL("ws://a"), null, { WebSocket: NodeWebSocket })
    new ReconnectingWebSocket("ws://a", ["a"], { WebSocket })
    // @ts-expect-error a number is no address
    new ReconnectingWebSocket(7)
  })

  it("C39 take the other libraries' options under the same names", () => {
    expectTypeOf<Exclude<keyof PladariaOptions, keyof Options>>().toBeNever()
    expectTypeOf<Exclude<keyof PartyOptions, keyof Options>>().toBeNever()
  })

  it("C39 send text, bytes and Blobs", () => {
    expectTypeOf(socket.send).parameters.toEqualTypeOf<[Message]>()
    for (const it of [
      "text",
      new ArrayBuffer(1),
      new Uint8Array(1),
      new DataView(new ArrayBuffer(1)),
      new Blob(),
    ]) {
      socket.send(it)
    }
    // @ts-expect-error an object is not sent as JSON
    socket.send({ type: "hello" })
  })
})
