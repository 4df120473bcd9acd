import { describe, expect, it } from "vitest"
import { startProgram } from "../../support/demo-process.js"
import { request } from "../../support/http-request.js"
import { connect } from "../../support/ws-server.js"

describe("examples/metrics", () => {
  it("is scraped, with the hub's figures and one of its own", async () => {
    const program = startProgram("metrics/main.ts", [], { PORT: "0" })
    const [, metrics = ""] = await program.line(/curl (\S+)$/)
    const [, socket = ""] = await program.line(/-c (\S+) /)
    await program.line(/^the first visitors have been there$/)
    const client = await connect(socket)
    client.send('{"type":"line","text":"hi"}')
    expect(await client.next()).toBe('{"type":"line","text":"hi"}')
    const { status, body } = await request(metrics)
    expect(status).toBe(200)
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(body)?.[1])
    expect(value("ws_connections_active")).toBeGreaterThanOrEqual(1)
    expect(value("ws_connections_total")).toBeGreaterThanOrEqual(5)
    // three of each visitor, and ours
    expect(value("ws_messages_received_total")).toBeGreaterThanOrEqual(13)
    expect(value("ws_messages_sent_total")).toBeGreaterThanOrEqual(13)
    expect(value("ws_message_duration_seconds_count")).toBeGreaterThanOrEqual(13)
    expect(value("chat_rooms_created_total")).toBeGreaterThanOrEqual(5)
    expect((await request(metrics.replace("/metrics", "/else"))).status).toBe(404)
    program.signal("SIGTERM")
    expect((await client.closed()).code).toBe(1001)
    expect(await program.exited()).toMatchObject({ code: 0, stderr: "" })
  })
})

describe("examples/shutdown", () => {
  it("tells how it is, and takes leave of everybody before it ends", async () => {
    const program = startProgram("shutdown/main.ts", [], { PORT: "0", WINDOW_MS: "1500" })
    const [, socket = ""] = await program.line(/-c (\S+) /)
    const [, health = ""] = await program.line(/does it live: +curl (\S+)$/)
    const [, ready = ""] = await program.line(/may they come: +curl (\S+)$/)
    const [, probe = ""] = await program.line(/does it work: +curl (\S+)$/)
    const clients = await Promise.all([1, 2, 3, 4].map(() => connect(socket)))
    expect(await request(health)).toMatchObject({
      status: 200,
      body: expect.stringContaining('"connections":4'),
    })
    expect(await request(ready)).toMatchObject({ status: 200, body: expect.stringContaining('"ready":true') })
    expect(await request(probe)).toMatchObject({
      status: 200,
      body: expect.stringContaining('"phase":"done"'),
    })
    for (const client of clients) client.send('{"text":"last words"}')
    for (const client of clients) expect(await client.next()).toBe('{"text":"last words"}')

    program.signal("SIGTERM")
    await program.line(/^SIGTERM: 4 connections are closed over 1500 ms$/)
    // it lives, and wants nobody new
    expect((await request(health)).status).toBe(200)
    expect(await request(ready)).toMatchObject({ status: 503, body: expect.stringContaining("closing") })
    await expect(connect(socket)).rejects.toThrow("503")
    for (const client of clients) expect((await client.closed()).code).toBe(1012)
    await program.line(/^4 said goodbye, 0 had to be cut$/)
    expect(await program.exited()).toMatchObject({ code: 0, stderr: "" })
  })
})
