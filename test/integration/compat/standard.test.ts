/**
 * The drop-in socket beside a plain `WebSocket`, that of the `ws` package: as long as nothing goes wrong, or all of it
 * at once, an application cannot tell one from the other.
 */

import { ReconnectingWebSocket } from "holdfast/compat"
import { describe, expect, it, onTestFinished } from "vitest"
import { WebSocket as PlainWebSocket, type ServerOptions } from "ws"
import { until } from "../../support/deadline.js"
import { startServer } from "../../support/ws-server.js"

/** What an application does with either. */
type Either = Pick<
  WebSocket,
  "onopen" | "onmessage" | "onerror" | "onclose" | "readyState" | "url" | "protocol" | "extensions" | "send"
> & { binaryType: string; close(code?: number, reason?: string): void }

const MAKES: Record<string, (url: string, protocols?: string[]) => Either> = {
  plain: (url, protocols) => new PlainWebSocket(url, protocols) as unknown as Either,
  "drop-in": (url, protocols) => new ReconnectingWebSocket(url, protocols, { maxRetries: 0 }),
}

/** Talks with an echo server through one of them, and returns all that could be seen. */
async function conversation(make: string, options: ServerOptions, path = "/") {
  const { url, wss } = await startServer(options)
  const heard: string[] = []
  wss.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }))
    socket.on("close", (code, reason) => heard.push(`${code} ${reason}`))
  })
  const socket = MAKES[make]?.(url.replace("127.0.0.1", "LOCALHOST") + path, ["chat", "chat2"]) as Either
  onTestFinished(() => socket.close())
  socket.binaryType = "arraybuffer"
  const seen: unknown[] = [socket.readyState]
  const see = (event: Event, ...more: unknown[]) =>
    seen.push([event.type, event.target === (socket as unknown), socket.readyState, ...more])
  socket.onopen = (event) => {
    see(event, socket.protocol, socket.extensions, socket.url.replace(/\d+/, "port"))
    socket.send("text")
    socket.send(Uint8Array.of(1, 2))
  }
  socket.onmessage = (event) => {
    see(event, typeof event.data === "string" ? event.data : [...new Uint8Array(event.data)])
    if (typeof event.data !== "string") socket.close(3001, "thanks")
  }
  // at this moment `ws` says CLOSING, where the standard says CLOSED
  socket.onerror = ({ type }) => seen.push([type])
  socket.onclose = (event) => see(event, event.code, event.reason, event.wasClean)
  await until(() => seen.some((it) => Array.isArray(it) && it[0] === "close"), "the close")
  return { seen, heard }
}

describe("C39 beside a plain WebSocket", () => {
  it.each<[string, ServerOptions]>([
    ["a conversation", {}],
    ["compression", { perMessageDeflate: true }],
    ["a subprotocol of the server's choice", { handleProtocols: () => "chat2" }],
    ["a refusal", { verifyClient: () => false }],
  ])("C39 shows the same: %s", async (_what, options) => {
    const [plain, dropIn] = await Promise.all([
      conversation("plain", options),
      conversation("drop-in", options),
    ])
    expect(dropIn).toEqual(plain)
    expect(dropIn.seen.length).toBeGreaterThan(2)
  })

  it("C39 tells besides what it knows of a refusal", async () => {
    const { url } = await startServer({ verifyClient: (_info, answer) => answer(false, 401) })
    const socket = new ReconnectingWebSocket(url, [], { maxRetries: 0 })
    const errors: unknown[] = []
    socket.onerror = ({ error }) => void errors.push(error)
    await until(() => errors.length === 1, "the error")
    expect(errors[0]).toMatchObject({ code: "CONNECT_FAILED", status: 401 })
  })

  it("C39 takes a subclass of ws that adds headers, as the other libraries do", async () => {
    class WithHeaders extends PlainWebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols, { headers: { authorization: "Bearer 7" } })
      }
    }
    const { url, accepted } = await startServer()
    const socket = new ReconnectingWebSocket(url, [], { WebSocket: WithHeaders })
    onTestFinished(() => socket.close())
    expect((await accepted()).request.headers.authorization).toBe("Bearer 7")
  })
})
