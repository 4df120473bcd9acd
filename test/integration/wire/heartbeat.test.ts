import { once } from "node:events"
import { describe, expect, it } from "vitest"
import type { WebSocket } from "ws"
import { Heartbeat } from "../../../src/wire/heartbeat.js"
import { inTime, until } from "../../support/deadline.js"
import { rawPair, WAYS, wirePair } from "../../support/wire-server.js"
import { connect, startServer } from "../../support/ws-server.js"

const SHORT = { intervalMs: 60, timeoutMs: 60 }

/** Keeps the event loop busy: nothing else happens meanwhile. */
function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

async function pongs(socket: WebSocket, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await inTime(once(socket, "pong"), `pong ${i}`)
}

describe("Heartbeat.watchSocket() on bare ws sockets", () => {
  it("S31 keeps a client that answers", async () => {
    const heartbeat = new Heartbeat(SHORT)
    const server = await startServer()
    const client = await connect(server.url)
    const { socket } = await server.accepted()
    heartbeat.watchSocket(socket)
    await pongs(socket, 5)
    expect(socket.readyState).toBe(1)
    expect(client.socket.readyState).toBe(1)
    expect(heartbeat.size).toBe(1)
    await client.close()
    await until(() => heartbeat.size === 0, "the watch to end with its socket")
  })

  it("S31 works on the client's side, too", async () => {
    const heartbeat = new Heartbeat(SHORT)
    const server = await startServer()
    const client = await connect(server.url)
    heartbeat.watchSocket(client.socket)
    await pongs(client.socket, 3)
    const { socket } = await server.accepted()
    socket.pause()
    expect(await client.closed()).toMatchObject({ code: 1006 })
  })

  it("S31 terminates a client that never answers, not before its time is over", async () => {
    const heartbeat = new Heartbeat(SHORT)
    const { socket, client } = await rawPair({ isRaw: true })
    const since = performance.now()
    let isDead = false
    heartbeat.watchSocket(socket, () => {
      isDead = true
    })
    await client.ended()
    // a timer of Node may be early by less than a millisecond
    expect(performance.now() - since).toBeGreaterThan(118)
    expect(isDead).toBe(true)
    expect(heartbeat.size).toBe(0)
    expect(socket.readyState).toBeGreaterThan(1)
  })

  it("S31 terminates a client that has stopped reading", async () => {
    const heartbeat = new Heartbeat(SHORT)
    const server = await startServer()
    const client = await connect(server.url)
    const { socket } = await server.accepted()
    heartbeat.watchSocket(socket)
    await pongs(socket, 1)
    client.socket.pause()
    const [code] = await inTime(once(socket, "close"), "the end")
    expect(code).toBe(1006)
  })

  it("S32 closes none of 50 healthy clients when the event loop is stalled for more than twice the timeout", async () => {
    const heartbeat = new Heartbeat({ intervalMs: 90, timeoutMs: 60 })
    const server = await startServer()
    const sockets: WebSocket[] = []
    for (let i = 0; i < 50; i += 1) {
      await connect(server.url)
      const { socket } = await server.accepted()
      heartbeat.watchSocket(socket)
      sockets.push(socket)
    }
    const last = sockets.at(-1) as WebSocket
    for (let i = 0; i < 4; i += 1) {
      await pongs(last, 1)
      block(150)
    }
    await pongs(last, 2)
    expect(sockets.filter((it) => it.readyState !== 1)).toEqual([])
    expect(heartbeat.size).toBe(50)
  })
})

describe.each(WAYS)("Heartbeat.watch() of connections, $way", ({ isRaw }) => {
  it("S1 S31 measures the round-trip time", async () => {
    const heartbeat = new Heartbeat(SHORT)
    const { connection } = await wirePair({ isRaw })
    heartbeat.watch(connection)
    const { rttMs } = await inTime(
      new Promise<{ rttMs: number }>((resolve) => connection.once("pong", resolve)),
      "a pong",
    )
    expect(rttMs).toBeGreaterThan(0)
    expect(rttMs).toBeLessThan(1_000)
    expect(connection.rttMs).toBe(rttMs)
  })

  it("S31 ends a connection whose peer is gone, with a cause of its own", async () => {
    const heartbeat = new Heartbeat(SHORT)
    const { connection } = await rawPair({ isRaw })
    heartbeat.watch(connection)
    expect(await inTime(connection.closed, "the end")).toMatchObject({ code: 1006, cause: "heartbeat" })
  })

  it("does not judge a connection whose reading is paused by its own listeners", async () => {
    const heartbeat = new Heartbeat({ intervalMs: 20, timeoutMs: 20 })
    const { connection, client } = await wirePair({ isRaw, concurrency: 1 })
    let finish: (() => void) | undefined
    connection.on("message", () => new Promise<void>((resolve) => (finish = resolve)))
    client.send("1")
    await until(() => connection.isReadingPaused, "reading to stop")
    heartbeat.watch(connection)
    const other = await wirePair({ isRaw })
    heartbeat.watch(other.connection)
    await pongs(other.socket, 6)
    expect(connection.state).toBe("open")
    finish?.()
    await until(() => !connection.isReadingPaused, "reading to go on")
  })
})
