import { createHub, text } from "holdfast"
import { type AdmissionContext, attach } from "holdfast/server"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { WebSocketServer } from "ws"
import { until } from "../../support/deadline.js"
import { Mailbox } from "../../support/mailbox.js"
import { startAttached } from "../../support/server-attached.js"
import { type HttpTarget, startHttp } from "../../support/server-http.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

/** An `upgrade` listener that is none of ours: it greets on one path, and leaves every other alone. */
function listenElsewhere({ server }: HttpTarget, path: string): void {
  const wss = new WebSocketServer({ noServer: true })
  server.on("upgrade", (request, socket, head) => {
    if (request.url === path) wss.handleUpgrade(request, socket, head, (it) => it.send("from elsewhere"))
  })
}

describe("S48: several attachments on one server", () => {
  it("each take their own paths, with one upgrade listener between them", async () => {
    const target = await startHttp()
    const chat = await startAttached({ path: "/chat" }, { target })
    const news = await startAttached({ path: "/news/:topic" }, { target })
    expect(target.server.listenerCount("upgrade")).toBe(1)
    await connect(`${target.url}/chat`)
    await connect(`${target.url}/news/weather`)
    expect((await chat.added.next()).params).toEqual({})
    expect({ ...(await news.added.next()).params }).toEqual({ topic: "weather" })
    expect([chat.hub.size, news.hub.size]).toEqual([1, 1])
    expect(await refusedBy(`${target.url}/other`)).toMatchObject({ status: 404 })
  })

  it("give a path that both know to the first of them", async () => {
    const target = await startHttp()
    const first = await startAttached({ path: "/:anything" }, { target })
    const second = await startAttached({ path: "/chat" }, { target })
    await connect(`${target.url}/chat`)
    expect([first.hub.size, second.hub.size]).toEqual([1, 0])
  })

  it("may share a hub", async () => {
    const { server, url, hub } = await startAttached({ path: "/one" })
    attach(server, hub, { path: "/two" })
    const clients = [await connect(`${url}/one`), await connect(`${url}/two`)]
    expect(hub.broadcast("to both")).toMatchObject({ matched: 2 })
    for (const client of clients) expect(await client.next()).toBe("to both")
  })
})

describe("S48: other upgrade listeners on the server", () => {
  it.each(["before", "after"])("keep their paths when they were added %s the attachment", async (order) => {
    const target = await startHttp()
    if (order === "before") listenElsewhere(target, "/other")
    const { hub } = await startAttached({ path: "/ws" }, { target })
    if (order === "after") listenElsewhere(target, "/other")
    expect(await (await connect(`${target.url}/other`)).next()).toBe("from elsewhere")
    await connect(`${target.url}/ws`)
    expect(hub.size).toBe(1)
  })

  it("keep paths that would be malformed here", async () => {
    const target = await startHttp()
    const { hub } = await startAttached({ path: "/ws/:room/chat" }, { target })
    listenElsewhere(target, "/ws/%zz/other")
    expect(await (await connect(`${target.url}/ws/%zz/other`)).next()).toBe("from elsewhere")
    expect(hub.size).toBe(0)
  })

  it("are left to answer for paths that nobody knows", async () => {
    const target = await startHttp()
    const { refused } = await startAttached({ path: "/ws" }, { target })
    target.server.on("upgrade", (request, socket) => {
      if (request.url === "/unknown") socket.end("HTTP/1.1 418 I'm a Teapot\r\n\r\n")
    })
    const raw = await RawClient.open(target)
    raw.socket.write(upgradeRequest({ target: "/unknown" }))
    expect(await raw.ended()).toBe("HTTP/1.1 418 I'm a Teapot\r\n\r\n")
    expect(refused.size).toBe(0)
  })
})

describe("a closed attachment", () => {
  it("takes no more upgrades, and its connections stay", async () => {
    const { url, hub, attachment, server } = await startAttached({ path: "/ws" })
    const client = await connect(`${url}/ws`)
    attachment.close()
    attachment.close()
    expect(server.listenerCount("upgrade")).toBe(0)
    // nobody listens for upgrades any more: to Node it is a request like any other
    expect(await refusedBy(`${url}/ws`)).toMatchObject({ status: 200, body: "hello" })
    hub.broadcast("still here")
    expect(await client.next()).toBe("still here")
    expect(hub.size).toBe(1)
  })

  it("R2: refuses upgrades that authenticate still decides about, and tells it so", async () => {
    const asked = new Mailbox<AbortSignal>("question")
    const authenticate = (_request: unknown, { signal }: AdmissionContext) =>
      new Promise<undefined>(() => asked.put(signal))
    const { url, attachment, hub, refused, errors, idle } = await startAttached({ authenticate })
    const answers = [refusedBy(url), refusedBy(url)]
    const signals = await asked.take(2)
    attachment.close()
    for (const answer of answers) expect(await answer).toMatchObject({ status: 503 })
    for (const signal of signals) expect(signal.reason).toMatchObject({ name: "NoMoreUpgradesError" })
    expect(await refused.take(2)).toMatchObject([{ check: "closing" }, { check: "closing" }])
    await idle()
    expect([hub.size, errors.size]).toEqual([0, 0])
  })

  it("R2: lets nobody in whom authenticate lets in at the very moment", async () => {
    const asked = new Mailbox<() => void>("question")
    const authenticate = () => new Promise<undefined>((resolve) => asked.put(() => resolve(undefined)))
    const { url, attachment, hub } = await startAttached({ authenticate })
    const answer = refusedBy(url)
    const letIn = await asked.next()
    letIn()
    attachment.close()
    expect(await answer).toMatchObject({ status: 503 })
    expect(hub.size).toBe(0)
  })

  it("R2: ends sockets that were refused by a close code and linger", async () => {
    const clock = new VirtualClock()
    const server = await startAttached({ authenticate: () => ({ status: 401, closeCode: 4401 }), clock })
    const raw = await RawClient.open(server)
    raw.socket.write(upgradeRequest())
    await until(() => raw.received.endsWith("\x88\x02\x11\x31"), "the close frame")
    expect(server.streams.size).toBe(1)
    server.attachment.close()
    await raw.ended()
    await server.idle()
    expect(clock.pending).toBe(0)
  })

  it("leaves the others on its server alone", async () => {
    const target = await startHttp()
    const first = await startAttached({ path: "/first" }, { target })
    const second = await startAttached({ path: "/second" }, { target })
    first.attachment.close()
    expect(await refusedBy(`${target.url}/first`)).toMatchObject({ status: 404 })
    await connect(`${target.url}/second`)
    expect([first.hub.size, second.hub.size]).toEqual([0, 1])
  })

  it("can be followed by another on the same path", async () => {
    const { url, attachment, server } = await startAttached({ path: "/ws" })
    attachment.close()
    const hub = createHub({ codec: text(), heartbeat: false, logger: false })
    attach(server, hub, { path: "/ws" })
    await connect(`${url}/ws`)
    expect(hub.size).toBe(1)
  })
})
