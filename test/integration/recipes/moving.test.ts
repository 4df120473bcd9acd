import { setTimeout as wait } from "node:timers/promises"
import { createHub } from "holdfast"
import { attach } from "holdfast/server"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { runRecipe, serveRecipe } from "../../support/recipe.js"
import { startHttp } from "../../support/server-http.js"
import { connect } from "../../support/ws-server.js"

describe("recipes for moving", () => {
  it("from-socket-io: both listen on one port, and hear each other", async () => {
    const { url } = await serveRecipe("from-socket-io", {
      given: `
        import { Server } from "socket.io"
        const io = new Server()
        io.on("connection", (socket) => socket.join("lobby"))`,
    })
    const ada = await connect(url("/ws"))
    const bob = await connect(url("/ws"))
    // a client of socket.io, by hand: open, connect, and then events
    const old = await connect(url("/socket.io/?EIO=4&transport=websocket"))
    expect(await old.next()).toMatch(/^0\{/)
    old.send("40")
    expect(await old.next()).toMatch(/^40\{/)
    // socket.io closes what nobody has answered after a second
    await wait(1_200)
    ada.send('{"type":"say","text":"hi"}')
    expect(await bob.next()).toBe('{"type":"said","text":"hi"}')
    expect(await old.next()).toBe('42["said",{"text":"hi"}]')
    ada.send('{"type":"price","of":"apples","id":1}')
    expect(JSON.parse(String(await ada.next()))).toEqual({ type: "reply", id: 1, data: 6 })
  })

  it("from-a-ws-loop: everybody but the sender, and nonsense ends nothing", async () => {
    const { url, program } = await serveRecipe("from-a-ws-loop")
    const [ada, bob] = [await connect(url("/")), await connect(url("/"))]
    ada.send("{ nonsense")
    ada.send('{"text":"hi"}')
    expect(await bob.next()).toBe('{"text":"hi"}')
    bob.send('{"text":"hello"}')
    expect(await ada.next()).toBe('{"text":"hello"}')
    program.signal("SIGTERM")
    expect((await program.exited()).stderr).toContain("decode")
  })

  it("from-partysocket: a server for its addresses", async () => {
    const { url } = await serveRecipe("from-partysocket", {
      index: 2,
      given: `
        import { createServer } from "node:http"
        const http = createServer()
        const userOf = async (token) => token === "good" ? "ada" : undefined`,
      after: "http.listen(8080)",
    })
    const [ada, bob] = [
      await connect(url("/parties/chat/lobby?token=good")),
      await connect(url("/parties/chat/lobby?token=good")),
    ]
    const eve = await connect(url("/parties/chess/lobby?token=good"))
    await expect(connect(url("/parties/chat/lobby"))).rejects.toThrow("401")
    ada.send('{"text":"hi"}')
    expect(await bob.next()).toBe('{"text":"hi"}')
    expect([ada.waiting, eve.waiting]).toEqual([0, 0])
  })

  it("from-graphql-ws: subscriptions are made once, and again on the next connection", async () => {
    type Message = { type: string; id?: string; payload?: unknown }
    const heard: string[] = []
    const hub = createHub<Message, Message>()
    onTestFinished(() => hub.close())
    hub.on("message", ({ connection, data }) => {
      heard.push([data.type, data.id].filter(Boolean).join(" "))
      if (data.type === "connection_init") {
        // late, so that what is sent meanwhile has to wait
        setTimeout(() => connection.send({ type: "connection_ack" }), 100)
      }
      if (data.type !== "subscribe") return
      const { id = "" } = data
      connection.send({ type: "next", id, payload: { data: { turn: heard.length } } })
      if (heard.includes("again")) connection.send({ type: "complete", id })
      else if (id === "2") {
        heard.push("again")
        setTimeout(() => connection.terminate(), 50)
      }
    })
    const server = await startHttp()
    attach(server.server, hub, { protocols: ["graphql-transport-ws"] })
    const program = await runRecipe("from-graphql-ws", {
      replace: ["heartbeat:", "backoff: { initialMs: 100 }, heartbeat:"], // tests have less patience
      after: `
        const { client, subscribe } = subscriptions("${server.url}", async () => ({ token: "good" }))
        const sink = (name: string, end: () => void) => ({
          next: ({ data }) => console.log(name, JSON.stringify(data)),
          error: (errors) => console.log(name, errors),
          complete: () => { console.log(name, "complete"); end() },
        })
        await Promise.all([
          new Promise<void>((end) => subscribe("subscription { one }", {}, sink("one", end))),
          client.opened.then(() => new Promise<void>((end) => subscribe("subscription { two }", {}, sink("two", end)))),
        ])
        await client.close()`,
    })
    const { code, stdout, stderr } = await program.exited(20_000)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const both = ["subscribe 1", "subscribe 2"]
    expect(heard).toEqual(["connection_init", ...both, "again", "connection_init", ...both])
    expect(stdout.trim().split("\n")).toEqual([
      'one {"turn":2}',
      'two {"turn":3}',
      'one {"turn":6}',
      "one complete",
      'two {"turn":7}',
      "two complete",
    ])
  })

  it("websocket-libraries: one connection at a time, and none that nobody has", async () => {
    type Message = { type: string; id?: string; payload?: unknown }
    let count = 0
    let most = 0
    const hub = createHub<Message, Message>()
    onTestFinished(() => hub.close())
    hub.on("connection", () => {
      count += 1
      most = Math.max(most, hub.size)
    })
    hub.on("message", ({ connection, data }) => {
      if (data.type === "connection_init") connection.send({ type: "connection_ack" })
      if (data.type !== "subscribe") return
      const { id = "" } = data
      connection.send({ type: "next", id, payload: { data: { turn: count } } })
      // the line breaks twice, and the third connection stays
      if (count < 3) setTimeout(() => connection.terminate(), 50)
    })
    const server = await startHttp()
    attach(server.server, hub, { protocols: ["graphql-transport-ws"] })
    const program = await runRecipe("websocket-libraries", {
      index: 1,
      given: `const url = "${server.url}"`,
      replace: ["retryAttempts: 100", "retryAttempts: 100, retryWait: async () => {}"], // tests have less patience
      after: `
        await new Promise<void>((resolve, error) => {
          const next = ({ data }) => {
            console.log(JSON.stringify(data))
            if (data.turn === 3) resolve()
          }
          client.subscribe({ query: "subscription { one }" }, { next, error, complete() {} })
        })
        await client.dispose()`,
    })
    const { code, stdout, stderr } = await program.exited(20_000)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout.trim().split("\n")).toEqual(['{"turn":1}', '{"turn":2}', '{"turn":3}'])
    await vi.waitFor(() => expect(hub.size).toBe(0), 10_000)
    expect({ count, most }).toEqual({ count: 3, most: 1 })
  })
})
