/**
 * What a hub does on a server, however the two were joined. Every way of joining them passes the same tests.
 */

import { createHub, type Hub, type HubConnection, text } from "holdfast"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { inTime, until } from "./deadline.js"
import { Mailbox } from "./mailbox.js"
import type { HttpTarget } from "./server-http.js"
import { RawClient, textFrame, upgradeRequest } from "./server-raw.js"
import { connect } from "./ws-server.js"

type StringHub = Hub<string, string>
type StringConnection = HubConnection<string, string>

/** Joins a hub to a running server: its root path takes WebSockets from then on. */
export type Join = (hub: StringHub, target: HttpTarget) => void

/** Runs the suite over one way of joining a hub to a server. */
export function describeServer(name: string, startTarget: () => Promise<HttpTarget>, join: Join): void {
  async function start() {
    const target = await startTarget()
    const hub = createHub<string, string>({ codec: text(), heartbeat: false, logger: false })
    onTestFinished(() => hub.close())
    const added = new Mailbox<StringConnection>("connection of the hub")
    hub.on("connection", ({ connection }) => added.put(connection))
    join(hub, target)
    const dial = () => connect(target.url, target.trust)
    /** A client with the connection that the hub has for it. */
    const pair = async () => ({ client: await dial(), connection: await added.next() })
    return { target, hub, added, pair }
  }

  describe(name, () => {
    it("S1: adds each connection with its address and an id of its own", async () => {
      const { hub, pair } = await start()
      const { connection: first } = await pair()
      const { connection: second } = await pair()
      expect(first.remoteAddress).toBe("127.0.0.1")
      expect(first.id).not.toBe(second.id)
      expect([...hub.connections.values()]).toEqual([first, second])
    })

    it("takes and sends messages in order", async () => {
      const { hub, pair } = await start()
      hub.on("message", ({ connection, data }) => void connection.send(`${data}!`))
      const { client } = await pair()
      const sent = Array.from({ length: 200 }, (_, index) => `${index}:${"x".repeat(index * 50)}`)
      for (const message of sent) client.send(message)
      expect(await client.take(200)).toEqual(sent.map((it) => `${it}!`))
    })

    it("S10: brings 1,000 broadcasts to every member of a room, complete and in order, each framed once", async () => {
      const { hub, pair } = await start()
      const pairs = [await pair(), await pair(), await pair()]
      for (const { connection } of pairs) await connection.join("lobby")
      const outsider = await pair()
      const sent = Array.from({ length: 1_000 }, (_, index) => `${index}:${"x".repeat(index)}`)
      for (const [index, message] of sent.entries()) {
        hub.to("lobby").send(message)
        if (index % 30 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      for (const { client } of pairs) expect(await client.take(1_000)).toEqual(sent)
      expect(hub.framesEncoded).toBe(1_000)
      expect(outsider.client.waiting).toBe(0)
    })

    it("S11: writes what one turn sends to a connection in one piece, to the stream the request came in on", async () => {
      const { target, hub, pair } = await start()
      const { client } = await pair()
      const [stream] = [...target.streams]
      const write = vi.spyOn(stream as NonNullable<typeof stream>, "write")
      for (let count = 0; count < 100; count += 1) hub.broadcast(`message ${count}`)
      expect((await client.take(100)).at(-1)).toBe("message 99")
      expect(write).toHaveBeenCalledTimes(1)
    })

    it("S5: keeps messages that come in one piece with the handshake until somebody listens", async () => {
      const { target, added } = await start()
      const raw = await RawClient.open(target)
      raw.socket.write(Buffer.concat([Buffer.from(upgradeRequest()), textFrame("early"), textFrame("bird")]))
      const connection = await added.next()
      await until(() => connection.messagesIn === 2, "both messages to be read")
      const messages = new Mailbox<string>("message")
      connection.on("message", ({ data }) => messages.put(data))
      expect(await messages.take(2)).toEqual(["early", "bird"])
    })

    it("S4: hears the client's close code, and the client the hub's", async () => {
      const { pair } = await start()
      const leaving = await pair()
      const staying = await pair()
      await leaving.client.close(4321, "good bye")
      const peer = { code: 4321, reason: "good bye", cause: "peer" }
      expect(await inTime(leaving.connection.closed, "the close")).toMatchObject(peer)
      const closed = staying.connection.close(4322, "go away")
      expect(await staying.client.closed()).toEqual({ code: 4322, reason: "go away" })
      expect(await inTime(closed, "the close")).toMatchObject({ code: 4322, cause: "local" })
    })

    it("S60: forgets a client that resets its connection, and holds no socket of it", async () => {
      const { target, hub, pair } = await start()
      const { client, connection } = await pair()
      await connection.join("lobby")
      client.socket.terminate()
      expect(await inTime(connection.closed, "the close")).toMatchObject({ code: 1006, cause: "peer" })
      expect(hub.size).toBe(0)
      expect(hub.members("lobby").size).toBe(0)
      await target.idle()
    })

    it("closes everybody with 1001 at its end and leaves the server running", async () => {
      const { target, hub, pair } = await start()
      const pairs = [await pair(), await pair()]
      await inTime(hub.close(), "the hub to close")
      for (const { client } of pairs) expect(await client.closed()).toMatchObject({ code: 1001 })
      await target.idle()
      expect(target.server.listening).toBe(true)
      const raw = await RawClient.open(target)
      raw.socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
      expect(await raw.ended()).toMatch(/^HTTP\/1.1 200 .*hello$/s)
    })
  })
}
