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

describe("examples/gateway", () => {
  it("takes packets, tells of them in JSON, passes commands on, and stops what is no packet of ours", async () => {
    const program = startProgram("gateway/main.ts", [], { PORT: "0" })
    const [, watch = ""] = await program.line(/-c (\S+\/watch)$/)
    const [, command = ""] = await program.line(/-X POST "(\S+)"$/)
    const [, device = "", key = ""] = await program.line(/-c (\S+) -H "Authorization: (.+)"$/)

    const watcher = await connect(watch)
    /** The next that the watcher hears of the device. */
    const heard = async (name: string) => {
      for (;;) {
        const message = JSON.parse(String(await watcher.next()))
        if (message.device === name) return message
      }
    }
    const celsius = (await heard("porch")).celsius
    expect(celsius).toBeGreaterThan(-4)
    expect(celsius).toBeLessThan(-1)

    // a device that knows nothing but the bytes: type, length, flags, payload
    await expect(connect(device)).rejects.toThrow("401")
    const attic = await connect(device, { headers: { authorization: key } })
    await expect(connect(device, { headers: { authorization: key } })).rejects.toThrow("429")
    attic.send(Buffer.from([1, 0, 7, 0, 0, 0])) // a reading that goes on
    attic.send(Buffer.from([0, 9, 0xff, 0x9c, 80])) // in the next frame
    expect(await heard("attic")).toEqual({
      type: "reading",
      device: "attic",
      sequence: 9,
      celsius: -1,
      battery: 80,
    })
    attic.send(Buffer.from([77, 0, 1, 0, 5])) // a type that nobody knows
    await program.line(/^attic: decode, PACKET_TYPE_UNKNOWN$/)
    attic.send(Buffer.from([1, 0, 2, 0, 5, 5])) // a reading that is too short
    await program.line(/^attic: listener, /)

    const commandAttic = command.replace("porch", "attic").replace("seconds=5", "seconds=300")
    expect((await request(commandAttic, "POST")).status).toBe(202)
    expect(await attic.next()).toEqual(Buffer.from([2, 0, 2, 0, 1, 44]))
    attic.send(Buffer.from([3, 0, 2, 0, 1, 44]))
    expect(await heard("attic")).toEqual({ type: "accepted", device: "attic", seconds: 300 })
    expect((await request(command.replace("porch", "moon"), "POST")).status).toBe(404)
    expect((await request(command.replace("seconds=5", "seconds=0"), "POST")).status).toBe(400)

    await attic.close()
    expect(await heard("attic")).toEqual({ type: "gone", device: "attic" })
    program.signal("SIGTERM")
    expect((await watcher.closed()).code).toBe(1001)
    expect(await program.exited()).toMatchObject({ code: 0, stderr: "" })
  })
})

describe("examples with a page", () => {
  it.each([
    ["dashboard", "ws", '"type":"history"'],
    ["cursors", "ws/lobby", '"type":"you"'],
  ])("%s: hands out its page and talks to it, and stops in good order", async (name, path, first) => {
    const program = startProgram(`${name}/main.ts`, [], { PORT: "0" })
    const [, url = ""] = await program.line(/^the \w+: +(http:\S+)/)
    expect(await request(url)).toMatchObject({
      status: 200,
      body: expect.stringContaining("<!doctype html>"),
    })
    await program.line(new RegExp(`-c ${url.replace("http", "ws")}/${path}`))
    const client = await connect(`${url.replace("http", "ws")}/${path}`)
    expect(await client.next()).toContain(first)
    program.signal("SIGTERM")
    expect((await client.closed()).code).toBe(1001)
    expect(await program.exited()).toMatchObject({ code: 0, stderr: "" })
  })
})
