import { type AddressInfo, createServer as createTcp } from "node:net"
import { createHub } from "holdfast"
import { attach, healthHandler, type ProbeReport, probe, probeHandler, readyHandler } from "holdfast/server"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { until } from "../../support/deadline.js"
import { RecordingAdapter } from "../../support/recording-adapter.js"
import { startAttached } from "../../support/server-attached.js"
import { type HttpTarget, startHttp } from "../../support/server-http.js"
import { connect } from "../../support/ws-server.js"

/** Gives a server its three pages. */
function addPages({ server, url }: HttpTarget, attachment: ReturnType<typeof attach>): void {
  const pages: Record<string, ReturnType<typeof healthHandler>> = {
    "/health": healthHandler(attachment),
    "/ready": readyHandler(attachment),
    "/probe": probeHandler(url),
  }
  server.removeAllListeners("request")
  server.on("request", (request, response) => pages[request.url ?? ""]?.(request, response))
}

async function get(target: HttpTarget, path: string) {
  const response = await fetch(`${target.url.replace("ws", "http")}${path}`)
  const { headers, status } = response
  return {
    status,
    type: headers.get("content-type"),
    cache: headers.get("cache-control"),
    body: await response.json(),
  }
}

const JSON_PAGE = { type: "application/json", cache: "no-store" }

/** A TCP server that does with its clients what it is told to. */
async function startTcp(serve: Parameters<typeof createTcp>[1]): Promise<string> {
  const server = createTcp(serve)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe("S52: health and readiness", () => {
  it("are two pages: a process that drains lives, and should get nobody new", async () => {
    const target = await startHttp()
    const hub = createHub({ logger: false })
    const attachment = attach(target.server, hub)
    addPages(target, attachment)
    await connect(target.url)
    const alive = { ok: true, connections: 1, isDraining: false, adapter: "up" }
    expect(await get(target, "/health")).toEqual({ status: 200, ...JSON_PAGE, body: alive })
    expect(await get(target, "/ready")).toEqual({
      status: 200,
      ...JSON_PAGE,
      body: { ready: true, reasons: [] },
    })
    await attachment.drain({ windowMs: 0 })
    expect(await get(target, "/health")).toMatchObject({
      status: 200,
      body: { ...alive, connections: 0, isDraining: true },
    })
    expect(await get(target, "/ready")).toMatchObject({
      status: 503,
      body: { ready: false, reasons: ["closing"] },
    })
  })

  it("are not ready while there are as many connections as are taken", async () => {
    const { url, hub, attachment } = await startAttached({ limits: { connections: 1 } })
    const client = await connect(url)
    expect(attachment.ready()).toEqual({ ready: false, reasons: ["overloaded"] })
    await client.close()
    await until(() => hub.size === 0, "the place to be free")
    expect(attachment.ready().ready).toBe(true)
  })

  it("are not ready while too much waits for slow readers", async () => {
    const { url, added, attachment } = await startAttached(
      { readiness: { maxTotalBufferedBytes: 100_000 } },
      { hub: { maxBufferedBytes: 100_000_000 } },
    )
    const client = await connect(url)
    const connection = await added.next()
    client.socket.pause()
    while (connection.bufferedBytes <= 100_000) {
      connection.send("x".repeat(1_000_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(attachment.ready()).toEqual({ ready: false, reasons: ["overloaded"] })
  })

  it("are not ready once the adapter has been down for longer than its grace, and ready with it again", async () => {
    const clock = new VirtualClock()
    const adapter = new RecordingAdapter()
    const target = await startHttp()
    const hub = createHub({ adapter, clock, logger: false, heartbeat: false })
    const attachment = attach(target.server, hub, { readiness: { adapterGraceMs: 5_000 } })
    await hub.ready
    adapter.context.onState("down")
    await clock.advance(5_000)
    expect(attachment.ready().ready).toBe(true)
    // the same news twice does not begin the wait anew
    adapter.context.onState("down")
    await clock.advance(1)
    expect(attachment.ready()).toEqual({ ready: false, reasons: ["adapter"] })
    expect(attachment.health()).toMatchObject({ ok: true, adapter: "down" })
    adapter.context.onState("degraded")
    expect(attachment.ready().ready).toBe(true)
  })

  it("are not ready once the attachment is closed", async () => {
    const { attachment } = await startAttached()
    attachment.close()
    expect(attachment.ready()).toEqual({ ready: false, reasons: ["closing"] })
  })
})

describe("S52: readiness", () => {
  // a load balancer went on sending clients to a hub that closes each of them at once
  it("ends with the hub, from the moment it begins to close", async () => {
    const { hub, attachment } = await startAttached()
    const closed = hub.close()
    expect(attachment.ready()).toEqual({ ready: false, reasons: ["closing"] })
    await closed
    expect(attachment.ready()).toEqual({ ready: false, reasons: ["closing"] })
    expect(attachment.health().ok).toBe(true)
  })

  it("bears 30 s without the adapter, and 192 MiB that wait, unless told otherwise", async () => {
    const clock = new VirtualClock()
    const adapter = new RecordingAdapter()
    const hub = createHub({ adapter, clock, logger: false, heartbeat: false })
    const attachment = attach((await startHttp()).server, hub, { clock })
    await hub.ready
    adapter.context.onState("down")
    await clock.advance(30_000)
    expect(attachment.ready().ready).toBe(true)
    await clock.advance(1)
    expect(attachment.ready()).toEqual({ ready: false, reasons: ["adapter"] })
    adapter.context.onState("up")
    const waiting = vi.spyOn(hub, "bufferedBytes", "get").mockReturnValue(192 * 1_048_576)
    expect(attachment.ready().ready).toBe(true)
    waiting.mockReturnValue(192 * 1_048_576 + 1)
    expect(attachment.ready()).toEqual({ ready: false, reasons: ["overloaded"] })
  })

  it("says every reason there is", async () => {
    const clock = new VirtualClock()
    const adapter = new RecordingAdapter()
    const hub = createHub({ adapter, clock, logger: false, heartbeat: false })
    const { server, url } = await startHttp()
    const attachment = attach(server, hub, {
      clock,
      limits: { connections: 1 },
      readiness: { adapterGraceMs: 0 },
    })
    await hub.ready
    await connect(url)
    adapter.context.onState("down")
    await clock.advance(1)
    attachment.close()
    expect(attachment.ready()).toEqual({ ready: false, reasons: ["closing", "overloaded", "adapter"] })
  })
})

describe("S52: a probe", () => {
  it("opens a WebSocket, has a message answered, closes, and says how long that took", async () => {
    const target = await startHttp()
    const hub = createHub({ logger: false })
    attach(target.server, hub)
    const closes: unknown[] = []
    hub.on("close", ({ code, cause }) => closes.push([code, cause]))
    const report = await probe(target.url)
    expect(report).toMatchObject({ ok: true, phase: "done", error: undefined })
    expect(report.ms).toBeGreaterThanOrEqual((report.connectMs ?? 1e9) + (report.answerMs ?? 1e9))
    await until(() => closes.length > 0, "the hub to see the end")
    expect(closes).toEqual([[1000, "peer"]])
    await target.idle()
  })

  it("asks with a ping frame where the application answers no message", async () => {
    const { url } = await startAttached()
    expect(await probe(url, { message: false })).toMatchObject({ ok: true, phase: "done" })
  })

  it("offers subprotocols and logs in as it is told", async () => {
    const { url, hub } = await startAttached({
      protocols: ["v1"],
      authenticate: ({ headers }) => (headers.authorization === "Bearer me" ? {} : { status: 401 }),
    })
    hub.on("message", ({ connection }) => void connection.send(connection.protocol))
    const headers = { Authorization: "Bearer me" }
    expect(await probe(url, { headers, protocols: ["v1"], message: "who" })).toMatchObject({ ok: true })
    expect(await probe(url)).toMatchObject({ ok: false, phase: "connect", error: "refused with 401" })
  })

  it.each<[string, Parameters<typeof createTcp>[1] | string, Partial<ProbeReport>]>([
    ["nobody listens", "ws://127.0.0.1:9", { phase: "connect" }],
    ["the address is none", "nonsense", { phase: "connect" }],
    ["the server hangs up", (socket) => void socket.destroy(), { phase: "connect" }],
    [
      "the server never answers",
      (socket) => void socket.resume(),
      { phase: "connect", error: "nothing within 200 ms" },
    ],
    ["the server is no web server", (socket) => void socket.end("220 smtp\r\n"), { phase: "connect" }],
  ])("finds that %s", async (_, server, finding) => {
    const url = typeof server === "string" ? server : await startTcp(server)
    const report = await probe(url, { timeoutMs: 200 })
    expect(report).toMatchObject({ ok: false, connectMs: undefined, answerMs: undefined, ...finding })
    expect(report.error).not.toBe("")
  })

  it("finds that no answer comes, and that the server closes instead of answering", async () => {
    const { url, hub } = await startAttached()
    const noAnswer = { ok: false, phase: "answer", answerMs: undefined }
    expect(await probe(url, { timeoutMs: 200 })).toMatchObject({
      ...noAnswer,
      error: "nothing within 200 ms",
    })
    hub.on("message", ({ connection }) => void connection.close(1011))
    expect(await probe(url)).toMatchObject({ ...noAnswer, error: "closed with 1011" })
  })

  it("leaves no socket and no timer behind, whatever it found", async () => {
    const clock = new VirtualClock()
    const server = await startAttached()
    await probe(server.url, { message: false, clock })
    const finding = probe(server.url, { clock })
    const [, silent] = await server.added.take(2)
    await until(() => silent?.messagesIn === 1, "the message of the probe")
    await clock.advance(5_000)
    expect(await finding).toMatchObject({
      ok: false,
      phase: "answer",
      error: "nothing within 5000 ms",
      ms: 5_000,
    })
    expect(clock.pending).toBe(0)
    await server.idle()
  })

  it("over HTTP is a 200 or a 503, and one connection however many ask within a second", async () => {
    const target = await startHttp()
    const hub = createHub({ logger: false })
    const attachment = attach(target.server, hub)
    addPages(target, attachment)
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(target, "/probe")))
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 200, ...JSON_PAGE, body: { ok: true, phase: "done" } })
    }
    expect(hub.stats().connections.total).toBe(1)
    await attachment.drain({ windowMs: 0 })
    const response = probeHandlerAnswer(target)
    expect(await response).toMatchObject({ status: 503, body: { ok: false, error: "refused with 503" } })
  })

  it("over HTTP is found anew once the last finding is a second old", async () => {
    const clock = new VirtualClock()
    const { url, hub } = await startAttached()
    const target = await startHttp()
    target.server.removeAllListeners("request")
    target.server.on("request", probeHandler(url, { message: false, clock }))
    const made = async () => {
      expect(await get(target, "/")).toMatchObject({ status: 200 })
      return hub.stats().connections.total
    }
    expect([await made(), await made()]).toEqual([1, 1])
    await clock.advance(999)
    expect(await made()).toBe(1)
    await clock.advance(1)
    expect(await made()).toBe(2)
  })

  // the error came with the first request, inside of its handler, and ended the process
  it.each([{ timeoutMs: 0 }, { message: 42 }, { maxAgeMs: -1 }, { timeout: 5 }, { clock: {} }])(
    "over HTTP refuses %j before anybody asks",
    (options) => {
      expect(() => probeHandler("ws://127.0.0.1:9", options as object)).toThrow(/must be/)
    },
  )

  it.each([{ timeoutMs: 0 }, { message: 42 }, { timeout: 5 }])("refuses %j", (options) => {
    expect(() => probe("ws://127.0.0.1:9", options as object)).toThrow(/must be/)
  })

  it("over HTTP says nothing to whoever was answered meanwhile", async () => {
    const { url } = await startAttached()
    const target = await startHttp()
    const handle = probeHandler(url, { message: false })
    const answered = new Promise<void>((resolve) => {
      target.server.removeAllListeners("request")
      target.server.on("request", (request, response) => {
        handle(request, response)
        response.writeHead(504).end("{}")
        resolve()
      })
    })
    expect(await get(target, "/")).toMatchObject({ status: 504 })
    await answered
    await handleOnce(handle)
  })
})

/** Resolves when a handler has its finding: this one's own answer comes behind all that waited before. */
function handleOnce(handle: ReturnType<typeof probeHandler>): Promise<void> {
  return new Promise((resolve) =>
    handle({} as never, { headersSent: false, writeHead() {}, end: () => resolve() } as never),
  )
}

/** A handler of its own has no finding yet. */
async function probeHandlerAnswer(target: HttpTarget) {
  target.server.removeAllListeners("request")
  target.server.on("request", probeHandler(target.url, { maxAgeMs: 0 }))
  return get(target, "/")
}
