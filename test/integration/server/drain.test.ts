import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { ReconnectingClient } from "holdfast"
import type { DrainReport } from "holdfast/server"
import { describe, expect, it, onTestFinished } from "vitest"
import { inTime, until } from "../../support/deadline.js"
import { Mailbox } from "../../support/mailbox.js"
import { startAttached } from "../../support/server-attached.js"
import { startHttp } from "../../support/server-http.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect, type TestClient } from "../../support/ws-server.js"

describe("S50: a drain of an attachment", () => {
  it("refuses upgrades with 503 at once, tells that it is not ready, and closes everybody with 1012", async () => {
    const { url, hub, server, attachment, refused } = await startAttached()
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(url)))
    expect(attachment.ready()).toEqual({ ready: true, reasons: [] })
    const report = attachment.drain({ windowMs: 500 })
    expect(attachment.ready()).toEqual({ ready: false, reasons: ["closing"] })
    expect(attachment.health()).toMatchObject({ ok: true, isDraining: true, connections: 20 })
    const answer = await refusedBy(url)
    expect(answer.status).toBe(503)
    expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(1)
    expect(await refused.next()).toMatchObject({ status: 503, check: "closing" })
    for (const client of clients) {
      expect(await client.closed()).toEqual({ code: 1012, reason: "the server restarts" })
    }
    expect(await report).toEqual({ closed: 20, forced: 0, ms: expect.any(Number) })
    expect(await attachment.drain({ windowMs: 60_000 })).toBe(await report)
    expect(hub.size).toBe(0)
    // the HTTP server is its user's: it goes on, and so does its other side
    expect(server.listening).toBe(true)
    const raw = await RawClient.open({ url, port: Number(new URL(url).port) })
    raw.socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    expect(await raw.ended()).toMatch(/^HTTP\/1.1 200 .*hello$/s)
  })

  it("lets nobody in whom authenticate has not decided about", async () => {
    const asked = new Mailbox<() => void>("question")
    const authenticate = () => new Promise<undefined>((resolve) => asked.put(() => resolve(undefined)))
    const { url, attachment, hub } = await startAttached({ authenticate })
    const answer = refusedBy(url)
    await asked.next()
    expect(await attachment.drain()).toMatchObject({ closed: 0, forced: 0 })
    expect(await answer).toMatchObject({ status: 503 })
    expect(hub.size).toBe(0)
  })

  // it stayed open: it was not counted among the attachment's own before its listeners had run
  it("closes the connection too whose listener begins it", async () => {
    const { url, hub, attachment } = await startAttached()
    const reports: Promise<DrainReport>[] = []
    hub.on("connection", () => {
      if (hub.size === 2) reports.push(attachment.drain({ windowMs: 0 }))
    })
    const first = await connect(url)
    const second = await connect(url)
    expect([await first.closed(), await second.closed()]).toMatchObject([{ code: 1012 }, { code: 1012 }])
    expect(await Promise.all(reports)).toMatchObject([{ closed: 2, forced: 0 }])
    expect(hub.size).toBe(0)
  })

  it("leaves the connections of other attachments alone", async () => {
    const target = await startHttp()
    const [one, two] = [
      await startAttached({ path: "/one" }, { target }),
      await startAttached({ path: "/two" }, { target }),
    ]
    const [leaving, staying] = [await connect(`${target.url}/one`), await connect(`${target.url}/two`)]
    await one.attachment.drain({ windowMs: 0 })
    expect(await leaving.closed()).toMatchObject({ code: 1012 })
    expect([staying.socket.readyState, two.hub.size]).toEqual([1, 1])
    await connect(`${target.url}/two`)
  })

  it("cuts who does not close, and counts him", async () => {
    const server = await startAttached()
    const raw = await RawClient.open(server)
    raw.socket.write(upgradeRequest())
    expect(await raw.status()).toBe(101)
    const polite = await connect(server.url)
    expect(await server.attachment.drain({ windowMs: 0, closeTimeoutMs: 100 })).toMatchObject({
      closed: 1,
      forced: 1,
    })
    expect(await polite.closed()).toMatchObject({ code: 1012 })
    await server.idle()
  })

  it("R23: a rolling restart of two nodes leaves every client connected", async () => {
    const ports = [await startAttached(), await startAttached()] as const
    let index = 0
    const clients = Array.from({ length: 20 }, () => {
      const client = new ReconnectingClient<string, string>(() => ports[index % 2 === 0 ? 0 : 1].url, {
        logger: false,
        // the random 5 to 30 s that clients wait after 1012, made short
        closeCodes: { 1012: "now" },
        backoff: { initialMs: 20, maxMs: 100, floorMs: 1 },
      })
      onTestFinished(() => client.close().then(() => {}))
      return client
    })
    await until(() => ports[0].hub.size === 20, "everybody on the first node", 5_000)
    index = 1
    expect(await ports[0].attachment.drain({ windowMs: 300 })).toMatchObject({ closed: 20, forced: 0 })
    await until(() => clients.every((it) => it.state === "open"), "everybody to be back", 5_000)
    expect([ports[0].hub.size, ports[1].hub.size]).toEqual([0, 20])
  })
})

describe("R23: SIGTERM", () => {
  it("with 5,000 connections open flushes what was sent, closes them all within the window, and exits with 0", async () => {
    const COUNT = 5_000
    const WINDOW_MS = 3_000
    const path = fileURLToPath(new URL("../../support/server-drain-process.ts", import.meta.url))
    const child = fork(path, {
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, WINDOW_MS: String(WINDOW_MS) },
    })
    onTestFinished(() => void child.kill("SIGKILL"))
    const exit = once(child, "exit") as Promise<[code: number | null, signal: string | null]>
    const [port] = (await inTime(once(child, "message"), "the port", 10_000)) as [number]
    const clients: TestClient[] = []
    while (clients.length < COUNT) {
      const some = Array.from({ length: 100 }, () => connect(`ws://127.0.0.1:${port}`))
      clients.push(...(await Promise.all(some)))
    }
    const reported = once(child, "message") as Promise<[DrainReport]>
    const startedAt = performance.now()
    child.kill("SIGTERM")
    await until(() => (clients[0]?.waiting ?? 0) > 0, "the last words", 5_000)
    expect(await refusedBy(`ws://127.0.0.1:${port}`)).toMatchObject({ status: 503 })
    const ends = await Promise.all(clients.map((it) => it.closed(15_000)))
    const tookMs = performance.now() - startedAt
    expect(new Set(ends.map((it) => it.code))).toEqual(new Set([1012]))
    expect(new Set(clients.map((it) => it.waiting))).toEqual(new Set([20]))
    const [report] = await inTime(reported, "the report", 5_000)
    expect(report).toMatchObject({ closed: COUNT, forced: 0 })
    expect(await inTime(exit, "the exit", 5_000)).toEqual([0, null])
    console.log(`drained ${COUNT} connections in ${Math.round(tookMs)} ms`)
  }, 60_000)
})
