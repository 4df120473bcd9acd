import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { createHub, json, type Logger, text } from "holdfast"
import { jwt } from "holdfast/auth/jwt"
import { type AttachOptions, attach } from "holdfast/server"
import { VirtualClock } from "holdfast/testing"
import pino from "pino"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { WebSocketServer } from "ws"
import { SECRET } from "../../support/auth-tokens.js"
import { until } from "../../support/deadline.js"
import { Mailbox } from "../../support/mailbox.js"
import { startHttp } from "../../support/server-http.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

type Line = Readonly<Record<string, unknown>>

/** A pino logger and the lines it has written, parsed. */
function startPino(level: string) {
  const lines: Line[] = []
  const logger = pino(
    { level, base: null, timestamp: false },
    { write: (line: string) => lines.push(JSON.parse(line)) },
  )
  return { lines, logger, events: () => lines.map((it) => it.event) }
}

/** A server and a hub that write into one log. */
async function startLogged(level: string, options: AttachOptions = {}) {
  const log = startPino(level)
  const http = await startHttp()
  const hub = createHub({ codec: json(), logger: log.logger, heartbeat: false })
  onTestFinished(() => hub.close())
  const attachment = attach(http.server, hub, { logger: log.logger, ...options })
  return { ...log, ...http, hub, attachment }
}

const TRACE = "0af7651916cd43dd8448eb211c80319c"
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`

describe("S54: the log of a connection", () => {
  it("is found by one id from the upgrade to the end, which the application has too: the story in the documentation", async () => {
    const { url, hub, lines, logger } = await startLogged("debug", {
      authenticate: (_request, { correlationId }) => {
        logger.info({ event: "app.login", correlationId, userId: "ada" }, "logged in")
        return { userId: "ada", expiresAt: Date.now() + 20_000 }
      },
    })
    hub.on("message", ({ connection }) => {
      logger.info({ event: "app.message", correlationId: connection.correlationId }, "message handled")
    })
    const client = await connect(url, { headers: { traceparent } })
    await until(() => lines.some((it) => it.event === "connection.expiring"), "the notice")
    client.send('"a secret"')
    await until(() => lines.some((it) => it.event === "app.message"), "the message")
    client.send("{no json: secret")
    await until(() => lines.some((it) => it.event === "error"), "the undecodable message")
    await client.close(1000)
    await until(() => lines.some((it) => it.event === "connection.close"), "the end")
    expect(lines.every((it) => it.correlationId === TRACE)).toBe(true)
    expect(JSON.stringify(lines)).not.toContain("secret")
    const ids = new Set(lines.map((it) => it.connectionId).filter(Boolean))
    expect(ids.size).toBe(1)
    // what the documentation shows is what happens
    const page = readFileSync(fileURLToPath(new URL("../../../docs/operations.md", import.meta.url)), "utf8")
    const story = [...page.matchAll(/^\{"level":.*\}$/gm)].map(([line]) => JSON.parse(line) as Line)
    expect(story.map(shapeOf)).toEqual(lines.map(shapeOf))
  })

  it("is found by x-request-id, or by the connection's own id where the request has none", async () => {
    const { url, lines } = await startLogged("info")
    await connect(url, { headers: { "X-Request-Id": "r-1" } })
    await connect(url)
    await connect(url, { headers: { "X-Request-Id": "not an id", traceparent: "nor this" } })
    const ids = lines.map(({ correlationId, connectionId }) => [correlationId, connectionId])
    expect(ids[0]?.[0]).toBe("r-1")
    expect(ids[0]?.[1]).toMatch(/^[\da-f]{32}$/)
    for (const [correlationId, connectionId] of ids.slice(1)) expect(correlationId).toBe(connectionId)
    expect(new Set(ids.map(([, id]) => id)).size).toBe(3)
  })

  it("says how it ended, how long it was, and what went each way", async () => {
    const { url, hub, lines } = await startLogged("info")
    const client = await connect(url)
    hub.on("message", ({ connection }) => void connection.send({ a: 1 }))
    client.send('"hi"')
    await client.next()
    await client.close(4321, "secret reason")
    await until(() => lines.length === 2, "the end")
    expect(lines[1]).toEqual({
      level: 30,
      event: "connection.close",
      connectionId: expect.any(String),
      correlationId: expect.any(String),
      code: 4321,
      cause: "peer",
      durationMs: expect.any(Number),
      messagesIn: 1,
      messagesOut: 1,
      bytesIn: 4,
      bytesOut: 9,
      unsent: 0,
      msg: "connection closed",
    })
  })

  it("is written for connections of a plain ws server too, with the id of their request", async () => {
    const { lines, logger } = startPino("info")
    const { server, url } = await startHttp()
    const hub = createHub({ logger, heartbeat: false })
    onTestFinished(() => hub.close())
    const wss = new WebSocketServer({ server })
    wss.on("connection", (socket, request) => hub.add(socket, { request, userId: "bob" }))
    await connect(url, { headers: { traceparent } })
    expect(lines).toMatchObject([{ event: "connection.open", correlationId: TRACE, userId: "bob" }])
  })

  it("tells of messages that a slow reader lost", async () => {
    const { lines, logger } = startPino("debug")
    const { server, url } = await startHttp()
    const hub = createHub<string, string>({
      codec: text(),
      logger,
      heartbeat: false,
      overflow: "drop-newest",
      maxBufferedBytes: 10,
    })
    onTestFinished(() => hub.close())
    attach(server, hub, { logger })
    await connect(url)
    hub.broadcast("longer than ten bytes")
    expect(lines.at(-1)).toMatchObject({
      event: "connection.lagged",
      count: 1,
      connectionId: expect.any(String),
    })
  })
})

describe("S54: the log of an attachment", () => {
  it("tells of each refusal, with the id of its request, and of failures of authenticate", async () => {
    const { url, lines } = await startLogged("info", {
      authenticate: (request) => {
        if (request.url === "/?fail") throw new Error("the database has gone")
        return { status: 401, reason: "no such user" }
      },
    })
    await refusedBy(url, { headers: { traceparent } })
    await refusedBy(`${url}/unknown`)
    await refusedBy(url, { origin: "https://evil.example" })
    await refusedBy(`${url}/?fail`)
    expect(lines).toMatchObject([
      {
        level: 30,
        event: "upgrade.refused",
        status: 401,
        check: "authenticate",
        reason: "no such user",
        remoteAddress: "127.0.0.1",
        correlationId: TRACE,
        msg: "upgrade refused",
      },
      {
        event: "upgrade.refused",
        status: 404,
        check: "path",
        correlationId: expect.stringMatching(/^[\da-f]{32}$/),
      },
      { event: "upgrade.refused", status: 403, check: "origin" },
      { level: 50, event: "error", stage: "authenticate", err: { message: "the database has gone" } },
      { event: "upgrade.refused", status: 500 },
    ])
    expect(lines[3]?.correlationId).toBe(lines[4]?.correlationId)
  })

  it("tells of who went while being decided about, where detail is wanted", async () => {
    const asked = new Mailbox<void>("question")
    const server = await startLogged("debug", {
      authenticate: () => new Promise<undefined>(() => asked.put()),
    })
    const raw = await RawClient.open(server)
    raw.socket.write(upgradeRequest({ headers: { "X-Request-Id": "r-2" } }))
    await asked.next()
    raw.socket.resetAndDestroy()
    await until(() => server.lines.length > 0, "the line")
    expect(server.lines).toMatchObject([{ level: 20, event: "upgrade.gone", correlationId: "r-2" }])
  })

  it("tells where a drain begins, and what came of it", async () => {
    const { url, attachment, lines } = await startLogged("info")
    await connect(url)
    await attachment.drain({ windowMs: 0 })
    expect(lines.filter((it) => String(it.event).startsWith("drain"))).toEqual([
      { level: 30, event: "drain.begin", connections: 1, windowMs: 0, code: 1012, msg: "drain begins" },
      { level: 30, event: "drain.end", closed: 1, forced: 0, ms: expect.any(Number), msg: "drain ended" },
    ])
  })
})

describe("S54: a level that is off", () => {
  it("costs no line, not even one that is thrown away", async () => {
    const asked = vi.fn(() => false)
    const method = vi.fn()
    const logger: Logger = { debug: method, info: method, warn: method, error: method, isLevelEnabled: asked }
    const { server, url } = await startHttp()
    const clock = new VirtualClock()
    const hub = createHub({ logger, clock, heartbeat: false })
    attach(server, hub, { logger })
    attach(server, hub, {
      path: "/token",
      authenticate: jwt({ key: SECRET, algorithms: ["HS256"], logger }),
      logger,
    })
    const client = await connect(url)
    await refusedBy(`${url}/unknown`)
    await refusedBy(`${url}/token`)
    await client.close()
    await until(() => hub.size === 0, "the end")
    expect(asked.mock.calls.flat()).toEqual(["info", "info", "info", "info", "info"])
    expect(method).not.toHaveBeenCalled()
  })

  it("is silence by default: the console hears of nothing but faults", async () => {
    const heard = (["debug", "info", "warn", "error"] as const).map((level) =>
      vi.spyOn(console, level).mockReturnValue(),
    )
    const { server, url } = await startHttp()
    const hub = createHub({ heartbeat: false })
    attach(server, hub)
    const client = await connect(url)
    await refusedBy(`${url}/unknown`)
    await client.close()
    await until(() => hub.size === 0, "the end")
    expect(heard.flatMap((it) => it.mock.calls)).toEqual([])
  })
})

/** A line without what differs from run to run. */
function shapeOf(line: Line): Line {
  const isNumberOfTheRun = new Set(["durationMs", "expiresAt"])
  const entries = Object.entries(line).map(([key, value]) =>
    key === "connectionId" || isNumberOfTheRun.has(key) ? [key, typeof value] : [key, value],
  )
  return Object.fromEntries(entries)
}
