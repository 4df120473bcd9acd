import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { serve } from "@hono/node-server"
import express from "express"
import Fastify from "fastify"
import { createHub, text } from "holdfast"
import { type AttachOptions, attach } from "holdfast/server"
import { Hono } from "hono"
import { describe, expect, it, onTestFinished } from "vitest"
import { WebSocketServer } from "ws"
import { inTime } from "../../support/deadline.js"
import { request } from "../../support/http-request.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

/** Starts a framework with one route, `/hello`, and a 404 of its own for all others; returns its server. */
type Start = () => Promise<Server>

const startNode: Start = async () => {
  const http = createServer(({ url }, response) => {
    if (url === "/hello") response.end("hello")
    else response.writeHead(404).end("not mine")
  })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  return http
}

const startExpress: Start = async () => {
  const app = express()
  app.get("/hello", (_request, response) => void response.send("hello"))
  app.use((_request, response) => void response.status(404).send("not mine"))
  const http = app.listen(0, "127.0.0.1")
  await new Promise((resolve) => http.once("listening", resolve))
  return http
}

const startFastify: Start = async () => {
  const app = Fastify()
  app.get("/hello", async () => "hello")
  app.setNotFoundHandler(async (_request, reply) => reply.code(404).send("not mine"))
  await app.listen({ port: 0, host: "127.0.0.1" })
  return app.server
}

const startHono: Start = async () => {
  const app = new Hono()
  app.get("/hello", (context) => context.text("hello"))
  app.notFound((context) => context.text("not mine", 404))
  return new Promise((resolve) => {
    const http = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () => resolve(http as Server))
  })
}

async function startBeside(start: Start, options: AttachOptions = {}) {
  const http = await start()
  const hub = createHub<string, string>({ codec: text(), heartbeat: false, logger: false })
  hub.on("message", ({ connection, data }) => void connection.send(`${data}!`))
  const attachment = attach(http, hub, { path: "/ws/:room", ...options })
  onTestFinished(async () => {
    attachment.close()
    await hub.close()
    const closed = new Promise((resolve) => http.close(resolve))
    http.closeAllConnections()
    await inTime(closed, "the server to close")
  })
  const { port } = http.address() as AddressInfo
  return { http, hub, page: `http://127.0.0.1:${port}`, socket: `ws://127.0.0.1:${port}` }
}

describe.each([
  ["node:http", startNode],
  ["Express 5", startExpress],
  ["Fastify 5", startFastify],
  ["Hono", startHono],
])("S48: a hub beside %s", (_, start) => {
  it("has its own path, and leaves requests to the framework, whatever their path", async () => {
    const { hub, page, socket } = await startBeside(start)
    const client = await connect(`${socket}/ws/lobby?a=b`)
    client.send("one")
    expect(await client.next()).toBe("one!")
    expect([...hub.connections.values()].map(({ params }) => params.room)).toEqual(["lobby"])
    expect(await request(`${page}/hello`)).toEqual({ status: 200, body: "hello" })
    expect(await request(`${page}/ws/lobby`)).toEqual({ status: 404, body: "not mine" })
    client.send("two")
    expect(await client.next()).toBe("two!")
  })

  it("refuses paths that nobody knows, and logins of its own, while requests go on", async () => {
    const { hub, page, socket } = await startBeside(start, { authenticate: () => ({ status: 401 }) })
    expect((await refusedBy(`${socket}/hello`)).status).toBe(404)
    expect((await refusedBy(`${socket}/ws/lobby`)).status).toBe(401)
    expect(await request(`${page}/hello`)).toEqual({ status: 200, body: "hello" })
    expect(hub.size).toBe(0)
  })

  it("leaves other paths to other listeners of upgrades, whichever came first", async () => {
    const other = new WebSocketServer({ noServer: true })
    other.on("connection", (webSocket) => webSocket.on("message", (data) => webSocket.send(`other: ${data}`)))
    const { http, hub, socket } = await startBeside(async () => {
      const server = await start()
      listen(server, "/before")
      return server
    })
    listen(http, "/after")
    for (const path of ["/before", "/after"]) {
      const client = await connect(socket + path)
      client.send("hi")
      expect(await client.next()).toBe("other: hi")
    }
    const client = await connect(`${socket}/ws/lobby`)
    client.send("hi")
    expect(await client.next()).toBe("hi!")
    expect(hub.size).toBe(1)

    function listen(server: Server, path: string): void {
      server.on("upgrade", (incoming, stream, head) => {
        if (incoming.url !== path) return
        other.handleUpgrade(incoming, stream, head, (webSocket) =>
          other.emit("connection", webSocket, incoming),
        )
      })
    }
  })

  it("goes when it is told to, and the framework stays", async () => {
    const { hub, page, socket } = await startBeside(start)
    const client = await connect(`${socket}/ws/lobby`)
    await hub.close()
    expect((await client.closed()).code).toBe(1001)
    expect(await request(`${page}/hello`)).toEqual({ status: 200, body: "hello" })
  })
})
