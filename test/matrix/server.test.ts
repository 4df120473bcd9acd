/**
 * The server side in every runtime: a hub on that runtime's `node:http` lets in and turns away, echoes, sends to rooms, closes, finds
 * dead lines, keeps its limits, drains, and lets its process end. Runs on `dist`, so `npm run build` comes first.
 */

import { afterAll, describe, type ExpectStatic, inject, it } from "vitest"
import { until } from "../support/deadline.js"
import { MatrixTable } from "../support/matrix-report.js"
import { MatrixServer } from "../support/matrix-server.js"
import { SERVER_ROWS } from "./rows.js"

const runtimes = inject("runtimes")
const table = new MatrixTable(
  Object.values(SERVER_ROWS),
  runtimes.map((it) => it.title),
)

afterAll(() => table.save("3-server", "A hub on `node:http`:"))

describe.each(runtimes)("$title", (runtime) => {
  const start = (task: object = {}) => MatrixServer.start(runtime, task)
  const fill = (row: keyof typeof SERVER_ROWS, text = "yes") =>
    table.set(SERVER_ROWS[row], runtime.title, text)

  it.concurrent("echoes a message to its sender, and sends one to everybody", async ({ expect }) => {
    const server = await start()
    const [ada, bob] = [await server.connect("a"), await server.connect("b")]
    ada.ask("echo", "hello")
    await ada.got(1)
    ada.ask("all", "hello, all")
    expect(await ada.got(2)).toEqual([{ echo: "hello" }, { all: "hello, all" }])
    expect(await bob.got(1)).toEqual([{ all: "hello, all" }])
    await finish(server, expect)
    fill("echo")
  })

  it.concurrent("sends to the others in a room, and no longer to whoever has left", async ({ expect }) => {
    const server = await start()
    const [ada, bob, eve, zoe] = await Promise.all(
      ["tea", "tea", "tea", "coffee"].map((it) => server.connect(it)),
    )
    if (!ada || !bob || !eve || !zoe) throw new Error("not all are there")
    eve.ask("leave")
    eve.ask("echo", "left")
    await eve.got(1)
    ada.ask("others", "milk?")
    ada.ask("all", "end")
    expect(await bob.got(2)).toEqual([{ others: "milk?" }, { all: "end" }])
    expect(await ada.got(1)).toEqual([{ all: "end" }])
    expect(await eve.got(2)).toEqual([{ echo: "left" }, { all: "end" }])
    expect(await zoe.got(1)).toEqual([{ all: "end" }])
    await finish(server, expect)
    fill("rooms")
  })

  it.concurrent("closes with a code and a reason, hears those of clients, and says 1001 at its own end", async ({
    expect,
  }) => {
    const server = await start()
    const [ada, bob, eve] = [await server.connect("a"), await server.connect("a"), await server.connect("a")]
    ada.ask("close", "über")
    expect(await ada.end()).toEqual({ code: 4001, reason: "über" })
    await server.told({ event: "left", code: 4001, cause: "local" })
    bob.socket.close(4002, "bye")
    await bob.end()
    await server.told({ event: "left", code: 4002, cause: "peer" })
    await finish(server, expect)
    expect(await eve.end()).toEqual({ code: 1001, reason: "" })
    fill("close")
  })

  it.concurrent("refuses before the handshake: a login, an origin, a path, and when it is full", async ({
    expect,
  }) => {
    const server = await start({ attach: { limits: { connections: 1 } } })
    expect(await server.knock("locked")).toMatchObject({ status: 401 })
    expect(await server.knock("a", { origin: "https://evil.example" })).toMatchObject({ status: 403 })
    expect(await server.knock("a/b")).toMatchObject({ status: 404 })
    await server.connect("a")
    const full = await server.knock("b")
    expect(full).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^\d+$/) })
    await finish(server, expect)
    fill("refusals", "401, 403, 404, 503")
  })

  it.concurrent("pings, ends whoever does not answer, and nobody else", async ({ expect }) => {
    const server = await start({ hub: { heartbeat: { intervalMs: 50, timeoutMs: 3_000 } } })
    const [living, dead] = [await server.connect("a"), await server.connect("a", { autoPong: false })]
    // nothing but a ping comes in at a client that is silent
    await until(() => living.pings > 0 && dead.pings > 0, "pings")
    expect((await dead.end()).code).toBe(1006)
    await server.told({ event: "left", code: 1006, cause: "heartbeat" })
    living.ask("echo", "here")
    expect(await living.got(1)).toEqual([{ echo: "here" }])
    await finish(server, expect)
    fill("heartbeat")
  })

  it.concurrent("takes no message above its limit, nor one in too many pieces", async ({ expect }) => {
    const server = await start({ attach: { maxPayloadBytes: 1_000, maxFragments: 4 } })
    const [large, pieces] = [await server.connect("a"), await server.connect("a")]
    large.ask("echo", "x".repeat(2_000))
    const tooLarge = await large.end()
    for (let i = 0; i < 10; i += 1) pieces.socket.send("x".repeat(200), { fin: false })
    const tooMany = await pieces.end()
    // Bun's stand-in for `ws` counts the bytes of the pieces, and not the pieces
    const codes = [1009, runtime.title.startsWith("Bun") ? 1009 : 1008]
    expect([tooLarge.code, tooMany.code]).toEqual(codes)
    await finish(server, expect, 2)
    fill("sizes", codes.join(", "))
  })

  it.concurrent("closes a reader that does not read, and nobody else", async ({ expect }) => {
    const server = await start({ hub: { maxBufferedBytes: 200_000, closeTimeoutMs: 200 } })
    const [slow, quick] = [await server.connect("a"), await server.connect("a")]
    slow.ask("echo", "begin")
    await slow.got(1)
    slow.socket.pause()
    slow.ask("flood", 5_000)
    await server.told({ event: "left", cause: "overflow" })
    quick.ask("echo", "here")
    expect(await quick.got(1)).toEqual([{ echo: "here" }])
    slow.socket.terminate()
    await finish(server, expect)
    fill("slow")
  })

  it.concurrent("drains: everybody leaves with 1012", async ({ expect }) => {
    const server = await start()
    const clients = await Promise.all(["a", "b", "c"].map((it) => server.connect(it)))
    clients[0]?.ask("drain")
    for (const client of clients) expect((await client.end()).code).toBe(1012)
    await server.told({ event: "drained", closed: 3, forced: 0 })
    expect(await server.knock("d")).toMatchObject({ status: 503 })
    await finish(server, expect)
    fill("drain", "1012")
  })

  /** The program ends by itself, without a word of complaint but for clients that break a rule. */
  async function finish(server: MatrixServer, expect: ExpectStatic, breaches = 0): Promise<void> {
    const { events, trouble } = await server.end()
    expect(trouble).toEqual("")
    const stages = events.filter((it) => it.event === "error").map((it) => it.stage)
    expect(stages).toEqual(Array(breaches).fill("socket"))
    expect(events.at(-1)).toEqual({ event: "closed" })
  }
})
