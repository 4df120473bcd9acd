/**
 * What a peer is answered that says something and goodbye in one breath: over TCP, in one piece, since a client library
 * would not show what came behind its close frame.
 */

import { createHub, createRouter, type Hub } from "holdfast"
import { attach } from "holdfast/server"
import { describe, expect, it } from "vitest"
import { WebSocketServer } from "ws"
import { Conversation } from "../../support/bad-input.js"
import { close, text } from "../../support/client-frames.js"
import { until } from "../../support/deadline.js"
import { type HttpTarget, startHttp } from "../../support/server-http.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"

type Message = { readonly type: string; readonly n: number }
type AnyHub = Hub<Message, Message>

/** Ways to answer each message with itself. */
const WAYS: Readonly<Record<string, (hub: AnyHub) => unknown>> = {
  "a handler": (hub) => hub.on("message", ({ connection, data }) => void connection.send(data)),
  "a broadcast": (hub) => hub.on("message", ({ data }) => void hub.broadcast(data)),
  "an async handler": (hub) =>
    hub.on("message", async ({ connection, data }) => {
      for (let i = 0; i < 10; i += 1) await null
      connection.send(data)
    }),
  "a loop": (hub) =>
    hub.on("connection", async ({ connection }) => {
      for await (const message of connection) connection.send(message)
    }),
  "a router with a middleware": (hub) =>
    createRouter<Message>()
      .use((_, next) => next())
      .otherwise(({ message, peer }) => peer.send(message as never))
      .mount(hub),
}

/** So many that some of them wait for handlers of others. */
const MESSAGES = Array.from({ length: 20 }, (_, n) => JSON.stringify({ type: "say", n }))
const FRAMES = Buffer.concat([...MESSAGES.map((it) => text(it)), close(4000, "bye")])

async function startHub(prepare: (hub: AnyHub) => unknown): Promise<HttpTarget> {
  const http = await startHttp()
  const hub: AnyHub = createHub({ heartbeat: false, logger: false })
  prepare(hub)
  attach(http.server, hub, { logger: false })
  return http
}

/** Everything the server says to somebody who leaves at once: the texts, and at last the close code. */
async function farewell(server: HttpTarget, isHalfClosed: boolean) {
  const raw = await RawClient.open(server, { allowHalfOpen: true })
  raw.socket.write(Buffer.concat([Buffer.from(upgradeRequest()), FRAMES]))
  if (isHalfClosed) raw.socket.end()
  const conversation = new Conversation(raw)
  await until(() => conversation.closeCode !== undefined || raw.socket.destroyed, "the answer to the close")
  raw.socket.end()
  await raw.ended()
  const frames = conversation.frames()
  return { texts: frames.slice(0, -1).map(({ payload }) => String(payload)), code: conversation.closeCode }
}

describe("S15: messages in one read with the close frame behind them", () => {
  describe.each([
    ["who waits for the close frame", false],
    ["who has ended its side", true],
  ])("are answered to one %s, before the close is", (_, isHalfClosed) => {
    it.each(Object.keys(WAYS))("by %s", async (way) => {
      const server = await startHub(WAYS[way] as (hub: AnyHub) => unknown)
      expect(await farewell(server, isHalfClosed)).toEqual({ texts: MESSAGES, code: 4000 })
    })
  })

  it("are answered as by bare ws, which answers them at once or not at all", async () => {
    const http = await startHttp()
    const wss = new WebSocketServer({ server: http.server })
    wss.on("connection", (socket) => {
      socket.on("message", (data) => socket.send(String(data)))
      socket.on("message", async () => {
        await null
        socket.send("later")
      })
    })
    expect(await farewell(http, false)).toEqual({ texts: MESSAGES, code: 4000 })
  })

  it("can still be answered with a close of one's own, which ends it at once", async () => {
    const server = await startHub((hub) =>
      hub.on("message", async ({ connection, data }) => {
        await null
        connection.send(data)
        void connection.close(4001)
      }),
    )
    expect(await farewell(server, false)).toEqual({ texts: MESSAGES.slice(0, 1), code: 4001 })
  })
})
